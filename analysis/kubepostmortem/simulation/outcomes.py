"""What a replay came to, by group of callers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from kubepostmortem.flowcontrol.reacting import Reacted
from kubepostmortem.flowcontrol.state import REASONS
from kubepostmortem.simulation.groups import caller_groups
from kubepostmortem.simulation.scenario import SECOND, Scenario

EPOCH = datetime(1970, 1, 1)  # UTC, as the store has all times


@dataclass(frozen=True)
class Span:
    """The calls that count: first tried from begins_ns on, before ends_ns; ns since 1970."""

    begins_ns: int
    ends_ns: int

    @classmethod
    def of(cls, begins_at: datetime, ends_at: datetime) -> Span:
        """Return the span between two times, UTC."""
        return cls(_ns(begins_at), _ns(ends_at))

    def holds(self, column: str) -> pl.Expr:
        """Say of which instants of a column, ns since 1970, the span holds."""
        return pl.col(column).is_between(self.begins_ns, self.ends_ns, closed="left")

    @property
    def iso(self) -> tuple[str, str]:
        """Both ends as ISO times, UTC."""
        return _iso(self.begins_ns), _iso(self.ends_ns)


def _iso(ns: int) -> str:
    return (EPOCH + timedelta(microseconds=ns // 1000)).isoformat()


def _ns(moment: datetime) -> int:
    return (moment.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1) * 1000


def outcomes(scenario: Scenario, reacted: Reacted) -> pl.DataFrame:
    """Return what became of each call that was made, a row each.

    Columns: caller_group, streams, at_ns (first try, ns since 1970), in_time, executed, service_s,
    waited_s, took_s, flow, and a count of refusals by reason.
    """
    first_ns = reacted.ended_ns - reacted.took_ns
    executed = reacted.answered | reacted.cut
    frame = scenario.calls.select("caller_group", "patience_s", "streams").with_columns(
        at_ns=pl.Series(first_ns + scenario.begins_ns),
        asked=pl.Series(reacted.asked),
        answered=pl.Series(reacted.answered),
        executed=pl.Series(executed),
        service_s=pl.Series(np.where(executed, reacted.ended_ns - reacted.started_ns, 0) / SECOND),
        waited_s=pl.Series(reacted.waited_ns / SECOND),
        took_s=pl.Series(reacted.took_ns / SECOND),
        flow=pl.Series(reacted.flow),
        **{reason: pl.Series(reacted.refused[:, n]) for n, reason in enumerate(REASONS)},
    )
    patience = pl.col("patience_s").fill_null(float("inf"))
    return frame.with_columns(in_time=pl.col("answered") & (pl.col("took_s") <= patience)).filter(
        "asked"
    )


def by_group(calls: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Sum up the calls of a span by group, in the order of reports.

    Columns: caller_group, requests, answered (share in time), refusals by reason, waited_p50_s,
    waited_p99_s, service_p50_s, service_p90_s (of executed ones), tries.
    """
    order = {group.name: place for place, group in enumerate(caller_groups())}
    served = pl.col("service_s").filter("executed")
    return (
        calls.filter(span.holds("at_ns"))
        .group_by("caller_group")
        .agg(
            requests=pl.len(),
            answered=pl.col("in_time").mean(),
            executed=pl.col("executed").sum(),
            waited_p50_s=pl.col("waited_s").median(),
            waited_p99_s=pl.col("waited_s").quantile(0.99),
            service_p50_s=served.median(),
            service_p90_s=served.quantile(0.9),
            **{reason: pl.col(reason).sum() for reason in REASONS},
        )
        .with_columns(tries=pl.col("executed") + pl.sum_horizontal(*REASONS))
        .sort(pl.col("caller_group").replace_strict(order, default=len(order)))
    )
