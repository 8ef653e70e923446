from __future__ import annotations

import time
from multiprocessing import forkserver
from pathlib import Path

import pytest

from child import finish
from planted_folder import Content, content, evidence


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evidence(tmp_path_factory.mktemp("given") / "evidence")


@pytest.fixture(scope="session")
def undisturbed(folder: Path) -> tuple[Content, float]:
    """What one run makes of the folder, and the seconds that it takes."""
    database, said = folder.parent / "i.duckdb", folder.parent / "said"
    begin = time.monotonic()
    assert finish(["ingest", str(folder), "-d", str(database)], said) == 0, said.read_text()
    took = time.monotonic() - begin
    found = content(database)
    assert all(found[table] for table in ("requests", "metric_samples", "deploys", "workloads"))
    return found, took


@pytest.fixture(scope="session")
def server() -> None:
    """What forks the children has a folder in TMPDIR too; it is made before TMPDIR changes."""
    forkserver.ensure_running()


@pytest.fixture(autouse=True)
def spools(server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TMPDIR of the test's own, which the children see too."""
    place = tmp_path / "spools"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place
