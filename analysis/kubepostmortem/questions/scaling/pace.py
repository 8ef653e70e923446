"""What clients would ask if each were answered at once: by their period where they poll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Any

from kubepostmortem.simulation.polls import FEWEST, MOST_SPREAD

# The standard error of a median of n from its quartiles, times the root of n: 1.2533 standard
# deviations, of which the quartiles of a normal distribution are 1.349 apart.
OF_MEDIAN = 1.2533 / 1.349
KIND = ("component", "verb", "resource", "subresource", "scope")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """Seconds between two rounds of one client, with the relative standard error; and where."""

    seconds: float
    error: float
    rounds: int
    cluster: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of call: what its clients would ask per second, and what one call costs.

    error: relative standard error of rate; cost_s, cost_error: seconds of a request in quiet times
    and their relative standard error; objects: that a request goes through; seats: of a request.
    """

    rate: float
    error: float
    period: Period | None
    cost_s: float
    cost_error: float
    objects: float
    seats: float


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of one cluster's clients; rates are per second, errors are relative standard errors.

    offered: requests that they would ask; first_tries: requests of the log that do not repeat a
    refused or failed one; refused_share: requests answered 429; period_s: of a client, of the kind
    of call that tells it best (None: no clock is seen, offered is first_tries); period_from: the
    clusters whose answers were prompt enough to tell it; objects_read: objects that the offered
    requests go through; demand, quiet_seats: requests executing and seats that they would hold at
    the cost of quiet times; seats_known: whether the numbers of objects are known that seats follow
    from; lists: part of the offered requests that list a resource of all namespaces.
    """

    offered: float
    offered_error: float
    first_tries: float
    refused_share: float
    period_s: float | None
    period_from: tuple[str, ...]
    objects_read: float
    demand: float
    demand_error: float
    quiet_seats: float
    seats_known: bool
    lists: float


def paced(kinds: Sequence[Row], there: Mapping[str, Row]) -> dict[str, Pace]:
    """Return the pace by cluster; kinds: rows of recorded.cells, there: of presence, by cluster."""
    periods = [period for row in kinds if (period := _period(row))]
    best = {tuple(row[part] for part in KIND): _best(row, kinds) for row in kinds}
    by_cluster: dict[str, list[Row]] = {}
    for row in kinds:
        by_cluster.setdefault(row["cluster"], []).append(row)
    shared = max(periods, key=lambda one: one.rounds, default=None)
    return {
        cluster: _pace(rows, there[cluster], best, shared)
        for cluster, rows in by_cluster.items()
        if cluster in there and there[cluster]["plateau_s"]
    }


def _pace(
    rows: Sequence[Row],
    there: Row,
    best: Mapping[tuple[Any, ...], Period | None],
    shared: Period | None,
) -> Pace:
    every = [_asked(r, there, best[tuple(r[part] for part in KIND)] or shared) for r in rows]
    offered = sum(one.rate for one in every)
    demand = sum(one.rate * one.cost_s for one in every)
    requests = sum(row["requests"] for row in rows)
    clocks = [one.period for one in every if one.period]
    return Pace(
        offered=offered,
        offered_error=_error([(one.rate, one.error) for one in every]),
        first_tries=sum(row["first_tries"] for row in rows) / there["plateau_s"],
        refused_share=sum(row["refused"] for row in rows) / requests if requests else 0.0,
        period_s=max(clocks, key=lambda one: one.rounds).seconds if clocks else None,
        period_from=tuple(sorted({one.cluster for one in clocks})),
        objects_read=sum(one.rate * one.objects for one in every),
        demand=demand,
        demand_error=_error(
            [(one.rate * one.cost_s, hypot(one.error, one.cost_error)) for one in every]
        ),
        quiet_seats=sum(one.rate * one.cost_s * one.seats for one in every),
        seats_known=all(row["seats_known"] for row in rows),
        lists=_lists(rows, every, offered),
    )


def _lists(rows: Sequence[Row], every: Sequence[Asked], offered: float) -> float:
    wide = [
        one.rate
        for row, one in zip(rows, every, strict=True)
        if row["verb"] == "list" and row["scope"] == "cluster"
    ]
    return sum(wide) / offered if offered else 0.0


def _asked(row: Row, there: Row, lent: Period | None) -> Asked:
    period = _period(row) or (lent if _could_be(row, lent) else None)
    # Of clients that come and go, as many ask as are there at a time.
    clients = row["clients"] * min(1.0, there["present"] / there["clients"])
    rate = clients / period.seconds if period else row["first_tries"] / there["plateau_s"]
    cost_ms = row["unit_cost_ms"] or 0.0
    return Asked(
        rate=rate,
        error=period.error if period else 1 / sqrt(max(1, row["first_tries"])),  # Poisson
        period=period,
        cost_s=cost_ms / 1e3,
        cost_error=(row["cost_error_ms"] or 0.0) / cost_ms if cost_ms else 0.0,
        objects=row["objects_read"] or 0.0,
        seats=row["seats"],
    )


def _period(row: Row) -> Period | None:
    """Return the period that the rounds of a kind of call establish, as simulation.polls does."""
    if row["rounds"] < FEWEST or row["gap_p75_s"] - row["gap_p25_s"] > MOST_SPREAD * row["gap_s"]:
        return None
    spread = (row["gap_p75_s"] - row["gap_p25_s"]) / row["gap_s"]
    error = OF_MEDIAN * spread / sqrt(row["rounds"])
    return Period(row["gap_s"], error, row["rounds"], row["cluster"])


def _best(like: Row, kinds: Sequence[Row]) -> Period | None:
    """Return the best known period of this kind of call in any cluster."""
    alike = [row for row in kinds if all(row[part] == like[part] for part in KIND)]
    periods = [period for row in alike if (period := _period(row))]
    return max(periods, key=lambda one: one.rounds, default=None)


def _could_be(row: Row, period: Period | None) -> bool:
    """Tell whether the few prompt rounds of a kind, if any, do not contradict a period."""
    if period is None or row["rounds"] >= FEWEST:
        return False
    return not row["rounds"] or abs(row["gap_s"] - period.seconds) <= MOST_SPREAD * period.seconds


def _error(parts: Sequence[tuple[float, float]]) -> float:
    """Return the relative error of a sum of independent parts, (value, relative error) each."""
    whole = sum(value for value, _ in parts)
    return hypot(*(value * error for value, error in parts)) / whole if whole > 0 else 0.0
