"""A planted overload, a counter that tells the truth of it, and ways to lose some of the log."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from kubepostmortem.store import Store
from planted import Event, Storm, telemetry_storm
from planted_counters import request_counter, seconds

STORM = Storm(nodes=8, baseline_s=300, overload_s=240)
EVENTS = telemetry_storm(STORM)
COUNTER = request_counter(EVENTS)
REQUESTS = "apiserver_request_total"

Limits = dict[tuple[str, str], str]  # kind and subject: severity
Ingest = Callable[..., None]


def limits(store: Store) -> Limits:
    rows = store.rows("from evidence_limits")
    assert all(row["cluster"] == "prod" and row["says"] for row in rows)
    return {(row["limit_kind"], row["subject"]): row["severity"] for row in rows}


def says(store: Store, kind: str) -> str:
    return str(store.value("select says from evidence_limits where limit_kind = $kind", kind=kind))


def is_read(event: Event, *verbs: str) -> bool:
    return bool(event["verb"] in verbs and event.get("objectRef"))


def of(event: Event) -> str:
    return str((event.get("objectRef") or {}).get("resource", ""))


def sampled(events: Sequence[Event], share: float, since: float = 0.0) -> list[Event]:
    """Whole requests are kept or lost by chance, from a time on."""
    chance = random.Random(1)
    kept = {e["auditID"]: chance.random() < share for e in events}
    return [e for e in events if kept[e["auditID"]] or seconds(e) < since]


def silent(events: Sequence[Event], begins: float, ends: float) -> list[Event]:
    return [e for e in events if not begins <= seconds(e) < ends]
