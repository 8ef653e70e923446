"""Windows as a user sets them, planted to the second: no whole intervals are made of them."""

from __future__ import annotations

from kubepostmortem.store import Store
from planted import at

Span = tuple[float, float]  # seconds since planted logs begin


def plant_windows(
    store: Store,
    baseline: Span,
    overload: Span,
    clusters: tuple[str, ...] = ("prod",),
    *,
    others_stay: bool = False,
) -> None:
    """Give these clusters both windows; others_stay: those of other clusters are kept."""
    gone = "delete from incident where not $others_stay or list_contains($clusters, cluster)"
    store.run(gone, others_stay=others_stay, clusters=list(clusters))
    spans = {"baseline": baseline, "overload": overload}
    rows = [
        {
            "cluster": cluster,
            "time_window": name,
            "begins_at": at(begins),
            "ends_at": at(ends),
            "chosen_by": "user",
            "reason": "planted",
        }
        for cluster in clusters
        for name, (begins, ends) in spans.items()
    ]
    store.insert("incident", rows)
