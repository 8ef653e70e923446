"""What the API server would not take: its rules for FlowSchemas and PriorityLevelConfigurations.

From the validation of Kubernetes (pkg/apis/flowcontrol/validation), as of 1.36.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from kubepostmortem.flowcontrol.configuration import (
    CATCH_ALL_LEVEL,
    CATCH_ALL_SCHEMA,
    EXEMPT_SCHEMA,
    LAST,
)
from kubepostmortem.flowcontrol.hashing import can_deal
from kubepostmortem.flowcontrol.objects import (
    ALL,
    CATCH_ALL,
    EXEMPT,
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    Queuing,
    ResourceRule,
    Rule,
    Subject,
)
from kubepostmortem.flowcontrol.spelling import shown

VERBS = ("get", "list", "create", "update", "delete", "deletecollection", "patch", "watch", "proxy")
DISTINGUISHERS = ("", "ByUser", "ByNamespace")
MOST_QUEUES = 10_000_000
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)


def level_complaints(level: PriorityLevel) -> Iterator[str]:
    """Say why the API server would refuse a priority level; nothing where it would not."""
    yield from _name(level.name)
    if level.exempt != (level.name == EXEMPT):
        yield "the level exempt, and no other, is of type Exempt"
    if level.shares < 0:
        yield f"its concurrency shares are {level.shares}, less than 0"
    if not 0 <= level.lendable_percent <= 100:
        yield f"lendablePercent is {level.lendable_percent}, not from 0 to 100"
    if level.borrowing_limit_percent is not None and level.borrowing_limit_percent < 0:
        yield f"borrowingLimitPercent is {level.borrowing_limit_percent}, less than 0"
    if level.queuing is not None:
        yield from _queuing(level.queuing)
    if level.name == CATCH_ALL and level != CATCH_ALL_LEVEL:
        yield "its spec is fixed and cannot be another one"


def schema_complaints(schema: FlowSchema) -> Iterator[str]:
    """Say why the API server would refuse a FlowSchema; nothing where it would not."""
    yield from _name(schema.name)
    yield from (f"priorityLevelConfiguration: {why}" for why in _name(schema.priority_level))
    if not 1 <= schema.precedence <= LAST:
        yield f"matchingPrecedence is {schema.precedence}, not from 1 to {LAST}"
    elif schema.precedence == 1 and schema.name != EXEMPT:
        yield "matchingPrecedence 1 is for the schema exempt alone"
    if schema.distinguisher not in DISTINGUISHERS:
        yield f"distinguisherMethod is {shown(schema.distinguisher)}, not ByUser or ByNamespace"
    fixed = {known.name: known for known in (EXEMPT_SCHEMA, CATCH_ALL_SCHEMA)}
    if schema != fixed.get(schema.name, schema):
        yield "its spec is fixed and cannot be another one"
    for number, rule in enumerate(schema.rules):
        yield from (f"rules[{number}]: {why}" for why in _rule(rule))


def can_spell_path(path: str) -> bool:
    """Tell whether a FlowSchema may hold this path of a request that is for no resource."""
    if path in (ALL, "/"):
        return True
    wild = path.count(ALL)
    fits = path.startswith("/") and " " not in path and "//" not in path
    return fits and (wild == 0 or (wild == 1 and path.endswith("/*")))


def can_spell_subject(subject: Subject) -> bool:
    """Tell whether a FlowSchema may hold this subject."""
    if subject.kind != "ServiceAccount":
        return bool(subject.name)
    named = subject.name == ALL or SUBDOMAIN.fullmatch(subject.name)
    return bool(named and LABEL.fullmatch(subject.namespace))


def _name(name: str) -> Iterator[str]:
    if not SUBDOMAIN.fullmatch(name):
        yield f"the name {shown(name)} is not of small letters, digits, - and ."


def _queuing(queuing: Queuing) -> Iterator[str]:
    if queuing.queue_length_limit <= 0:
        yield f"queueLengthLimit is {queuing.queue_length_limit}, not positive"
    if queuing.queues > MOST_QUEUES or not can_deal(queuing.queues, queuing.hand_size):
        yield f"no hands of {queuing.hand_size} from {queuing.queues} queues"


def _rule(rule: Rule) -> Iterator[str]:
    if not rule.subjects:
        yield "there are no subjects"
    for subject in rule.subjects:
        if not can_spell_subject(subject):
            yield f"no {subject.kind} has the name {shown(_full_name(subject))}"
    if not rule.resource_rules and not rule.nonresource_rules:
        yield "there are neither resourceRules nor nonResourceRules"
    resources = (_resource_rule(known) for known in rule.resource_rules)
    paths = (_nonresource_rule(known) for known in rule.nonresource_rules)
    yield from chain.from_iterable((*resources, *paths))


def _full_name(subject: Subject) -> str:
    return f"{subject.namespace}:{subject.name}" if subject.namespace else subject.name


def _resource_rule(rule: ResourceRule) -> Iterator[str]:
    yield from _verbs(rule.verbs)
    yield from _listed("apiGroups", rule.api_groups)
    yield from _listed("resources", rule.resources)
    if rule.namespaces or not rule.cluster_scope:
        yield from _listed("namespaces", rule.namespaces)
    for namespace in rule.namespaces:
        if namespace != ALL and not LABEL.fullmatch(namespace):
            yield f"no namespace is called {shown(namespace)}"


def _nonresource_rule(rule: NonResourceRule) -> Iterator[str]:
    yield from _verbs(rule.verbs)
    yield from _listed("nonResourceURLs", rule.paths)
    for path in rule.paths:
        if not can_spell_path(path):
            yield f"nonResourceURLs cannot hold {shown(path)}"


def _verbs(verbs: tuple[str, ...]) -> Iterator[str]:
    yield from _listed("verbs", verbs)
    for verb in verbs:
        if verb not in (ALL, *VERBS):
            yield f"there is no verb {shown(verb)}"


def _listed(name: str, entries: tuple[str, ...]) -> Iterator[str]:
    if not entries:
        yield f"{name} is empty"
    elif ALL in entries and len(entries) > 1:
        yield f"{name} holds * and more"
