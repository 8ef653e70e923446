"""The configuration in force: what the API server makes of the objects it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubepostmortem.flowcontrol.objects import (
    ALL,
    CATCH_ALL,
    EXEMPT,
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    ResourceRule,
    Rule,
    Subject,
)

LAST = 10_000  # the least urgent precedence

EVERYTHING = ResourceRule((ALL,), (ALL,), (ALL,), cluster_scope=True, namespaces=(ALL,))
EVERY_PATH = NonResourceRule((ALL,), (ALL,))


def _everything(*groups: str) -> tuple[Rule, ...]:
    subjects = tuple(Subject("Group", group) for group in groups)
    return (Rule(subjects, (EVERYTHING,), (EVERY_PATH,)),)


EXEMPT_LEVEL = PriorityLevel(EXEMPT, exempt=True, shares=0)
CATCH_ALL_LEVEL = PriorityLevel(CATCH_ALL, exempt=False, shares=5)
EXEMPT_SCHEMA = FlowSchema(EXEMPT, EXEMPT, 1, rules=_everything("system:masters"))
CATCH_ALL_SCHEMA = FlowSchema(
    CATCH_ALL,
    CATCH_ALL,
    LAST,
    "ByUser",
    _everything("system:unauthenticated", "system:authenticated"),
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Priority levels by name, FlowSchemas in the order of matching, both with the mandatory ones.

    dangling: FlowSchemas that count for nothing, because there is no such level or it is malformed.
    """

    priority_levels: Mapping[str, PriorityLevel]
    flow_schemas: tuple[FlowSchema, ...]
    dangling: tuple[FlowSchema, ...] = ()

    @property
    def catch_all(self) -> FlowSchema:
        """Where requests go that match nothing."""
        return next(s for s in self.flow_schemas if s.name == CATCH_ALL)


def in_force(
    priority_levels: Iterable[PriorityLevel], flow_schemas: Iterable[FlowSchema]
) -> Configuration:
    """Return what takes effect of well-formed objects; later ones replace earlier of their name."""
    levels = {level.name: level for level in priority_levels}
    schemas = {schema.name: schema for schema in flow_schemas}.values()
    # The API server fills in mandatory levels after it looked for the levels of the schemas.
    ordered = sorted(
        (schema for schema in schemas if schema.priority_level in levels),
        key=lambda schema: (schema.precedence, schema.name),
    )
    dangling = tuple(schema for schema in schemas if schema.priority_level not in levels)
    mandatory = {EXEMPT: EXEMPT_LEVEL, CATCH_ALL: CATCH_ALL_LEVEL}
    return Configuration(mandatory | levels, _with_mandatory(ordered), dangling)


def _with_mandatory(ordered: list[FlowSchema]) -> tuple[FlowSchema, ...]:
    names = {schema.name for schema in ordered}
    first = [] if EXEMPT in names else [EXEMPT_SCHEMA]
    last = [] if CATCH_ALL in names else [CATCH_ALL_SCHEMA]
    return (*first, *ordered, *last)
