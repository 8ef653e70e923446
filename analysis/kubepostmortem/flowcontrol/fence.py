"""A fence: a FlowSchema and a priority level that hold a culprit and leave everybody else alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from kubepostmortem.flowcontrol.allocation import nominal_limits
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.culprit import Culprit
from kubepostmortem.flowcontrol.fence_level import fenced_level, queues_for
from kubepostmortem.flowcontrol.fence_reasons import reasons_of, warnings_of
from kubepostmortem.flowcontrol.fence_schema import place_of, rule_of, subjects_of
from kubepostmortem.flowcontrol.manifests import Manifests, merged
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel, Subject

__all__ = ["CannotFence", "Culprit", "Fence", "fence", "fenced"]


class CannotFence(ValueError):
    """There is nobody to hold, nothing to hold them from, or no seats to hold them to."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Two objects that hold a culprit.

    seats: the nominal limit of the level, per API server; comments: why each field is what it is,
    by field, as writing.manifest takes them; warnings: what the design could not rule out.
    """

    priority_level: PriorityLevel
    flow_schema: FlowSchema
    seats: int
    comments: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the fence is as it is, a sentence or two each."""
        return tuple(self.comments.values())


def fence(
    culprit: Culprit, configuration: Configuration, server_limit: int, seats: int, widest: int
) -> Fence:
    """Design a fence of about so many seats.

    server_limit: seats of one API server, the sum of both in-flight limits; widest: seats of the
    widest request that the culprit makes, as estimated without a bound of its level. Raises
    CannotFence.
    """
    subjects = subjects_of(culprit.users)
    rule = rule_of(culprit, subjects)
    _refuse_pointless(culprit, subjects, seats, server_limit)
    if not rule.resource_rules and not rule.nonresource_rules:
        raise CannotFence("no requests are told that a FlowSchema could name")
    name = _free_name(f"fence-{culprit.nickname}", configuration)
    level = fenced_level(name, seats, server_limit, configuration.priority_levels.values())
    granted = _nominal(level, configuration, server_limit)
    several = len(subjects) > 1 or subjects[0].kind == "Group"
    level = replace(level, queuing=queues_for(several, granted, max(1, widest)))
    place = place_of(name, culprit, rule, configuration)
    schema = FlowSchema(name, name, place.precedence, "ByUser" if several else "", (rule,))
    return Fence(
        level,
        schema,
        granted,
        reasons_of(culprit, level, granted, server_limit, place, widest),
        warnings_of(culprit, level, granted, seats, place, widest),
    )


def fenced(configuration: Configuration, built: Fence) -> Configuration:
    """Return what is in force with a fence."""
    return merged(configuration, Manifests((built.priority_level,), (built.flow_schema,)))


def _refuse_pointless(
    culprit: Culprit, subjects: Collection[Subject], seats: int, server_limit: int
) -> None:
    if not subjects:
        raise CannotFence(f"no user that a FlowSchema could name, of {len(culprit.users)}")
    if not 1 <= seats < server_limit:
        raise CannotFence(f"a fence of {seats} seats, where the server has {server_limit}")


def _nominal(level: PriorityLevel, configuration: Configuration, server_limit: int) -> int:
    levels = (*configuration.priority_levels.values(), level)
    return nominal_limits(server_limit, levels)[level.name].nominal


def _free_name(wanted: str, configuration: Configuration) -> str:
    schemas = (*configuration.flow_schemas, *configuration.dangling)
    taken = {*configuration.priority_levels, *(schema.name for schema in schemas)}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name
