"""Speed and memory of ingest against DuckDB's bare scan of the same file, in one run.

Prints a table of ratios; asserts nothing, since machines are noisy. The log is the recorded
sample, repeated with fresh audit IDs until it has the wanted size.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SAMPLE = Path(__file__).parent.parent / "data/telemetry-rollout/audit"
AUDIT_ID = re.compile(rb'"auditID":"([0-9a-f]{8})')

BARE = """
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
reader = text[text.index('from read_json('):text.index(') as events')] + ')'
con = duckdb.connect()
con.execute("set threads = {threads}")
con.execute('select sum(hash(event)) from (select * ' + reader + ') as event',
    {{'paths': ['{log}'], 'compression': 'none'}}).fetchall()
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

# Measured in a process of its own: wall and CPU seconds of the work without the imports, peak RSS.
HARNESS = """
import json, resource, time
import kubepostmortem.ingest
wall, cpu = time.perf_counter(), time.process_time()
{work}
print(json.dumps({{
    'wall': time.perf_counter() - wall,
    'cpu': time.process_time() - cpu,
    'mib': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}}))
"""


def main() -> None:
    """Make the log, run each way a few times in turn, print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0, help="size of the log, GB")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each; the best counts")
    parser.add_argument("--threads", type=int, default=2, help="DuckDB threads of the bare scan")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "audit.log"
        write_log(log, arguments.size)
        ways = {
            "bare one-column count(*)": BARE,
            "read the columns, keep nothing": READ,
            "typed insert, 17 columns": TYPED,
            "ingest": INGEST,
        }
        names = {"log": log, "folder": folder, "threads": arguments.threads}
        rounds = [
            {name: measure(work.format(**names), folder) for name, work in ways.items()}
            for _ in range(arguments.rounds)
        ]
        print_table(rounds, log.stat().st_size)


def write_log(log: Path, gigabytes: float) -> None:
    """Repeat the sample with fresh audit IDs up to the wanted size."""
    sample = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(SAMPLE.iterdir()))
    with log.open("wb") as out:
        for piece in _copies(sample):
            if out.tell() >= gigabytes * 1e9:
                return
            out.write(piece)


def _copies(sample: bytes) -> Iterator[bytes]:
    number = 0
    while True:
        mask = number * 0x9E3779B1 & 0xFFFFFFFF
        yield AUDIT_ID.sub(lambda m, x=mask: b'"auditID":"%08x' % (int(m[1], 16) ^ x), sample)
        number += 1


def measure(work: str, folder: str) -> dict[str, float]:
    """Run the work in a fresh process and a fresh database; return seconds and MiB."""
    for old in Path(folder).glob("*.duckdb*"):
        old.unlink()
    run = [sys.executable, "-c", HARNESS.format(work=work)]
    printed = subprocess.run(run, check=True, capture_output=True).stdout
    result: dict[str, float] = json.loads(printed.splitlines()[-1])
    return result


def print_table(rounds: list[dict[str, dict[str, float]]], size: int) -> None:
    """Print the best of each way, and its speed as a ratio to the bare scan."""
    best = {name: min((r[name] for r in rounds), key=lambda m: m["wall"]) for name in rounds[0]}
    bare = best["bare one-column count(*)"]
    print("| what | MB/s | speed, wall | speed, CPU | peak MiB |\n|---|---|---|---|---|")
    for name, m in best.items():
        print(
            f"| {name} | {size / m['wall'] / 1e6:,.0f} | {bare['wall'] / m['wall']:.2f} | "
            f"{bare['cpu'] / m['cpu']:.2f} | {m['mib']:,.0f} |"
        )


if __name__ == "__main__":
    main()
