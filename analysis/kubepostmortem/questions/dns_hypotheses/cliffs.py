"""Falls of the share of lookups that caches or resolvers still answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.questions.dns_hypotheses.cliff import Bin, Cliff, fit
from kubepostmortem.questions.dns_hypotheses.facts import Facts
from kubepostmortem.questions.question import Inquiry

HITS, ANSWERS, CODES = "cache hits", "lookups answered", "answers without SERVFAIL"
PROBE_BIN_S = 5
NAMED_TTLS = {
    5: "the TTL of CoreDNS's kubernetes plugin",
    30: "the TTL that kubeadm and node-local caches set",
    300: "a TTL of five minutes",
    3600: "the longest that CoreDNS caches an answer if not told otherwise",
}

# A server that is down counts nothing, so shares are of what is counted.
SHARES = f"""
with windows as (
    select cluster, min(begins_at) as begins_at, max(ends_at) as ends_at
    from incident group by cluster
),
counted as (
    select
        cluster, server, is_node_cache, since_at, sampled_at,
        sum(gained) filter (counted = 'cache hits') as hits,
        sum(gained) filter (counted = 'cache lookups') as asked,
        sum(gained) filter (counted = 'cache misses') as missed,
        sum(gained) filter (counted = 'SERVFAIL answers') as servfails,
        sum(gained) filter (counted = 'other answers') as others
    from dns_counters
    group by all
),
shares as (
    select cluster, server, is_node_cache, '{HITS}' as share, since_at as began_at,
        sampled_at as ended_at, hits as valid,
        coalesce(asked, hits + coalesce(missed, 0)) as lookups
    from counted where hits is not null
    union all by name
    select cluster, server, is_node_cache, '{CODES}' as share, since_at as began_at,
        sampled_at as ended_at, coalesce(others, 0) + coalesce(servfails, 0) as lookups,
        coalesce(others, 0) as valid
    from counted where others is not null or servfails is not null
    union all by name
    select cluster, server, false as is_node_cache, '{ANSWERS}' as share,
        time_bucket(to_seconds({PROBE_BIN_S}), probed_at) as began_at,
        began_at + to_seconds({PROBE_BIN_S}) as ended_at,
        count(*) as lookups, count(*) filter (not failed) as valid
    from dns_lookups group by all
)
select shares.*
from shares
join windows on windows.cluster = shares.cluster
    and began_at >= windows.begins_at and began_at < windows.ends_at
order by shares.cluster, share, is_node_cache, server, began_at
"""


@dataclass(frozen=True)
class Fitted:
    """A fitted fall of one share; server is None where it is over all servers of the cluster.

    before_per_s, after_per_s: lookups per second before and after the fall began.
    """

    share: str
    server: str | None
    is_node_cache: bool
    zero: datetime
    cliff: Cliff
    before_per_s: float | None = None
    after_per_s: float | None = None

    @property
    def began_at(self) -> datetime | None:
        """When the fall began."""
        return self._moment(self.cliff.begins_s)

    @property
    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """Between which times it began (95 %)."""
        return self._moment(self.cliff.begins_low_s), self._moment(self.cliff.begins_high_s)

    @property
    def named_ttls(self) -> list[str]:
        """Usual times to live that lie within the interval."""
        low, high = self.cliff.ttl_low_s, self.cliff.ttl_high_s
        if low is None:
            return []
        fits = [t for t in NAMED_TTLS if low <= t and (high is None or t <= high)]
        return [f"{t} s, {NAMED_TTLS[t]}" for t in fits]

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        low, high = self.bounds
        return asdict(self.cliff) | {
            "share": self.share,
            "server": self.server,
            "is_node_cache": self.is_node_cache,
            "began_at": _iso(self.began_at),
            "began_low_at": _iso(low),
            "began_high_at": _iso(high),
            "lookups_per_s_before": self.before_per_s,
            "lookups_per_s_after": self.after_per_s,
            "usual_ttls": self.named_ttls,
        }

    def _moment(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self.zero + timedelta(seconds=round(seconds, 3))


def shares(inquiry: Inquiry) -> pl.DataFrame:
    """Look up lookups and how many were valid, by cluster, share, server and step of time."""
    return inquiry.frame("shares of lookups that were still answered", SHARES)


def fitted(rows: pl.DataFrame, one: Facts) -> list[Fitted]:
    """Fit each share of a cluster; of node caches each one alone, of other servers all together."""
    mine = rows.filter(pl.col("cluster") == one.cluster, pl.col("began_at") < one.ends_at)
    found = [
        _fitted(part, str(share), None, False)
        for (share,), part in mine.filter(~pl.col("is_node_cache")).group_by(
            "share", maintain_order=True
        )
    ]
    caches = mine.filter("is_node_cache", share=HITS)
    found += [
        _fitted(part, HITS, str(server), True)
        for (server,), part in caches.group_by("server", maintain_order=True)
    ]
    return found


def first_fall(found: Sequence[Fitted]) -> Fitted | None:
    """Return the cluster's cliff, of caches rather than of what followed; None: there is none."""
    order = {HITS: 0, ANSWERS: 1, CODES: 2}
    cliffs = [f for f in found if f.cliff.shape == "cliff" and not f.is_node_cache]
    return min(cliffs, key=lambda f: order[f.share], default=None)


def _fitted(rows: pl.DataFrame, share: str, server: str | None, is_node_cache: bool) -> Fitted:
    zero = rows.select(pl.col("began_at").min()).item()
    bins = _bins(rows, zero)
    cliff = fit(bins)
    before, after = _paces(bins, cliff.begins_s)
    return Fitted(share, server, is_node_cache, zero, cliff, before, after)


def _bins(rows: pl.DataFrame, zero: datetime) -> list[Bin]:
    """Add up servers: they are scraped at different moments, so into steps of the widest scrape."""
    span = pl.col("ended_at") - pl.col("began_at")
    width = max(round(float(rows.select(_seconds(span).median()).item()), 3), 1.0)
    steps = (
        rows.with_columns(
            step=(_seconds(pl.col("began_at") - zero) + _seconds(span) / 2).floordiv(width),
            skipped=_seconds(span) > 3 * width,
        )
        .filter(~pl.col("skipped"))
        .group_by("step")
        .agg(pl.col("lookups", "valid").sum())
        .sort("step")
    )
    return [
        Bin(row["step"] * width, (row["step"] + 1) * width, row["lookups"], row["valid"])
        for row in steps.to_dicts()
    ]


def _seconds(span: pl.Expr) -> pl.Expr:
    return span.dt.total_milliseconds() / 1000


def _paces(bins: Sequence[Bin], begins_s: float | None) -> tuple[float | None, float | None]:
    if begins_s is None:
        return None, None
    early = [one for one in bins if one.ends_s <= begins_s]
    late = [one for one in bins if one.begins_s >= begins_s]
    return _pace(early), _pace(late)


def _pace(bins: Sequence[Bin]) -> float | None:
    span = sum(one.ends_s - one.begins_s for one in bins)
    return sum(one.lookups for one in bins) / span if span else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
