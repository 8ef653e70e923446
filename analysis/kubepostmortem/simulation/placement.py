"""Where everybody fell: flow schema and priority level by component, and how they fared there."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.classified import KEYS, classified
from kubepostmortem.simulation.effective import Effective

WINDOWS = """
select time_window, begins_at, ends_at
from incident
where cluster = $cluster
order by time_window
"""
NO_WINDOW = (datetime.min.replace(year=1970), datetime.min.replace(year=1970))


def placements(asks: Asks, effective: Effective, cluster: str) -> pl.DataFrame:
    """Count requests of the two windows by component, flow schema and priority level.

    Columns: component, flow_schema, priority_level, origin ('API server log' or 'classified'),
    requests_baseline, requests_overload, refused_overload (answered 429), share_refused (of those
    of the overload; null without any). Where API Priority and Fairness was off, these are the
    flow schemas that would have matched. Most requests in the overload first.
    """
    windows = {
        name: (begins_at, ends_at)
        for name, begins_at, ends_at in asks.frame(
            "windows of the incident", WINDOWS, cluster=cluster
        ).iter_rows()
    }
    before, during = (
        classified(asks, effective.configuration, cluster, *windows.get(name, NO_WINDOW))
        for name in ("baseline", "overload")
    )
    return (
        pl.concat(
            [
                before.select(*KEYS, requests_baseline="requests"),
                during.select(*KEYS, requests_overload="requests", refused_overload="refused"),
            ],
            how="diagonal",
        )
        .group_by(KEYS)
        .agg(pl.sum("requests_baseline", "requests_overload", "refused_overload"))
        .with_columns(share_refused=_share("refused_overload", "requests_overload"))
        .sort("requests_overload", *KEYS, descending=[True, *[False] * len(KEYS)], nulls_last=True)
    )


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))
