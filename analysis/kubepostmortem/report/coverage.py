"""Evidence coverage, for the report: could this evidence have shown the cause?"""

from __future__ import annotations

from typing import Any

import polars as pl

from kubepostmortem.questions.question import Inquiry
from kubepostmortem.report import cells

BY_VERB = """
select cluster, verb, counted_requests, audited_requests, audited_share from coverage
order by cluster, counted_requests desc, verb
"""

BY_WINDOW = """
select time_window, counted_requests, audited_requests from coverage_by_window order by first_at
"""

VERDICTS = {
    "blinds": "This evidence may not show the cause: what matters could be missing from it.",
    "weakens": "This evidence could have shown the cause, but its limits make answers less sure.",
    "info": "Nothing was found that would keep this evidence from showing the cause.",
}


def values(inquiry: Inquiry) -> dict[str, Any]:
    """Return a verdict, the limits by how much they matter, and the share of requests by verb."""
    limits = inquiry.frame("limits of the evidence", "from evidence_limits")
    by_verb = inquiry.frame("the log against the API server's own counter", BY_VERB)
    by_window = inquiry.frame("the same within each window", BY_WINDOW)
    severities = {*limits["severity"], "info"}
    minor = limits["severity"] == "info"
    return {
        "verdict": next(says for severity, says in VERDICTS.items() if severity in severities),
        "grave": _named(limits.filter(~minor)),
        "minor": _named(limits.filter(minor)),
        "counted": float(by_verb["counted_requests"].sum()),
        "share": _share(by_verb),
        "windows": {
            window: _share(rows)
            for (window,), rows in by_window.group_by("time_window", maintain_order=True)
        },
        "grid": cells.grid("Requests counted and in the log, by verb", _telling(by_verb)),
    }


def _share(rows: pl.DataFrame) -> float:
    """Audited of counted; the log may well hold a few requests that no scrape counted."""
    counted = float(rows["counted_requests"].sum())
    return min(float(rows["audited_requests"].sum()) / counted, 1.0) if counted else 0.0


def _named(limits: pl.DataFrame) -> list[dict[str, Any]]:
    """Name the cluster of each limit where there are several."""
    several = limits["cluster"].n_unique() > 1
    return [
        {**row, "place": f"{row['cluster']}: " if several else ""}
        for row in limits.iter_rows(named=True)
    ]


def _telling(rows: pl.DataFrame) -> pl.DataFrame:
    return rows if rows["cluster"].n_unique() > 1 else rows.drop("cluster")
