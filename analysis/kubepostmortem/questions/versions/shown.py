"""The chart and the tables of which-version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import polars as pl

from kubepostmortem.questions.question import Figure, Inquiry, Table
from kubepostmortem.questions.versions.cluster import Cluster
from kubepostmortem.questions.versions.programs import Program
from kubepostmortem.questions.versions.states import ORDER, State
from kubepostmortem.questions.words import listed
from kubepostmortem.releases import circumstances

CLIENTS = """
select
    component, client_name as client, version,
    uses_client_go, sum(clients)::bigint as clients, sum(requests)::bigint as requests,
    count(distinct cluster) as clusters,
    min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at
from client_versions
group by all
order by requests desc, component, client, version nulls last
limit $most
"""
SHOWN = 12  # rows of a table; the evidence holds all programs and features
MOST_CLIENTS = 200
TIMES = ("first seen", "first_at")  # of several clusters the first one


def clients(inquiry: Inquiry) -> pl.DataFrame:
    """Return the versions that clients name, those with most requests first."""
    return inquiry.frame("versions of all clients", CLIENTS, most=MOST_CLIENTS)


def figures(found: Sequence[Cluster]) -> list[Figure]:
    """Draw when each version of each program was seen."""
    rows = pl.DataFrame(
        [_span(cluster, program) for cluster in found for program in cluster.ran],
        schema_overrides={"first_seen_at": pl.Datetime("us"), "last_seen_at": pl.Datetime("us")},
        infer_schema_length=None,
    )
    if rows.is_empty() or rows["first_seen_at"].is_null().all():
        return []
    return [Figure("versions_over_time", _says(found), rows)]


def _span(cluster: Cluster, program: Program) -> dict[str, Any]:
    outside = {(one.component, one.version) for one in cluster.violations}
    return {
        "program": program.component,
        "version": program.version,
        "instances": program.instances,
        "first_seen_at": program.first_seen_at,
        "last_seen_at": program.last_seen_at,
        "too_far": (program.component, program.version) in outside,
    }


def _says(found: Sequence[Cluster]) -> str:
    outside = {one.component for cluster in found for one in cluster.violations}
    if outside:
        return f"Outside of the skew policy: {listed(sorted(outside))}"
    changed = {change["component"] for cluster in found for change in cluster.changes}
    if changed:
        return f"Versions changed: {listed(sorted(changed))}"
    return "No version of a program of Kubernetes changed"


def tables(found: Sequence[Cluster], called: pl.DataFrame) -> list[Table]:
    """Tabulate features, programs, skew, changes and clients; of several clusters, how many."""
    shown = [
        Table(
            "Features that protect an API server, and which of them were missed",
            _features(found),
        ),
        Table(
            "Programs of Kubernetes",
            _rows(found, lambda one: map(_program, one.ran), ("instances",)),
        ),
        Table(
            "Outside of the skew policy",
            _rows(found, lambda one: (v.facts for v in one.violations), ("instances",)),
        ),
        Table(
            "Upgrades and downgrades in the recording",
            _rows(found, lambda one: map(_change, one.changes), ("instances",)),
        ),
        Table("Versions that clients name", called.head(SHOWN)),
    ]
    return [table for table in shown if not table.rows.is_empty()]


def _features(found: Sequence[Cluster]) -> pl.DataFrame:
    rows = _rows(found, lambda one: map(_feature, one.states), ("times",), most=None)
    if rows.is_empty():
        return rows
    ranks = {here: rank for rank, here in enumerate(ORDER)}
    ranked = rows.sort(pl.col("here").replace_strict(ranks), maintain_order=True)
    happened = [_happened(row["times"], row["circumstance"]) for row in ranked.to_dicts()]
    shown = ranked.with_columns(pl.Series("times", happened))
    return shown.rename({"times": "what happened"}).drop("circumstance")


def _happened(times: int | None, circumstance: str | None) -> str:
    if times is None or circumstance is None:
        return ""
    return f"{times:,} {circumstances()[circumstance]}"


def _rows(
    found: Sequence[Cluster],
    rows: Callable[[Cluster], Iterable[dict[str, Any]]],
    added: Sequence[str],
    most: int | None = SHOWN,
) -> pl.DataFrame:
    """Tabulate rows of all clusters; equal ones but for numbers that are added up become one."""
    table = pl.DataFrame([row for one in found for row in rows(one)], infer_schema_length=None)
    if table.is_empty() or len(found) == 1:
        return table if most is None else table.head(most)
    keys = [name for name in table.columns if name not in (*added, *TIMES)]
    sums = [_sum(name) for name in added]
    times = [pl.col(name).min() for name in TIMES if name in table.columns]
    grouped = table.group_by(keys, maintain_order=True).agg(
        pl.len().alias("clusters"), *sums, *times
    )
    return grouped if most is None else grouped.head(most)


def _sum(name: str) -> pl.Expr:
    """Add up; nothing known stays nothing known."""
    column = pl.col(name)
    return pl.when(column.count() > 0).then(column.sum()).alias(name)


def _feature(state: State) -> dict[str, Any]:
    return {
        "feature": state.feature.name,
        "state": state.state,
        "why": state.why,
        "here": state.here,
        "times": state.times,
        "circumstance": state.feature.circumstance,
        "helps": state.feature.helps,
    }


def _program(program: Program) -> dict[str, Any]:
    return {
        "program": program.component,
        "version": program.version,
        "instances": program.instances,
        "commits": listed(list(program.commits)),
        "built": program.build_date,
        "go": program.go_version,
        "named by": listed(list(program.named_by)),
        "first seen": program.first_seen_at,
    }


def _change(change: dict[str, Any]) -> dict[str, Any]:
    names = ("component", "old_version", "new_version", "instances", "first_at")
    return {name: change[name] for name in names}
