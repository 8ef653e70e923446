"""Times without a zone: rejected, with a hint what to do; read once the zone is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.ingest import ingest

PANEL = Path(__file__).parent / "data" / "formats" / "grafana_inspect.csv"


def test_a_file_is_read_again_once_its_zone_is_told(store):
    with pytest.raises(NoUsableInput, match="--assume-tz"):
        ingest(store, [PANEL], "prod")
    assert store.rows("select format, loaded, rejected_by_reason from ledger") == [
        {
            "format": "Grafana CSV",
            "loaded": 0,
            "rejected_by_reason": {"time without a zone": 2},
        }
    ]

    (told,) = ingest(store, [PANEL], "prod", assume_tz="Europe/Berlin")
    (again,) = ingest(store, [PANEL], "prod")

    assert (told.reading.loaded, told.skipped) == (2, False)
    assert store.value("select min(sampled_at)::varchar from metric_samples") == (
        "2024-12-11 21:53:00"
    )
    assert again.skipped
