from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import copyfile

import pytest

from kubepostmortem.ingest import Outcome, ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.store import Store
from planted import Event, write_log

SAMPLE = Path(__file__).parent.parent / "data" / "telemetry-rollout"

Read = Callable[..., Outcome]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what takes longest first: a file is run by one process, the last one alone."""
    items.sort(key=lambda item: "violence" not in item.nodeid)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds the model and no rows; a copy is made faster than a new one."""
    database = tmp_path_factory.mktemp("empty") / "incident.duckdb"
    Store.create(database).close()
    return database


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[Store]:
    with Store.create(Path(copyfile(empty, tmp_path / "incident.duckdb"))) as store:
        yield store


@pytest.fixture
def read(store: Store, tmp_path: Path) -> Read:
    """Write events to a file, ingest it, and return what became of it."""

    def write_and_read(
        events: Sequence[Event | bytes], name: str = "audit.log", *, packed: bool = False
    ) -> Outcome:
        (outcome,) = ingest(store, [write_log(tmp_path / name, events, packed=packed)], "prod")
        return outcome

    return write_and_read


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the recorded incident that comes with the tool."""
    database = tmp_path_factory.mktemp("recorded") / "incident.duckdb"
    with Store.create(database) as store:
        ingest(store, [SAMPLE], "telemetry-rollout")
    return database


@pytest.fixture(scope="module")
def postmortem(recorded: Path) -> Iterator[Postmortem]:
    opened = Postmortem.open(recorded)
    yield opened
    opened.store.close()
