"""A folder with evidence of many kinds, packed and plain, some of it damaged, in many batches."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile

from kubepostmortem.model import TABLES
from kubepostmortem.store import Store
from planted import Event, Storm, lines, telemetry_storm, write_log
from planted_counters import request_counter, write_query_range

DATA = Path(__file__).parent / "data"
DOCUMENTS = ("apiserver_config.json", "cicd_deployments.csv", "kubectl_objects.json")
GARBAGE = [b"\0" * 50 + b"\n", b'{"kind":"Event","auditID":\n', b"not JSON\n"]
COUNTER = "apiserver_request_total"
PARTS = 8
STORM = Storm(nodes=4, baseline_s=120, overload_s=90)

Content = dict[str, list[str]]  # of every table the rows, as text


def evidence(folder: Path) -> Path:
    """Write the folder; formats take turns by name, so that every file is a batch of its own."""
    folder.mkdir()
    events = telemetry_storm(STORM)
    for number, part in enumerate(_overlapping(events)):
        name = f"{number}-audit.log" + (".gz" if number % 2 else "")
        write_log(folder / name, [*part, *GARBAGE], packed=number % 2 == 1)
    for number, name in enumerate(DOCUMENTS):
        copyfile(DATA / name, folder / f"{number}-b-{name}")
    write_query_range(folder / "3-b-metrics.json", COUNTER, request_counter(events))
    _archive(folder / "4-b.tar.gz", events)
    (folder / "5-b-junk.bin").write_bytes(bytes(range(256)) * 20)
    (folder / "6-b-cut.log.gz").write_bytes(gzip.compress(b"".join(lines(events[:200])))[:-99])
    copyfile(DATA / "dns_probes.csv", folder / "6-c-dns_probes.csv")
    return folder


def _overlapping(events: Sequence[Event]) -> list[Sequence[Event]]:
    """The events in parts, each of which repeats the end of the one before."""
    size = len(events) // PARTS
    return [events[max(0, at - size // 10) : at + size] for at in range(0, len(events), size)]


def _archive(path: Path, events: Sequence[Event]) -> None:
    members = {
        "audit.log": b"".join(lines(events[::3])),
        "junk": b"\xff" * 900,
        "notes/cicd_deployments.json": (DATA / "cicd_deployments.json").read_bytes(),
        "old/audit.log": b"".join(lines(events[::5])),
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def content(database: Path) -> Content:
    """Every row of every table, numbers of files and series included, in one order."""
    with Store.open(database) as store:
        return {
            table: sorted(str(row) for row in store.frame(f'from "{table}"').rows())
            for table in TABLES
        }
