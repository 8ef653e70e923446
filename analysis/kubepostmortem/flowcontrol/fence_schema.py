"""The FlowSchema of a fence: whose requests, which ones, and before which other schema."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubepostmortem.flowcontrol.configuration import EVERY_PATH, Configuration
from kubepostmortem.flowcontrol.culprit import Culprit, caller, subject
from kubepostmortem.flowcontrol.identities import NODE, NODES
from kubepostmortem.flowcontrol.objects import (
    ALL,
    FlowSchema,
    NonResourceRule,
    ResourceRule,
    Rule,
    Subject,
)
from kubepostmortem.flowcontrol.overlap import may_match
from kubepostmortem.flowcontrol.validation import LABEL, VERBS, can_spell_path, can_spell_subject

PROTECTED_LEVELS = ("exempt", "leader-election", "node-high")
FIRST_FREE = 2  # precedence 1 is for the schema exempt alone


@dataclass(frozen=True, slots=True)
class Place:
    """Where a schema comes in the order of matching.

    before: whose requests it takes over; after: the last one that keeps its requests; kept: those
    before it that may match some of the culprit's; fits: whether there is room between them.
    """

    precedence: int
    before: FlowSchema
    after: FlowSchema | None
    kept: tuple[FlowSchema, ...]
    fits: bool


def subjects_of(users: Iterable[str]) -> tuple[Subject, ...]:
    """Return subjects for these users: several nodes as their group, nobody who cannot be told."""
    known = dict.fromkeys(users)
    nodes = [user for user in known if user.startswith(NODE)]
    if len(nodes) > 1:
        others = [user for user in known if not user.startswith(NODE)]
        return (Subject("Group", NODES), *subjects_of(others))
    return tuple(one for one in map(subject, known) if can_spell_subject(one) and one.name != ALL)


def rule_of(culprit: Culprit, subjects: tuple[Subject, ...]) -> Rule:
    """Return the one rule of a fence: a resource rule per API group, and the paths."""
    return Rule(subjects, tuple(_resource_rules(culprit)), _path_rules(culprit))


def place_of(name: str, culprit: Culprit, rule: Rule, configuration: Configuration) -> Place:
    """Find a place for a schema just before the first one that it takes requests from.

    Schemas of exempt levels, of leader election and of node heartbeats keep theirs: it comes after
    all of them that come first now or, where there is no room, after those that matter here.
    """
    callers = [caller(user, culprit.groups) for user in culprit.users]
    order = configuration.flow_schemas
    matching = [known for known in order if may_match(known, callers, rule)]
    free = [known for known in matching if not _is_protected(known, configuration)]
    before = free[0] if free else configuration.catch_all
    first = [known for known in order if _key(known) < _key(before)]
    protected = [known for known in first if _is_protected(known, configuration)]
    kept = tuple(known for known in protected if known in matching)
    for last in (protected[-1:], kept[-1:]):
        after = last[0] if last else None
        precedence = _between(name, after, before)
        if precedence is not None:
            return Place(precedence, before, after, kept, fits=True)
    return Place(max(FIRST_FREE, before.precedence - 1), before, after, kept, fits=False)


def _between(name: str, after: FlowSchema | None, before: FlowSchema) -> int | None:
    """Return a precedence at which this name comes in between; names decide ties."""
    low = _key(after) if after else (FIRST_FREE, "")
    tried = (before.precedence - 1, before.precedence, low[0])
    return next((p for p in tried if low < (p, name) < _key(before) and p >= FIRST_FREE), None)


def _is_protected(schema: FlowSchema, configuration: Configuration) -> bool:
    level = configuration.priority_levels[schema.priority_level]
    return level.exempt or level.name in PROTECTED_LEVELS


def _key(schema: FlowSchema) -> tuple[int, str]:
    return schema.precedence, schema.name


def _resource_rules(culprit: Culprit) -> Iterable[ResourceRule]:
    known = [verb for verb in dict.fromkeys(culprit.verbs) if verb in VERBS]
    verbs = tuple(known) if known and ALL not in culprit.verbs else (ALL,)
    groups: dict[str, dict[str, None]] = {}
    for group, resource in culprit.resources:
        if resource:
            groups.setdefault(group, {})[resource] = None
    for group, resources in groups.items():
        yield ResourceRule(
            verbs,
            (group,),
            _or_all(resources),
            culprit.cluster_scope or not culprit.namespaces,
            _namespaces(culprit),
        )


def _namespaces(culprit: Culprit) -> tuple[str, ...]:
    """Namespaces as rules take them; requests may name ones that cannot be, which take "*"."""
    listed = tuple(dict.fromkeys(culprit.namespaces))
    return listed if all(LABEL.fullmatch(namespace) for namespace in listed) else (ALL,)


def _path_rules(culprit: Culprit) -> tuple[NonResourceRule, ...]:
    paths = tuple(path for path in dict.fromkeys(culprit.paths) if can_spell_path(path))
    if not paths:
        return (EVERY_PATH,) if asks_for_all(culprit) else ()
    # Rules of paths know the verbs of resources alone; any other method takes "*".
    verbs = tuple(dict.fromkeys(culprit.verbs)) if set(culprit.verbs) <= set(VERBS) else ()
    return (NonResourceRule(verbs or (ALL,), _or_all(dict.fromkeys(paths))),)


def asks_for_all(culprit: Culprit) -> bool:
    """Tell whether a fence is to hold all that the users ask, not what they asked once."""
    return culprit.verbs == (ALL,) and culprit.resources == ((ALL, ALL),)


def _or_all(entries: Iterable[str]) -> tuple[str, ...]:
    listed = tuple(entries)
    return (ALL,) if ALL in listed else listed
