"""What was in force on the API servers of a cluster: flow control, limits, rules of width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.preparation import Server
from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.configured import configured
from kubepostmortem.simulation.flags import MAX_MUTATING, MAX_REQUESTS, read_flags
from kubepostmortem.simulation.in_flight_limits import in_flight_limits
from kubepostmortem.simulation.metrics_told import told_by_metrics
from kubepostmortem.simulation.object_conflicts import limits_unlike_metrics
from kubepostmortem.simulation.release import rules_in_force
from kubepostmortem.simulation.setting import Setting
from kubepostmortem.simulation.stored_counts import stored_counts
from kubepostmortem.simulation.switches import request_timeout, switched_on
from kubepostmortem.simulation.writes import writes

__all__ = ["Effective", "Setting", "effective"]


@dataclass(frozen=True)
class Effective:
    """What was in force in a cluster, on each of its API servers, and how that is known.

    apf: whether API Priority and Fairness decided; else the limits in flight did, and the
    configuration is what would have been in force. minor: of Kubernetes 1.minor. current_limits:
    seats by priority level when the audit log begins, where metrics tell them. conflicts:
    sentences on where sources disagree, or on what changed.
    """

    cluster: str
    apf: bool
    max_requests_inflight: int
    max_mutating_requests_inflight: int
    minor: int
    configuration: Configuration
    server: Server
    current_limits: Mapping[str, int]
    settings: tuple[Setting, ...]
    conflicts: tuple[str, ...]


def effective(asks: Asks, cluster: str) -> Effective:
    """Return what was in force: as objects, flags, metrics and defaults tell, in that order.

    Raises MissingEvidence where the database does not know the cluster.
    """
    version, rules = rules_in_force(asks, cluster)
    flags, told = read_flags(asks, cluster), told_by_metrics(asks, cluster)
    on = switched_on(flags, told, rules.minor)
    objects = configured(asks, cluster, rules.minor, told)
    levels = objects.configuration.priority_levels
    in_flight = in_flight_limits(flags, told, levels, objects.listed)
    timeout_ns, timeout = request_timeout(flags)
    stored, counted = stored_counts(asks, cluster)
    limit = in_flight.server_limit
    unlike = limits_unlike_metrics(levels, objects.listed, limit, told) if in_flight.fits else ()
    return Effective(
        cluster=cluster,
        apf=on.value,
        max_requests_inflight=in_flight.limits[MAX_REQUESTS],
        max_mutating_requests_inflight=in_flight.limits[MAX_MUTATING],
        minor=rules.minor,
        configuration=objects.configuration,
        server=Server(limit, rules, stored, timeout_ns),
        # Limits of another server limit, or summed over servers, are not those of one.
        current_limits=told.current if in_flight.fits else {},
        settings=(on.setting, *in_flight.settings, timeout, version, counted, *objects.settings),
        conflicts=(
            *flags.conflicts,
            *on.conflicts,
            *in_flight.conflicts,
            *objects.conflicts,
            *unlike,
            *writes(asks, cluster),
        ),
    )
