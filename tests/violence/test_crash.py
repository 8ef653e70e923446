"""An ingest that is killed at any instant is completed by the next one, to the same content."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from child import DiesAt, finish, start
from kubepostmortem.sources import spool as spooling
from kubepostmortem.sources.spool import spool
from planted_folder import Content, content

KILLS = 30


def ingest(folder: Path, database: Path) -> list[str]:
    return ["ingest", str(folder), "-d", str(database)]


def test_killed_at_random_again_and_again(
    folder: Path, undisturbed: tuple[Content, float], tmp_path: Path
) -> None:
    expected, took = undisturbed
    seed = random.randrange(1 << 32)
    print(f"seed {seed}, one run takes {took:.1f} s")
    chance, kills, runs = random.Random(seed), 0, 0
    while kills < KILLS:
        runs += 1
        database = tmp_path / f"{runs}.duckdb"
        kills += _kills_until_done(ingest(folder, database), tmp_path / "said", chance, took)
        assert content(database) == expected


def _kills_until_done(words: list[str], said: Path, chance: random.Random, took: float) -> int:
    """Start a command again and again, kill it after a while, until one run gets through."""
    kills = 0
    while True:
        process = start(words, said)
        process.join(chance.uniform(0.2, 0.6) * took)  # a fifth is spent on imports
        if process.exitcode is None:
            process.kill()
            process.join()
        if process.exitcode == 0:
            return kills
        assert process.exitcode == -9, said.read_text()
        kills += 1


@pytest.mark.parametrize(
    "function",
    [
        "kubepostmortem.store.Store._inherit_comments",
        "kubepostmortem.store.Store._refuse_foreign",
        "kubepostmortem.ingest.record",
        "kubepostmortem.sources.audit_staging.merge",
        "kubepostmortem.ingest.derive",
        "kubepostmortem.store.Store.cost_windows",
        "kubepostmortem.store.Store.close",
    ],
)
def test_killed_where_it_hurts(
    function: str, folder: Path, undisturbed: tuple[Content, float], tmp_path: Path
) -> None:
    command, said = ingest(folder, tmp_path / "i.duckdb"), tmp_path / "said"
    assert finish(command, said, DiesAt(function)) == -9
    assert finish(command, said) == 0, said.read_text()
    assert content(tmp_path / "i.duckdb") == undisturbed[0]


def test_the_next_run_removes_what_a_killed_one_left(
    folder: Path, spools: Path, tmp_path: Path
) -> None:
    command, said = ingest(folder, tmp_path / "i.duckdb"), tmp_path / "said"
    spilled = tmp_path / "i.duckdb.tmp" / "duckdb_temp_1_0_storage_DEFAULT-0.tmp"
    spilled.parent.mkdir()
    spilled.write_bytes(b"x" * 1000)
    assert finish(command, said, DiesAt("kubepostmortem.sources.audit_staging.merge")) == -9
    left = list(spools.iterdir())
    assert left
    _age(*left)
    assert finish(command, said) == 0
    assert not list(spools.iterdir())
    assert not list(tmp_path.glob("*.wal")) + list(tmp_path.glob("*.tmp/*"))


def test_a_spool_in_use_and_a_new_one_are_left_alone(spools: Path) -> None:
    with spool() as used:
        _age(used.folder)
        new = spools / f"{spooling.PREFIX}new"
        new.mkdir()
        foreign = spools / "other"
        foreign.mkdir()
        _age(foreign)
        with spool():
            assert used.folder.exists() and new.exists() and foreign.exists()
    assert sorted(spools.iterdir()) == [new, foreign]


def _age(*folders: Path) -> None:
    for folder in folders:
        os.utime(folder, (0, 0))
