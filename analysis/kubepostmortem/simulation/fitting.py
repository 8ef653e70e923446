"""How many cores the API server had in effect, as far as a replay can tell.

The policy that was in force is replayed on a processor that requests share, with the work that
they take in quiet times; the cores that reproduce the log best are taken, and their error is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log

import polars as pl

from kubepostmortem.flowcontrol.state import REASONS
from kubepostmortem.simulation.groups import CULPRIT
from kubepostmortem.simulation.recorded import Recorded

MOST_SHED = 10.0  # percentage points of tries refused: beyond, there is no verdict
MOST_ANSWERED = 10.0  # percentage points of calls answered, of any group but the culprit, likewise
FEWEST = 20  # calls of a group that count
GRID = tuple(2.0 ** (step / 2) for step in range(-4, 13))  # cores: 0.25 to 64
TELLING = (  # groups of which both have service times enough
    (pl.col("executed") >= FEWEST)
    & (pl.col("answered_log") >= FEWEST)
    & pl.col("p50_ms").is_not_null()
)
# Then nearer and nearer to the best so far, in powers of 2: near its capacity a server soon refuses
# many.
FINER = ((-3 / 8, -1 / 4, -1 / 8, 1 / 8, 1 / 4, 3 / 8), (-1 / 16, 1 / 16), (-1 / 32, 1 / 32))
ABOUT_AS_GOOD = 1.15  # times the least loss
SLACK = 0.02


@dataclass(frozen=True)
class Fit:
    """The fitted cores, between which others do about as well, and how far off the replay is.

    shed_points: percentage points between the shares of tries refused, replayed and recorded;
    answered_points: the same of calls answered, of the group that is farthest off; latency_factor:
    by which p50 and p90 of service times are off, the median over all groups.
    """

    cores: float
    fewest_cores: float
    most_cores: float
    shed_points: float
    answered_points: float
    latency_factor: float

    @property
    def holds(self) -> bool:
        """Whether the replay is close enough to the log for a verdict on who is answered."""
        return self.shed_points <= MOST_SHED and self.answered_points <= MOST_ANSWERED


@dataclass(frozen=True)
class Error:
    """How far a replay is off the log; ratios: log of simulated by recorded service times.

    shed, answered: simulated less recorded share, of tries refused, and of calls answered by group.
    """

    ratios: tuple[float, ...]
    shed: float
    answered: tuple[float, ...]

    @property
    def loss(self) -> float:
        """What the fit makes least: 10 points of refusals weigh as much as a factor of 1.35."""
        mean = sum(abs(ratio) for ratio in self.ratios) / max(1, len(self.ratios))
        return mean + 3 * abs(self.shed)


def fit(replayed: Callable[[float], pl.DataFrame], log_shows: Recorded) -> Fit:
    """Fit the cores; replayed: outcomes by group of a replay with so many."""
    errors = {cores: error_of(replayed(cores), log_shows) for cores in GRID}
    for steps in FINER:
        near = _least(errors)
        for step in steps:
            cores = near * 2.0**step
            errors[cores] = error_of(replayed(cores), log_shows)
    best = _least(errors)
    good = [c for c, e in errors.items() if e.loss <= errors[best].loss * ABOUT_AS_GOOD + SLACK]
    factors = sorted(exp(abs(ratio)) for ratio in errors[best].ratios)
    return Fit(
        cores=best,
        fewest_cores=min(good),
        most_cores=max(good),
        shed_points=100 * abs(errors[best].shed),
        answered_points=100 * max((abs(off) for off in errors[best].answered), default=0.0),
        latency_factor=factors[len(factors) // 2] if factors else 1.0,
    )


def error_of(simulated: pl.DataFrame, log_shows: Recorded) -> Error:
    """Compare a replay, outcomes by group, with the log."""
    both = simulated.join(log_shows.by_group, on="caller_group", suffix="_log")
    ratios = [
        log(max(row[f"service_{q}_s"], 1e-4) / max(row[f"{q}_ms"] / 1e3, 1e-4))
        for row in both.filter(TELLING).iter_rows(named=True)
        for q in ("p50", "p90")
    ]
    answered = [
        row["answered"] - min(1.0, row["answered_log"] / row["calls"])
        for row in both.filter(pl.col("calls") >= FEWEST).iter_rows(named=True)
        if row["caller_group"] != CULPRIT
    ]
    refused = sum(int(simulated[reason].sum()) for reason in REASONS)
    tries = int(simulated["tries"].sum())
    shed = (refused / tries if tries else 0.0) - log_shows.refused_share
    return Error(tuple(ratios), shed, tuple(answered))


def _least(errors: dict[float, Error]) -> float:
    # Where more cores make no difference, as many as make none: the server was not congested.
    return min(errors, key=lambda cores: (round(errors[cores].loss, 3), -cores))
