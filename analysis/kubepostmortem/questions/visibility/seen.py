"""What is known of one cluster: windows, impact, waves, and its alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubepostmortem.alerts.replaying import replay
from kubepostmortem.alerts.rules import jobs, rules
from kubepostmortem.questions.callers import workloads
from kubepostmortem.questions.calls import Calls
from kubepostmortem.questions.growth import growth
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.visibility.impact import Impact, impact
from kubepostmortem.questions.visibility.judging import Judged, Span, judged
from kubepostmortem.questions.waves import Wave, waves

WINDOWS = """
select cluster,
    any_value([begins_at, ends_at]) filter (time_window = 'baseline') as baseline,
    any_value([begins_at, ends_at]) filter (time_window = 'overload') as overload
from incident
group by cluster
having overload is not null
order by cluster
"""


@dataclass(frozen=True)
class Seen:
    """One cluster; waves: of the rollout in this cluster."""

    cluster: str
    overload: Span
    impact: Impact | None
    waves: Sequence[Wave]
    rules: Sequence[Judged]


def clusters(inquiry: Inquiry) -> list[Seen]:
    """Replay all rules in all clusters."""
    causes, rolled_out = _cause(inquiry)
    seen = []
    for row in inquiry.rows("windows", WINDOWS):
        cluster, overload = row["cluster"], (row["overload"][0], row["overload"][1])
        baseline = (row["baseline"][0], row["baseline"][1]) if row["baseline"] else None
        felt = impact(inquiry, cluster, causes)
        found = replay(inquiry, cluster, rules(), jobs())
        rated = [judged(one, baseline, overload, felt, rolled_out, causes) for one in found]
        own = [wave for wave in rolled_out if wave.cluster == cluster]
        seen.append(Seen(cluster, overload, felt, own, rated))
    return seen


def _cause(inquiry: Inquiry) -> tuple[list[str], tuple[Wave, ...]]:
    """Return components that caused the overload, and the waves in which the first one came."""
    if not inquiry.has("requests"):
        return [], ()
    found = growth(inquiry)
    primary = [one for one in found.causes if one.kind == "primary"] if found else []
    causes = [one.component for one in primary if one.component]
    if not primary:
        return causes, ()
    top = primary[0]
    calls = Calls(top.component) if top.component else top.calls
    named = [one.workload for one in workloads(inquiry, calls)]
    return causes, waves(inquiry, calls, named)
