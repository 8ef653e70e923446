"""A writer has the database to itself, and ends in order when it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import BinaryIO

import pytest

from child import finish, start
from kubepostmortem.store import Store
from planted import lines, request, write_log

LOG = lines(request())


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Path:
    path = tmp_path / "incident.duckdb"
    path.write_bytes(empty.read_bytes())
    return path


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.fixture
def writer(database: Path, pipe: Path, tmp_path: Path) -> Iterator[ForkServerProcess]:
    """An ingest that goes on reading as long as the pipe is open."""
    process = start(["ingest", str(pipe), "-d", str(database)], tmp_path / "writer")
    yield process
    process.kill()
    process.join()


@pytest.fixture
def feed(writer: ForkServerProcess, pipe: Path, spools: Path) -> Iterator[BinaryIO]:
    """The other end of its pipe, when it has begun to read."""
    with pipe.open("wb", buffering=0) as feed:
        feed.write(LOG[0])
        while not list(spools.glob("*/*")) and writer.is_alive():
            time.sleep(0.05)
        yield feed


@pytest.mark.parametrize(
    "words", [["ingest", "{log}"], ["sql", "from ingests"], ["report"], ["ask", "who-grew"]]
)
def test_who_comes_second_is_told_so_at_once(
    words: list[str], database: Path, tmp_path: Path, writer: ForkServerProcess, feed: BinaryIO
) -> None:
    log, said = write_log(tmp_path / "audit.log", LOG), tmp_path / "said"
    command = [word.format(log=log) for word in words]
    assert finish([*command, "-d", str(database)], said) == 3
    (line,) = said.read_text().splitlines()
    assert f"{database} is in use by another process" in line
    feed.write(LOG[1])
    feed.close()
    writer.join()
    assert writer.exitcode == 0
    with Store.open(database) as store:
        assert store.value("select stages_seen from requests") == 1 | 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_told_to_end_leaves_only_whole_files(
    number: signal.Signals,
    database: Path,
    tmp_path: Path,
    spools: Path,
    writer: ForkServerProcess,
    feed: BinaryIO,
) -> None:
    assert writer.pid is not None
    os.kill(writer.pid, number)
    writer.join(20)
    assert writer.exitcode == -number  # which shells report as 130 and 143
    assert (tmp_path / "writer").read_text() == ""
    assert list(spools.iterdir()) == []
    with Store.open(database) as store:
        assert not store.has("requests") and not store.has("ingests")
    log = write_log(tmp_path / "audit.log", LOG)
    assert finish(["ingest", str(log), "-d", str(database)], tmp_path / "said") == 0
