"""Speed and memory of ingest against DuckDB's bare scan of the same file, in one run.

Prints tables of ratios; asserts nothing, since machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from logs import WRAPPINGS, wrap, write_log

Measured = dict[str, float]

COUNT = """
import duckdb
con = duckdb.connect()
con.execute("set threads = {threads}")
con.execute('''select count(*) from read_json('{log}', format = 'newline_delimited',
    columns = {{requestReceivedTimestamp: 'TIMESTAMP'}})''').fetchall()
"""

# Reads what `requests` needs and keeps nothing: no way of storing it can be faster.
READ = """
import duckdb
from kubepostmortem.model import statement
text = statement('ingest/audit_events')
con = duckdb.connect()
con.execute("set threads = {threads}")
con.execute('select sum(hash(event)) from (select * ' + text[text.index('from read_json('):] +
    ') as event', {{'paths': ['{log}']}}).fetchall()
"""

TYPED = """
import duckdb
con = duckdb.connect('{folder}/typed.duckdb')
con.execute("set threads = {threads}")
con.execute('''create or replace table events as select auditID, stage, level, requestURI, verb,
    "user".username as username, userAgent, sourceIPs[-1] as source_ip, objectRef.resource as
    resource, objectRef.namespace as namespace, objectRef.name as name, objectRef.apiGroup as
    api_group, objectRef.subresource as subresource, responseStatus.code as code,
    requestReceivedTimestamp, stageTimestamp,
    annotations."authorization.k8s.io/decision" as decision
    from read_json('{log}', format = 'newline_delimited', columns = {{auditID: 'VARCHAR',
    stage: 'VARCHAR', level: 'VARCHAR', requestURI: 'VARCHAR', verb: 'VARCHAR',
    user: 'STRUCT(username VARCHAR)', userAgent: 'VARCHAR', sourceIPs: 'VARCHAR[]',
    objectRef: 'STRUCT(resource VARCHAR, namespace VARCHAR, name VARCHAR, apiGroup VARCHAR,
    subresource VARCHAR)', responseStatus: 'STRUCT(code INTEGER)',
    requestReceivedTimestamp: 'TIMESTAMP', stageTimestamp: 'TIMESTAMP',
    annotations: 'STRUCT("authorization.k8s.io/decision" VARCHAR)'}})''')
con.close()
"""

INGEST = """
from pathlib import Path
from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
with Store.create(Path('{folder}/incident.duckdb')) as store:
    ingest(store, [Path('{log}')], 'bench')
"""

# What other tools take to count requests per user agent: each with all of the machine.
POLARS = """
import polars as pl
pl.scan_ndjson('{log}', schema={{'userAgent': pl.String}}, ignore_errors=True).group_by(
    'userAgent').len().collect()
"""
PYARROW = """
import pyarrow as pa, pyarrow.json as pj
schema = pa.schema([('userAgent', pa.string())])
pj.read_json('{log}', read_options=pj.ReadOptions(block_size=64 << 20),
    parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior='ignore'),
    ).group_by('userAgent').aggregate([([], 'count_all')])
"""
CHDB = """
import chdb
chdb.query("select userAgent, count() from file('{log}', JSONEachRow, 'userAgent String') "
    "group by 1 format Null")
"""
COMMAND = """
import subprocess
subprocess.run({command!r}, shell=True, check=True, stdout=subprocess.DEVNULL)
"""
JQ = "jq -r .userAgent {log} | sort | uniq -c"
DEV_TOOL = "kubectl-dev_tool audit -f {log} -o top --by=user"

# Measured in a process of its own: seconds of the work without the imports, peak RSS.
HARNESS = """
import json, resource, time
{imports}
wall, cpu = time.perf_counter(), time.process_time()
{work}
own, its = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({{
    'wall': time.perf_counter() - wall,
    'cpu': time.process_time() - cpu + its.ru_utime + its.ru_stime,
    'mib': max(own.ru_maxrss, its.ru_maxrss) / 1024,
}}))
"""


def main() -> None:
    """Make the logs, run each way a few times in turn, print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0, help="size of the log, GB")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each; the best counts")
    parser.add_argument("--threads", type=int, default=2, help="DuckDB threads of the bare scan")
    parser.add_argument("--tenfold", action="store_true", help="also ingest ten times the size")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "audit.log"
        write_log(log, arguments.size)
        run = Bench(Path(folder), arguments.rounds, arguments.threads)
        run.plain(log)
        run.packed(log)
        run.wrapped(log)
        if arguments.tenfold:
            run.tenfold(log, arguments.size)


class Bench:
    """Measures ways of reading a log, each in fresh processes, and prints a table for each set."""

    def __init__(self, folder: Path, rounds: int, threads: int) -> None:
        self.folder, self.rounds, self.threads = folder, rounds, threads

    def plain(self, log: Path) -> None:
        """JSON lines: DuckDB itself, ingest, and the count per user agent of other tools."""
        ways = {
            "DuckDB, bare one-column count(*)": COUNT,
            "DuckDB, read the columns, keep nothing": READ,
            "DuckDB, typed insert of 17 columns": TYPED,
            "ingest": INGEST,
            "Polars, count per user agent": POLARS,
            "pyarrow, count per user agent": PYARROW,
        }
        if _has_module("chdb"):
            ways["chdb, count per user agent"] = CHDB
        for command in (JQ, DEV_TOOL):
            if shutil.which(command.split()[0]):
                ways[command.format(log="audit.log")] = command
        print_table(self.measure(ways, log), log.stat().st_size)

    def packed(self, log: Path) -> None:
        """The same file as gzip."""
        packed = log.with_suffix(".log.gz")
        subprocess.run(f"gzip -1 -c {log} > {packed}", shell=True, check=True)
        ways = {"DuckDB, count(*) of the .gz": COUNT, "ingest of the .gz": INGEST}
        print_table(self.measure(ways, packed), log.stat().st_size)

    def wrapped(self, log: Path) -> None:
        """A third of the events in each wrapping; MB are those of the wrapped file."""
        part = self.folder / "part.log"
        with log.open("rb") as whole:
            part.write_bytes(b"".join(whole.readlines(log.stat().st_size // 3)))
        for name in WRAPPINGS:
            file = self.folder / "wrapped.json"
            wrap(part, name, file)
            print_table(self.measure({name: INGEST}, file), file.stat().st_size, header=False)
            file.unlink()

    def tenfold(self, log: Path, size: float) -> None:
        """Ten times the data: time and memory against those of the single one."""
        large = self.folder / "large.log"
        write_log(large, 10 * size)
        one = self.measure({"ingest": INGEST}, log)["ingest"]
        ten = measure(self._filled(INGEST, large), self.folder)
        print(f"\n10 x the data: {ten['wall'] / one['wall']:.2f} x the time, ", end="")
        print(f"{ten['mib'] / one['mib']:.2f} x the memory ({ten['mib']:,.0f} MiB)")

    def measure(self, ways: Mapping[str, str], log: Path) -> dict[str, Measured]:
        """Run each way in turn; return the best run of each."""
        rounds = [
            {name: measure(self._filled(work, log), self.folder) for name, work in ways.items()}
            for _ in range(self.rounds)
        ]
        return {name: min((r[name] for r in rounds), key=lambda m: m["wall"]) for name in ways}

    def _filled(self, work: str, log: Path) -> str:
        names = {"log": log, "folder": self.folder, "threads": self.threads}
        if not work.startswith("\n"):
            return COMMAND.format(command=work.format(log=log))
        return work.format(**names)


def measure(work: str, folder: Path) -> Measured:
    """Run the work in a fresh process and a fresh database; return seconds and MiB."""
    for old in folder.glob("*.duckdb*"):
        old.unlink()
    imports = "import kubepostmortem.ingest" if "kubepostmortem" in work else ""
    run = [sys.executable, "-c", HARNESS.format(imports=imports, work=work)]
    printed = subprocess.run(run, check=True, capture_output=True).stdout
    result: Measured = json.loads(printed.splitlines()[-1])
    return result


def print_table(best: Mapping[str, Measured], size: int, *, header: bool = True) -> None:
    """Print the speed of each way, as ratios to the first one."""
    first = next(iter(best.values()))
    if header:
        print("\n| what | MB/s | speed, wall | speed, CPU | peak MiB |\n|---|---|---|---|---|")
    for name, m in best.items():
        print(
            f"| {name} | {size / m['wall'] / 1e6:,.0f} | {first['wall'] / m['wall']:.2f} | "
            f"{first['cpu'] / m['cpu']:.2f} | {m['mib']:,.0f} |",
            flush=True,
        )


def _has_module(name: str) -> bool:
    return (
        subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode
        == 0
    )


if __name__ == "__main__":
    main()
