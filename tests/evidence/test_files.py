"""Limits that lie in the files: rejected, cut, capped, or of a format that tells little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import Read
from kubepostmortem.errors import NoUsableInput
from kubepostmortem.incident import Window
from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
from kubepostmortem.windows import set_window
from planted import at
from planted_evidence import (
    COUNTER,
    EVENTS,
    REQUESTS,
    Ingest,
    limits,
    of,
)


@pytest.mark.parametrize(
    ("junk", "severity"), [(0, None), (3, "info"), (200, "weakens"), (4000, "blinds")]
)
def test_rejected_records_weigh_by_their_share(
    store: Store, read: Read, junk: int, severity: str | None
) -> None:
    read([*EVENTS, *[b"junk\n"] * junk])
    assert limits(store).get(("rejected records", "audit.k8s.io/v1 lines")) == severity


def test_a_file_of_no_known_format_weakens_nothing(
    store: Store, plant: Ingest, tmp_path: Path
) -> None:
    plant(EVENTS, **{REQUESTS: COUNTER})
    (tmp_path / "README.md").write_text("# Evidence\n")
    with pytest.raises(NoUsableInput):
        ingest(store, [tmp_path / "README.md"], "prod")
    assert limits(store) == {("rejected records", "unknown"): "info"}


def ledger_row(store: Store, **values: Any) -> None:
    row = {"ingest_id": 90, "cluster": "prod", "path": "x", "bytes": 1, "modified_ns": 1}
    counts = {"lines": 10, "loaded": 10, "duplicates": 0, "filtered": 0, "rejected": 0}
    store.insert("ingests", [row | counts | values])


def test_an_export_that_hit_its_cap_is_a_limit(store: Store, plant: Ingest) -> None:
    plant(EVENTS, **{REQUESTS: COUNTER})
    ledger_row(store, format="EKS Logs Insights", lines=9999)
    assert limits(store) == {}
    ledger_row(store, ingest_id=91, format="EKS Logs Insights", lines=10000)
    assert limits(store) == {("capped export", "EKS Logs Insights"): "weakens"}


def test_lines_that_the_pipeline_cut_are_a_limit(store: Store, plant: Ingest) -> None:
    plant(EVENTS, **{REQUESTS: COUNTER})
    ledger_row(store, format="EKS CloudWatch", lines=100, loaded=95, rejected=5)
    cut = {"ingest_id": 90, "reason": "cut by CloudWatch: [Truncated...]", "excerpt": "{"}
    store.insert("rejected_lines", [cut] * 5)
    assert limits(store)["truncated lines", "EKS CloudWatch"] == "weakens"


def test_events_that_the_api_server_cut_are_a_limit(store: Store, plant: Ingest) -> None:
    cut = {"annotations": {"audit.k8s.io/truncated": "true"}}
    plant([e | cut if of(e) == "endpoints" else e for e in EVENTS], **{REQUESTS: COUNTER})
    assert limits(store) == {("truncated events", "requests"): "info"}


def test_a_format_without_durations_is_a_limit(store: Store, plant: Ingest) -> None:
    plant(EVENTS, **{REQUESTS: COUNTER})
    store.run("update ingests set format = 'GKE Cloud Logging' where format like 'audit%'")
    assert limits(store) == {("format without detail", "GKE Cloud Logging"): "weakens"}


def test_a_baseline_outside_of_the_log_is_a_limit(store: Store, plant: Ingest) -> None:
    plant(EVENTS, **{REQUESTS: COUNTER})
    set_window(store, "prod", "baseline", Window(at(-900), at(290)))
    assert limits(store) == {("window not covered", "baseline"): "weakens"}
