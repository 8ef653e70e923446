from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.replaying import Replayable, replayable
from kubepostmortem.store import Store
from planted import write_log
from simulation.planted_storm import SUSPECT, set_up, storm


@pytest.fixture(scope="session")
def stormy(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A database that holds the planted storm; nothing writes to it."""
    folder = tmp_path_factory.mktemp("storm")
    with Store.create(Path(copyfile(empty, folder / "incident.duckdb"))) as store:
        set_up(store)
        ingest(store, [write_log(folder / "audit.log", storm())], "prod")
        yield store


@pytest.fixture(scope="session")
def replay_of_storm(stormy: Store) -> Replayable:
    """The planted storm, ready to be tried under policies."""
    return replayable(Inquiry(stormy), "prod", SUSPECT)
