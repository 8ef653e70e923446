"""Whatever is given - folders, patterns, links, pipes - each file is read once, or named."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.ingest import ingest
from kubepostmortem.sources import audit_log, finding, prometheus_api
from kubepostmortem.sources.finding import UNLISTED, listed
from kubepostmortem.store import Store
from planted import request, write_log

KPM = Path(sys.executable).parent / "kubepostmortem"


def log(path: Path, number: int = 1) -> Path:
    return write_log(path, request(f"00000000-0000-4000-8000-{number:012x}"))


def names(given, below: Path) -> list[str]:
    return [str(Path(found).relative_to(below)) for found in listed(given)]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with files at three depths, a hidden file and a hidden folder."""
    folder = tmp_path / "logs"
    for number, name in enumerate(["b.log", "a.log", "x/c.log", "x/y/d.log"]):
        log(folder / name, number)
    log(folder / ".hidden.log", 8)
    log(folder / ".git" / "e.log", 9)
    return folder


ALL = ["a.log", "b.log", "x/c.log", "x/y/d.log"]


def test_a_folder_is_walked_and_what_is_hidden_is_passed_over(logs):
    assert names([logs], logs) == ALL


def test_links_that_go_round_lead_nowhere_twice(logs):
    (logs / "x" / "up").symlink_to(logs)
    (logs / "x" / "y" / "again").symlink_to(logs / "x")
    (logs / "itself").symlink_to(logs / "itself")
    (logs / "broken").symlink_to(logs / "nowhere")

    assert names([logs], logs) == ALL


def test_a_link_to_a_file_or_folder_elsewhere_is_followed(logs, tmp_path):
    log(tmp_path / "elsewhere" / "f.log", 5)
    (logs / "z").symlink_to(tmp_path / "elsewhere")
    (logs / "z.log").symlink_to(tmp_path / "elsewhere" / "f.log")

    assert names([logs], logs) == [*ALL, "z.log", "z/f.log"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.log", ["a.log", "b.log"]),
        ("[b-z].log", ["b.log"]),
        ("**/*.log", ALL),
        ("**", ALL),
        ("x", ["x/c.log", "x/y/d.log"]),
        ("*", ["a.log", "b.log", "x/c.log", "x/y/d.log"]),
        ("x/?.log", ["x/c.log"]),
    ],
)
def test_patterns_are_expanded(logs, pattern, expected):
    (logs / "broken.log").symlink_to(logs / "nowhere")

    assert names([logs / pattern], logs) == expected


@pytest.mark.parametrize("name", ["audit[1].log", "what?.log", "*.log", "[", "a\nb", "-"])
def test_a_name_that_looks_like_a_pattern_is_a_name_first(tmp_path, name):
    log(tmp_path / name)
    log(tmp_path / "audit1.log", 2)

    assert names([tmp_path / name], tmp_path) == [name]


def test_what_is_given_twice_is_read_once(store, logs):
    outcomes = ingest(store, [logs, logs / "a.log", logs / "*.log"], "prod")

    assert [outcome.path.name for outcome in outcomes] == ["a.log", "b.log", "c.log", "d.log"]


@pytest.mark.parametrize("given", ["nowhere", "nowhere/*.log", "broken", "itself"])
def test_what_is_not_there_is_named(tmp_path, given):
    (tmp_path / "broken").symlink_to(tmp_path / "nothing")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")

    with pytest.raises(NoUsableInput, match=f"no such file or folder: .*{given[:6]}"):
        listed([tmp_path / given])


def test_an_empty_folder_is_no_usable_input(store, tmp_path):
    (tmp_path / "empty" / "deeper").mkdir(parents=True)

    with pytest.raises(NoUsableInput, match="no files found"):
        ingest(store, [tmp_path / "empty"], "prod")


# What cannot be read is named in the ledger, and the rest is read


def rejected(store: Store) -> dict[str, str]:
    rows = store.rows("select path, reason from rejected_lines join ingests using (ingest_id)")
    return {Path(row["path"]).name: row["reason"] for row in rows}


def forbid(monkeypatch, path: Path) -> None:
    """Make a path unreadable, even for root."""
    for owner, name in ((Path, "open"), (Path, "iterdir")):
        real = getattr(owner, name)

        def refusing(self, *args, real=real, **options):
            if self == path:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real(self, *args, **options)

        monkeypatch.setattr(owner, name, refusing)


def test_a_file_that_may_not_be_read_is_named(store, logs, monkeypatch):
    forbid(monkeypatch, logs / "b.log")

    outcomes = ingest(store, [logs], "prod")

    assert [outcome.reading.loaded for outcome in outcomes] == [2, 0, 2, 2]
    assert rejected(store) == {"b.log": "cannot be read: Permission denied"}


def test_a_folder_that_may_not_be_listed_is_named(store, logs, monkeypatch):
    forbid(monkeypatch, logs / "x" / "y")

    ingest(store, [logs], "prod")

    assert rejected(store) == {"y": UNLISTED}


def vanishing(monkeypatch, owner, function: str, path: Path) -> None:
    """Remove a file in the moment when this function is called."""
    real = getattr(owner, function)

    def remove_and_go_on(*given):
        path.unlink(missing_ok=True)
        return real(*given)

    monkeypatch.setattr(owner, function, remove_and_go_on)


@pytest.mark.parametrize(
    ("name", "owner", "function"),
    [
        ("b.log", finding, "_opened"),
        ("b.log", audit_log, "load"),
        ("x/c.json", prometheus_api, "load"),
    ],
    ids=["before the look", "before DuckDB reads it", "before Python reads it"],
)
def test_a_file_that_vanishes_is_named(store, logs, monkeypatch, name, owner, function):
    (logs / "x" / "c.json").write_text('{"status":"success","data":{"resultType":"matrix"}}')
    vanishing(monkeypatch, owner, function, logs / name)

    outcomes = ingest(store, [logs], "prod")

    assert rejected(store)[Path(name).name] == "cannot be read: No such file or directory"
    assert sum(outcome.reading.loaded for outcome in outcomes) == 2 * (4 - (name == "b.log"))


# Pipes


def ingested(command: str, folder: Path) -> tuple[int, int]:
    """Run a shell command that ingests; return its exit code and how many requests came of it."""
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True)
    assert b"Traceback" not in done.stderr
    with Store.open(folder / "incident.duckdb") as store:
        return done.returncode, store.value("select count(*) from requests")


@pytest.mark.parametrize(
    "command",
    [
        "tar c a.log | {kpm} ingest /dev/stdin b.log -d incident.duckdb",
        "{kpm} ingest - <(gzip -c b.log) -d incident.duckdb < a.log",
    ],
)
def test_a_pipe_is_read_like_a_file(tmp_path, command):
    log(tmp_path / "a.log")
    log(tmp_path / "b.log", 2)

    assert ingested(command.format(kpm=KPM), tmp_path) == (0, 2)


def test_an_empty_pipe_is_no_usable_input(store, monkeypatch, tmp_path):
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(NoUsableInput, match=r"- .*the file is empty"):
            ingest(store, ["-"], "prod")
