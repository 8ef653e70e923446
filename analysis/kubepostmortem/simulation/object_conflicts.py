"""Where objects of flow control and metrics of the incident contradict each other."""

from __future__ import annotations

from collections.abc import Mapping

from kubepostmortem.flowcontrol.allocation import nominal_limits
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel
from kubepostmortem.simulation.exported import Exported
from kubepostmortem.simulation.metrics_told import Told


def levels_unlike_metrics(
    levels: Exported[PriorityLevel], there: Mapping[str, PriorityLevel]
) -> list[str]:
    """Return a sentence for each level that objects name and metrics do not, or the reverse.

    there: the levels in force.
    """
    source = _source(levels)
    return [
        f"Priority level {name} is among the {source}, but not in the metrics of the incident: it "
        "is taken as not there at that time, and so are FlowSchemas that point to it."
        for name in sorted(levels.objects.keys() - there.keys())
    ] + [
        f"Priority level {name} is in the metrics of the incident, but not among the {source}: its "
        f"shares are estimated from its seats ({there[name].shares}), its queues assumed; which "
        "requests go there is not known."
        for name in sorted(there.keys() - levels.objects.keys())
    ]


def dangling(configuration: Configuration, levels: Exported[PriorityLevel]) -> list[str]:
    """Return a sentence for each FlowSchema whose priority level no source knows."""
    return [
        f"FlowSchema {schema.name} points to priority level {schema.priority_level}, which is "
        "missing or malformed: the API server leaves it out, and so does this."
        for schema in configuration.dangling
        if schema.priority_level not in levels.objects
    ]


def schemas_unlike_metrics(schemas: Exported[FlowSchema], told: Told) -> list[str]:
    """Return a sentence for each FlowSchema that metrics know otherwise than the objects."""
    sent: dict[str, list[str]] = {}
    for schema, level in told.flows:
        sent.setdefault(schema, []).append(level)
    said = []
    for name, to in sent.items():
        known = schemas.objects.get(name)
        if known is None:
            said.append(
                f"FlowSchema {name} has requests in the metrics (priority level {', '.join(to)}), "
                f"but is not among the {_source(schemas)}: whose requests these are is not known."
            )
        elif known.priority_level not in to:
            said.append(
                f"FlowSchema {name} sent requests to priority level {', '.join(to)} by the "
                f"metrics, and points to {known.priority_level} in the {_source(schemas)}."
            )
    return said


def limits_unlike_metrics(
    levels: Mapping[str, PriorityLevel], listed: frozenset[str], limit: int, told: Told
) -> tuple[str, ...]:
    """Return sentences where metrics tell other nominal limits than shares give, or changing ones.

    levels: in force; listed: those of them whose shares are known; limit: of the server, seats.
    """
    limits = nominal_limits(limit, levels.values())
    unlike = [
        f"{name} {seats} (by shares {limits[name].nominal})"
        for name, seats in told.nominal.items()
        if name in listed & limits.keys() and limits[name].nominal != seats
    ]
    varying = [name for name in told.varying if name in limits]
    said = []
    if unlike:
        said.append(
            "Nominal limits in the metrics are not those that the shares of the priority levels "
            f"give with {limit} seats: {', '.join(unlike)}."
        )
    if varying:
        said.append(
            "Nominal limits changed while metrics were taken, or differ between API servers: "
            f"{', '.join(varying)}. Those of most of the time are taken."
        )
    return tuple(said)


def _source(found: Exported[PriorityLevel] | Exported[FlowSchema]) -> str:
    return "exported objects" if found.given else "defaults of the release"
