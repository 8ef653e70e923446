from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
from planted import Event, write_log
from planted_counters import Series, write_query_range
from planted_evidence import Ingest


@pytest.fixture
def plant(store: Store, tmp_path: Path) -> Ingest:
    """Ingest a log, and counters by metric."""

    def ingest_both(events: Sequence[Event | bytes], **counters: Series) -> None:
        files = [write_log(tmp_path / "audit.log", events)] if events else []
        files += [
            write_query_range(tmp_path / f"{metric}.json", metric, series)
            for metric, series in counters.items()
        ]
        ingest(store, files, "prod")

    return ingest_both
