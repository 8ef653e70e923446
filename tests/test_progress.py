"""Progress in bytes of the inputs, also within one file, else in files; shown on terminals only."""

from __future__ import annotations

import gzip
import os
import pty
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
from planted import Storm, lines, request, telemetry_storm, write_log

Shown = list[tuple[int, int, bool, str]]

TEXT = b"".join(lines(telemetry_storm(Storm(nodes=2, baseline_s=30, overload_s=30))))


def shown(store: Store, *paths: Path) -> Shown:
    found: Shown = []
    ingest(store, paths, "prod", progress=lambda *told: found.append(told))
    return found


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = "kubepostmortem.sources"
    for module in ("audit_events", "audit_pieces"):
        monkeypatch.setattr(f"{sources}.{module}.PIECE_BYTES", len(TEXT) // 6)
    monkeypatch.setattr(f"{sources}.audit_pieces.BLOCK", 4000)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("packed", [False, True])
def test_it_goes_on_within_a_file(store: Store, tmp_path: Path, packed: bool) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(gzip.compress(TEXT) if packed else TEXT)
    size = log.stat().st_size
    told = shown(store, log)
    done = [one[0] for one in told]
    assert len(done) >= 4 and done[0] == 0 and done[-1] > size / 4
    assert all(a <= b <= size for a, b in pairwise(done))
    assert {one[1:] for one in told} == {(size, True, str(log))}


def test_files_that_were_read_before_are_done(store: Store, tmp_path: Path) -> None:
    old = write_log(tmp_path / "a.log", request())
    shown(store, old)
    new = write_log(tmp_path / "b.log", request("another"))
    sizes = old.stat().st_size, new.stat().st_size
    assert [one[0] for one in shown(store, old, new)] == [sizes[0], sum(sizes)]


def test_files_are_counted_where_a_size_is_unknown(store: Store, tmp_path: Path) -> None:
    log = write_log(tmp_path / "a.log", request())
    os.mkfifo(tmp_path / "pipe")
    feeder = subprocess.Popen(["cp", write_log(tmp_path / "b.log", [b"x\n"]), tmp_path / "pipe"])
    told = shown(store, log, tmp_path / "pipe")
    assert feeder.wait() == 0
    assert [one[:3] for one in told] == [(0, 2, False), (0, 2, False), (1, 2, False)]


def test_a_terminal_is_shown_bytes(tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", request())
    code = "from kubepostmortem.cli import main; main()"
    command = [sys.executable, "-c", code, "ingest", str(log), "-d", str(tmp_path / "i.duckdb")]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stderr=theirs) as running:
        os.close(theirs)
        seen = b""
        while piece := _more(ours):
            seen += piece
    os.close(ours)
    assert running.returncode == 0
    assert f"of {log.stat().st_size} bytes".encode() in seen


def _more(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # what a terminal says at its end
        return b""
