"""The recorded samples of one cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import polars as pl

from kubepostmortem.alerts.ends import with_ends
from kubepostmortem.alerts.series import NAME, Samples

SERIES = """
select series_id, metric, map_keys(labels) as names, map_values(labels) as texts,
    coalesce(format = 'Prometheus API answer', false) as of_query
from metric_series
left join ingests using (ingest_id)
where metric_series.cluster = $cluster and list_contains($metrics::varchar[], metric)
order by series_id
"""
SAMPLES = """
select series_id, epoch_ms(sampled_at) as at_ms, coalesce(value, 'nan') as value
from metric_samples
join metric_series using (series_id)
where cluster = $cluster and list_contains($metrics::varchar[], metric)
order by series_id, sampled_at
"""


class Asks(Protocol):
    """Runs statements, and keeps for each what it gives, in words."""

    def frame(self, shows: str, sql: str, **parameters: Any) -> pl.DataFrame:
        """Return the rows of a statement; parameters are bound by name."""


def recorded(asks: Asks, cluster: str, metrics: Sequence[str]) -> Samples:
    """Read the samples of these metrics; series of queries get marks where they end."""
    bound = {"cluster": cluster, "metrics": list(metrics)}
    series = asks.frame("series that alert rules read", SERIES, **bound)
    samples = asks.frame("their samples", SAMPLES, **bound)
    found = samples.group_by("series_id").len()
    counts = series.join(found, on="series_id", how="left", maintain_order="left")["len"]
    read = Samples(
        labels=[
            {NAME: metric, **dict(zip(names, texts, strict=True))}
            for metric, names, texts in series.select("metric", "names", "texts").iter_rows()
        ],
        at_ms=samples["at_ms"].to_numpy(),
        values=samples["value"].cast(pl.Float64).to_numpy(),
        begins=np.concatenate([[0], np.cumsum(counts.fill_null(0).to_numpy(), dtype=np.int64)]),
    )
    return with_ends(read, series["of_query"].to_numpy())
