from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from kubepostmortem.ingest import Outcome, ingest
from kubepostmortem.model import TABLES
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Source, Target
from kubepostmortem.store import Store

DATA = Path(__file__).parent.parent / "data"

Look = Callable[..., InputFile]
Load = Callable[[Source, InputFile], Reading]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Write a file and look at it, as ingest does."""

    def write(content: str | bytes, name: str = "given", *, packed: bool = False) -> InputFile:
        data = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if packed else data)
        return InputFile.look(path)

    return write


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.create(tmp_path_factory.mktemp("store") / "incident.duckdb") as store:
        yield store


@pytest.fixture
def store(database: Store) -> Iterator[Store]:
    """A store without rows; building one anew for every test would take most of the time."""
    yield database
    for table in TABLES:
        database.run(f'delete from "{table}"')


@pytest.fixture
def target(store: Store) -> Target:
    return Target(store, "prod")


@pytest.fixture
def load(target: Target) -> Load:
    """Load one file as ingest does, in a transaction and under the next number."""
    numbers = count(1)

    def load_one(source: Source, file: InputFile) -> Reading:
        with target.store.transaction():
            (reading,) = source.load([Numbered(next(numbers), file)], target)
        rejected = sum(reading.rejected.values())
        assert reading.lines == reading.loaded + reading.duplicates + reading.filtered + rejected
        return reading

    return load_one


@pytest.fixture
def recorded() -> Callable[[str], InputFile]:
    """Look at an excerpt of what a real cluster gave."""
    return lambda name: InputFile.look(DATA / name)


@pytest.fixture
def give(store: Store, tmp_path: Path) -> Callable[..., Outcome]:
    """Ingest a text under a name, and return what became of it."""

    def write_and_read(text: str | bytes, name: str = "given", cluster: str = "prod") -> Outcome:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        (outcome,) = ingest(store, [path], cluster)
        return outcome

    return write_and_read
