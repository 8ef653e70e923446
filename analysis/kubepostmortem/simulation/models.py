"""How long requests would have taken under another policy: three models, none of them sure.

baseline: as in quiet times, whatever the load, which flatters. fitted: requests share as many
cores as reproduce the log. recorded: as in the log, where what it took beyond quiet times grows
and shrinks with the number of requests that execute, as in the fitted model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from kubepostmortem.flowcontrol.reacting import react
from kubepostmortem.flowcontrol.state import Ints
from kubepostmortem.simulation.fitting import Fit, fit
from kubepostmortem.simulation.outcomes import Span, by_group, outcomes
from kubepostmortem.simulation.policies import Tried
from kubepostmortem.simulation.recorded import Recorded
from kubepostmortem.simulation.scenario import INTERVAL, SECOND, Scenario

BASELINE, FITTED, RECORDED = "baseline", "fitted", "recorded"
MOST_CHANGE = 10.0  # times as many requests executing as recorded, and back


@dataclass(frozen=True)
class Models:
    """Scenarios of all API servers of a cluster, what the log shows of them, and the fit."""

    scenarios: list[Scenario]
    span: Span
    log_shows: Recorded
    fit: Fit

    def replayed(self, what: Tried) -> dict[str, pl.DataFrame]:
        """Replay a policy; return outcomes, a row for each call, by model.

        The fitted model is replayed with the fewest and the most cores that do about as well, too.
        """
        cores = {
            FITTED: self.fit.cores,
            f"{FITTED}, {self.fit.fewest_cores:.2g} cores": self.fit.fewest_cores,
            f"{FITTED}, {self.fit.most_cores:.2g} cores": self.fit.most_cores,
        }
        # Often two of the three are the same.
        by_cores = {number: self._all(what, cores=number) for number in set(cores.values())}
        shared = {name: by_cores[number] for name, number in cores.items()}
        # What the log shows is of the span alone, where it cuts an interval in two, too.
        within = shared[FITTED].filter(self.span.holds("at_ns"))
        slowed = _slowed(self.scenarios, within, self.log_shows)
        return {
            **shared,
            BASELINE: self._all(what),
            RECORDED: self._all(what, slowed),
        }

    def _all(
        self, what: Tried, service: list[Ints] | None = None, cores: float = 0.0
    ) -> pl.DataFrame:
        times = service or [one.base_ns for one in self.scenarios]
        return replay_all(self.scenarios, what, times, cores)


def replay_all(
    scenarios: list[Scenario], what: Tried, service: list[Ints], cores: float
) -> pl.DataFrame:
    """Replay each API server by itself; return the outcomes of all."""
    each = []
    for scenario, service_ns in zip(scenarios, service, strict=True):
        offered = scenario.offered(service_ns)
        reacted = react(offered, what.server, what.policy, scenario.behaviour, cores)
        each.append(outcomes(scenario, reacted))
    return pl.concat(each)


def fitted(scenarios: list[Scenario], span: Span, log_shows: Recorded, actual: Tried) -> Fit:
    """Fit the cores to the policy that was in force."""
    base = [one.base_ns for one in scenarios]

    def replayed(cores: float) -> pl.DataFrame:
        calls = replay_all(scenarios, actual, base, cores).filter(~pl.col("streams"))
        return by_group(calls, span)

    return fit(replayed, log_shows)


def _slowed(scenarios: list[Scenario], fitted: pl.DataFrame, log_shows: Recorded) -> list[Ints]:
    """Return service times as recorded, for as many requests executing as in the fitted model."""
    change = _change(fitted, log_shows)
    times = []
    for scenario in scenarios:
        at = scenario.calls.select(interval_ns=pl.col("received_ns") // INTERVAL * INTERVAL)
        told = at.join(change, on="interval_ns", how="left", maintain_order="left")
        factor = told["factor"].fill_null(1.0).to_numpy()
        beyond = np.maximum(0, scenario.recorded_ns - scenario.base_ns)
        times.append((scenario.base_ns + beyond * factor).astype(np.int64))
    return times


def _change(fitted: pl.DataFrame, log_shows: Recorded) -> pl.DataFrame:
    """How many requests execute in the model, per recorded one, in each interval."""
    simulated = (
        fitted.filter(~pl.col("streams"))
        .group_by(interval_ns=pl.col("at_ns") // INTERVAL * INTERVAL)
        .agg(simulated=pl.col("service_s").sum() / (INTERVAL / SECOND))
    )
    both = log_shows.executing.join(simulated, on="interval_ns", how="left")
    factor = pl.col("simulated").fill_null(0.0) / pl.col("executing")
    return both.filter(pl.col("executing") > 0).select(
        "interval_ns", factor=factor.clip(0.0, MOST_CHANGE)
    )
