from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.report import postmortem_page
from kubepostmortem.store import Store
from planted import OTEL, Storm, telemetry_storm, write_log

# What a client may write about itself: ends an attribute and a Vega expression, and is markup.
HOSTILE = "evil\"'\\<img onerror=window.hacked=1 src=x><svg onload=window.hacked=1>\\"
DEPLOYS = """time,service,namespace,version
2026-03-01T12:01:55Z,"<script>window.hacked=1</script>",telemetry,"1.0</script><b>"
2026-03-01T12:03:30Z,innocent,shop,2.0
"""


@pytest.fixture(scope="session", autouse=True)
def _no_date() -> Iterator[None]:
    """A build that sets the date must not put it on these pages."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("SOURCE_DATE_EPOCH", raising=False)
        yield


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE


@pytest.fixture(scope="session")
def overloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a small overload whose culprit and deploys carry hostile names."""
    folder = tmp_path_factory.mktemp("overloaded")
    culprit = replace(OTEL, agent=f"{HOSTILE}/1.0", every=2.0)
    storm = Storm(culprit, nodes=6, baseline_s=120, overload_s=120, waves=(0.0, 20.0))
    log = write_log(folder / "audit.log", [*telemetry_storm(storm), b"<b>not an event</b>\n"])
    deploys = folder / "deploys.csv"
    deploys.write_text(DEPLOYS)
    return _ingested(folder, [log, deploys])


@pytest.fixture(scope="session")
def only_deploys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that can answer nothing."""
    folder = tmp_path_factory.mktemp("deploys")
    deploys = folder / "deploys.csv"
    deploys.write_text(DEPLOYS)
    return _ingested(folder, [deploys])


@pytest.fixture(scope="session")
def page(overloaded: Path) -> Path:
    return postmortem_page(overloaded, overloaded.parent / "page" / "postmortem.html")


@pytest.fixture(scope="session")
def open_page(only_deploys: Path) -> Path:
    return postmortem_page(only_deploys, only_deploys.parent / "postmortem.html", title="Open")


def _ingested(folder: Path, files: list[Path]) -> Path:
    database = folder / "incident.duckdb"
    with Store.create(database) as store:
        ingest(store, files, "prod")
    return database
