"""A FlowSchema and a priority level that keep seats for the administrators of a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from kubepostmortem.flowcontrol.configuration import EVERY_PATH, EVERYTHING
from kubepostmortem.flowcontrol.defaults import default_flow_schemas
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel, Queuing, Rule, Subject
from kubepostmortem.flowcontrol.writing import manifest
from kubepostmortem.questions.administrators.identities import NO, Identity
from kubepostmortem.simulation.effective import Effective

NAME = "break-glass"
PART = 0.05  # of the seats of the server
PRECEDENCE = 10  # after exempt and probes, before whatever else there is by default
QUEUING = Queuing(queues=16, hand_size=4, queue_length_limit=50)


def own_schemas(administrators: Sequence[Identity], effective: Effective) -> list[str]:
    """Return FlowSchemas that somebody made, and that administrators fell into."""
    usual = {schema.name for schema in default_flow_schemas(effective.minor)}
    fell = {one.flow_schema for one in administrators if one.cluster == effective.cluster}
    return sorted(name for name in fell if name is not None and name not in usual)


def admin_group(administrators: Sequence[Identity]) -> str | None:
    """Return the group that most requests of administrators who are not exempt are in.

    Groups of the system hold everybody who is authenticated; None: there is no other one.
    """
    requests: Counter[str] = Counter()
    for one in administrators:
        if one.exempt == NO or one.group == "admins":
            for group in one.groups:
                if not group.startswith("system:"):
                    requests[group] += 1 + one.overload
    return next((group for group, _ in requests.most_common(1)), None)


def break_glass_manifest(group: str, effective: Effective) -> str:
    """Write a level of its own for a group of users, and the schema that leads there, as YAML.

    The level is limited, unlike exempt, so whoever holds such a credential overloads nothing with
    it; its seats are lent to nobody, so they are free when they are needed.
    """
    others = sum(level.shares for level in effective.configuration.priority_levels.values())
    shares = max(1, ceil(PART / (1 - PART) * others))
    level = PriorityLevel(NAME, exempt=False, shares=shares, queuing=QUEUING)
    rule = Rule((Subject("Group", group),), (EVERYTHING,), (EVERY_PATH,))
    return manifest(level, FlowSchema(NAME, NAME, PRECEDENCE, "ByUser", (rule,)))
