"""Priority levels and FlowSchemas in force: from exported objects, metrics and the release."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.defaults import (
    BORROWING_SINCE,
    default_flow_schemas,
    default_priority_levels,
)
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel, Queuing
from kubepostmortem.flowcontrol.parsing import (
    HAND_SIZE,
    QUEUE_LENGTH_LIMIT,
    QUEUES,
    flow_schema,
    priority_level,
)
from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.exported import Exported, exported
from kubepostmortem.simulation.metrics_told import Told
from kubepostmortem.simulation.object_conflicts import (
    dangling,
    levels_unlike_metrics,
    schemas_unlike_metrics,
)
from kubepostmortem.simulation.server_limit import with_unlisted
from kubepostmortem.simulation.setting import Setting
from kubepostmortem.simulation.stored_documents import level_document, schema_document
from kubepostmortem.simulation.words import level_words, schema_words

LEVELS = "from priority_levels where cluster = $cluster order by name"
SCHEMAS = "from flow_schemas where cluster = $cluster order by name"
UNLISTED = PriorityLevel(
    "", exempt=False, shares=0, queuing=Queuing(QUEUES, HAND_SIZE, QUEUE_LENGTH_LIMIT)
)


@dataclass(frozen=True)
class Configured:
    """The configuration in force, how each object of it is known, and what contradicts.

    listed: levels whose shares are known, not estimated.
    """

    configuration: Configuration
    listed: frozenset[str]
    settings: tuple[Setting, ...]
    conflicts: tuple[str, ...]


def configured(asks: Asks, cluster: str, minor: int, told: Told) -> Configured:
    """Return what is in force: exported objects, then metrics, then the defaults of a release.

    Metrics of the incident decide which levels there were, since objects are often read later.
    """
    rows = asks.frame("priority levels as exported", LEVELS, cluster=cluster).to_dicts()
    levels = exported(
        [level_document(row) for row in rows],
        lambda document: _of_release(priority_level(document), minor),
        default_priority_levels(minor),
    )
    rows = asks.frame("FlowSchemas as exported", SCHEMAS, cluster=cluster).to_dicts()
    schemas = exported(
        [schema_document(row) for row in rows], flow_schema, default_flow_schemas(minor)
    )
    there = dict(levels.objects)
    if told.names_all_levels:
        there = {name: level for name, level in there.items() if _existed(level, told)}
    there = with_unlisted(there, told.nominal, UNLISTED)
    configuration = in_force(there.values(), schemas.objects.values())
    return Configured(
        configuration,
        frozenset(levels.objects),
        (
            *_level_settings(configuration, levels, minor),
            *_schema_settings(configuration, schemas, minor),
        ),
        (
            *levels.conflicts,
            *schemas.conflicts,
            *levels_unlike_metrics(levels, there),
            *dangling(configuration, levels),
            *schemas_unlike_metrics(schemas, told),
        ),
    )


def _of_release(level: PriorityLevel, minor: int) -> PriorityLevel:
    if minor >= BORROWING_SINCE:
        return level
    return replace(level, lendable_percent=0, borrowing_limit_percent=0)


def _existed(level: PriorityLevel, told: Told) -> bool:
    # Exempt levels have had nominal limits since Kubernetes 1.28 only.
    return level.exempt or level.name in told.nominal


def _level_settings(
    configuration: Configuration, levels: Exported[PriorityLevel], minor: int
) -> list[Setting]:
    named = configuration.priority_levels.values()
    return [
        levels.setting(level, f"priority level {level.name}", level_words(level), minor)
        for level in named
    ]


def _schema_settings(
    configuration: Configuration, schemas: Exported[FlowSchema], minor: int
) -> list[Setting]:
    return [
        schemas.setting(schema, f"FlowSchema {schema.name}", schema_words(schema), minor)
        for schema in configuration.flow_schemas
    ]
