"""How groups of callers fared in the overload, by the audit log: requests, and those refused."""

from __future__ import annotations

import polars as pl

from kubepostmortem.questions.question import Inquiry, Table
from kubepostmortem.questions.words import listed, percent
from kubepostmortem.simulation.groups import CULPRIT, caller_groups
from kubepostmortem.simulation.load import GROUP, suspected
from kubepostmortem.simulation.replaying import Replayable

FEWEST = 10  # requests of a group, below which a share says little
HURT = 0.01  # share of the requests of a group that were refused
READS, WRITES = "read", "write"
NAMES = {"admins": "administrators", "others": "other clients"}

# A 429 of an eviction is a disruption budget's. In-flight limits do not count what stays open.
FARED = f"""
with asked as (
    select *, caller_group(username, user_groups, component, kind, verb, resource, subresource)
        as caller_group
    from overload_requests
    where cluster = $cluster and subresource is distinct from 'eviction'
        and (not is_long_running(verb, subresource) or $watches and verb = 'watch')
)
select
    {GROUP} as "group", verb_class(verb) as kind, count(*) as requests,
    count(*) filter (code = 429) as refused, count(*) filter (code >= 500) as failed
from asked
group by all
order by all
"""
EVICTIONS = """
select count(*) as refused
from overload_requests
where cluster = $cluster and subresource = 'eviction' and code = 429
"""


def fared(inquiry: Inquiry, one: Replayable) -> pl.DataFrame:
    """Count the requests of the overload: group, kind (read, write), requests, refused, failed.

    refused: answered 429; failed: 5xx. Watches count where API Priority and Fairness was on.
    """
    asked = {"cluster": one.cluster, "watches": one.known.apf, **suspected(one.suspect)}
    return inquiry.frame("requests refused, by group of callers", FARED, **asked)


def refused_evictions(inquiry: Inquiry, cluster: str) -> int:
    """Return how many evictions were answered 429, as a disruption budget makes it."""
    return int(inquiry.row("refused evictions", EVICTIONS, cluster=cluster)["refused"])


def by_group(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum up by group, in the order of reports, with refused_share and failed_share."""
    order = {group.name: place for place, group in enumerate(caller_groups())}
    place = pl.col("group").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    return _summed(rows, "group").sort(place, "group")


def by_kind(rows: pl.DataFrame) -> pl.DataFrame:
    """Sum up by kind: read requests, then writing ones."""
    return _summed(rows, "kind").sort("kind")


def share_refused(rows: pl.DataFrame) -> float:
    """Return the part of all requests that was refused."""
    requests = int(rows["requests"].sum())
    return int(rows["refused"].sum()) / requests if requests else 0.0


def hurt(groups: pl.DataFrame) -> list[tuple[str, float]]:
    """Return groups but the culprit that were refused, and the share, the largest one first."""
    enough = (pl.col("requests") >= FEWEST) & (pl.col("refused_share") >= HURT)
    found = groups.filter(enough & (pl.col("group") != CULPRIT))
    ordered = found.sort("refused_share", "group", descending=[True, False])
    return [
        (str(name), float(share)) for name, share in ordered.select("group", "refused_share").rows()
    ]


def whom_it_hurt(groups: pl.DataFrame, culprit: str) -> str:
    """Say in a sentence whose requests were refused."""
    refused, lost = int(groups["refused"].sum()), hurt(groups)
    if not refused:
        return "No request was refused."
    own = groups.filter(pl.col("group") == CULPRIT).to_dicts()
    if lost:
        shares = [(culprit, float(row["refused_share"])) for row in own]
        told = [f"{named(group)} {percent(share)}" for group, share in [*shares, *lost]]
        return f"{percent(share_refused(groups))} of all requests were refused: {listed(told, 6)}."
    theirs = sum(int(row["refused"]) for row in own)
    part = f"{percent(theirs / refused)} of them of {culprit}" if theirs else "a few of each group"
    return f"{refused:,} requests were refused, {part}; no other group lost 1% of its requests."


def named(group: str) -> str:
    """Name a group in a sentence."""
    return NAMES.get(group, group)


def groups_table(groups: pl.DataFrame) -> Table:
    """Tabulate how each group fared."""
    return Table("Who was refused in the overload (429), and who failed (5xx)", groups)


def _summed(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    summed = rows.group_by(by).agg(pl.sum("requests", "refused", "failed"))
    return summed.with_columns(
        refused_share=pl.col("refused") / pl.col("requests"),
        failed_share=pl.col("failed") / pl.col("requests"),
    )
