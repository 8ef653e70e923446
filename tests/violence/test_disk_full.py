"""A full disk ends an ingest with a line that says so; with more room, the next completes it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from child import WritesAtMost, finish
from planted_folder import Content, content

Resize = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Resize]:
    """A disk of a size, which a second call changes."""
    place = tmp_path / "disk"
    place.mkdir()

    def resize(size: str) -> Path:
        how = f"size={size}" if not place.is_mount() else f"remount,size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", how, "tmpfs", place], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("only root may mount")
        return place

    yield resize
    subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)


def ingest(folder: Path, database: Path) -> list[str]:
    return ["ingest", str(folder), "-d", str(database)]


def says_that_it_is_full(said: Path, place: Path) -> None:
    (line,) = said.read_text().splitlines()
    assert "the disk is full" in line and str(place) in line


@pytest.mark.parametrize("size", ["16k", "600k"])
def test_of_the_database(
    size: str, disk: Resize, folder: Path, undisturbed: tuple[Content, float], tmp_path: Path
) -> None:
    database, said = disk(size) / "i.duckdb", tmp_path / "said"
    assert finish(ingest(folder, database), said) == 3, said.read_text()
    says_that_it_is_full(said, database)
    disk("100m")
    assert finish(ingest(folder, database), said) == 0, said.read_text()
    assert content(database) == undisturbed[0]


def test_of_the_spool(
    disk: Resize,
    folder: Path,
    undisturbed: tuple[Content, float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A member of an archive that found no room is not damaged."""
    database, said = tmp_path / "i.duckdb", tmp_path / "said"
    place = disk("16k")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    assert finish(ingest(folder, database), said) == 3
    says_that_it_is_full(said, place)
    assert not list(place.iterdir())
    disk("100m")
    assert finish(ingest(folder, database), said) == 0, said.read_text()
    assert content(database) == undisturbed[0]


@pytest.mark.parametrize("size", [100_000, 500_000])
def test_of_any_file(
    size: int, folder: Path, undisturbed: tuple[Content, float], tmp_path: Path
) -> None:
    database, said = tmp_path / "i.duckdb", tmp_path / "said"
    assert finish(ingest(folder, database), said, WritesAtMost(size)) == 3, said.read_text()
    says_that_it_is_full(said, tmp_path)
    assert finish(ingest(folder, database), said) == 0, said.read_text()
    assert content(database) == undisturbed[0]
