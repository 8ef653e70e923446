"""From a database to the models that policies are tried with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.effective import Effective, effective
from kubepostmortem.simulation.load import MOST_CALLS, Load, Suspect, read_load
from kubepostmortem.simulation.models import Models, fitted
from kubepostmortem.simulation.outcomes import Span
from kubepostmortem.simulation.policies import Wish, tried
from kubepostmortem.simulation.recorded import lag_of_retries, recorded
from kubepostmortem.simulation.scenario import SECOND, scenarios

WARM_UP = timedelta(minutes=10)  # before the overload: borrowing remembers about that long
SHORT_WARM_UP = timedelta(minutes=1)  # where ten are more calls than a replay takes
MOST_TO_FIT = 400_000  # calls of the overload that the cores are fitted to

WINDOW = """
select
    begins_at, ends_at,
    (select count(*) from requests
        where requests.cluster = incident.cluster and received_at < begins_at
            and received_at >= begins_at - interval 10 minute) as before,
    exists (from incident as other
        where other.cluster = incident.cluster and other.time_window = 'baseline') as has_baseline
from incident
where cluster = $cluster and time_window = 'overload'
"""


@dataclass(frozen=True)
class Replayable:
    """A recorded overload that policies can be tried on.

    known: what was in force; load: its calls; suspect: whose calls the culprit's are.
    """

    cluster: str
    known: Effective
    load: Load
    suspect: Suspect | None
    models: Models
    begins_at: datetime
    ends_at: datetime
    has_baseline: bool

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What every simulation of this load assumes."""
        return (*_assumptions(self), *self.known.conflicts)


def replayable(asks: Asks, cluster: str, suspect: Suspect | None) -> Replayable:
    """Read the overload of a cluster and fit the models. Raises MissingEvidence."""
    window = asks.frame("the overload", WINDOW, cluster=cluster)
    if window.is_empty():
        raise MissingEvidence("incident", "no overload window in this cluster")
    begins_at, ends_at, before, has_baseline = window.row(0)
    known = effective(asks, cluster)
    warm_up = WARM_UP if before < MOST_CALLS // 2 else SHORT_WARM_UP
    load = read_load(asks, cluster, str(begins_at - warm_up), str(ends_at), suspect)
    span = Span.of(begins_at, load.until or ends_at)
    if load.calls.filter(pl.col("received_ns") >= span.begins_ns).is_empty():
        raise MissingEvidence("requests", "no requests in the overload")
    log_shows = recorded(asks, cluster, *span.iso, suspect)
    part, part_span = _to_fit(load, span)
    part_shows = log_shows if part is load else recorded(asks, cluster, *part_span.iso, suspect)
    lag_s = 0.0 if known.apf else lag_of_retries(asks, cluster, *span.iso)
    fit = fitted(scenarios(part, lag_s), part_span, part_shows, tried(Wish(), known))
    models = Models(scenarios(load, lag_s), span, log_shows, fit)
    return Replayable(cluster, known, load, suspect, models, begins_at, ends_at, has_baseline)


def _to_fit(load: Load, span: Span) -> tuple[Load, Span]:
    """Return the begin of the overload, if all of it takes too long to replay again and again."""
    overload = load.calls.filter(pl.col("received_ns") >= span.begins_ns)["received_ns"]
    if len(overload) <= MOST_TO_FIT:
        return load, span
    until_ns = int(overload[MOST_TO_FIT])
    near_ns = span.begins_ns - round(SHORT_WARM_UP.total_seconds()) * SECOND
    near = pl.col("received_ns").is_between(near_ns, until_ns, closed="left")
    return replace(load, calls=load.calls.filter(near)), Span(span.begins_ns, until_ns)


def _assumptions(one: Replayable) -> list[str]:
    known = [
        "Not modelled: memory, TLS, load balancers and etcd as stations of their own, webhooks,"
        " relists after reconnects, clients that cannot resolve names.",
        "Clients ask again up to 10 times after a 429, as late as Retry-After tells.",
        "Calls count as answered in time within 10 s for people and kubelets, 60 s for others.",
    ]
    periods = {scenario.period_s for scenario in one.models.scenarios if scenario.period_s}
    if periods:
        shown = " and ".join(f"{period:.0f} s" for period in sorted(periods))
        known.append(f"The culprit's clients ask every {shown}, once the round before has ended.")
    if len(one.models.scenarios) == 1:
        known.append("All requests went to one API server, or the log does not tell several apart.")
    if not one.has_baseline:
        known.append("There is no baseline: what calls cost in quiet times is taken from overload.")
    if not one.load.complete:
        known.append(f"Only the first {MOST_CALLS:,} calls of the span are replayed.")
    return known
