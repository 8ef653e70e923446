"""Whether two FlowSchemas may match the same request."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from kubepostmortem.flowcontrol.classify import Caller, is_subject
from kubepostmortem.flowcontrol.objects import (
    ALL,
    FlowSchema,
    NonResourceRule,
    ResourceRule,
    Rule,
)


def may_match(schema: FlowSchema, callers: Iterable[Caller], rule: Rule) -> bool:
    """Tell whether a schema may match a request of these callers that a rule describes."""
    known = tuple(callers)
    return any(
        any(is_subject(subject, caller) for subject in own.subjects for caller in known)
        and _have_requests_in_common(own, rule)
        for own in schema.rules
    )


def _have_requests_in_common(one: Rule, other: Rule) -> bool:
    resources = product(one.resource_rules, other.resource_rules)
    paths = product(one.nonresource_rules, other.nonresource_rules)
    return any(_resources_meet(*both) for both in resources) or any(
        _paths_meet(*both) for both in paths
    )


def _resources_meet(one: ResourceRule, other: ResourceRule) -> bool:
    scopes = (one.cluster_scope and other.cluster_scope) or _meet(one.namespaces, other.namespaces)
    return (
        scopes
        and _meet(one.verbs, other.verbs)
        and _meet(one.api_groups, other.api_groups)
        and _meet(one.resources, other.resources)
    )


def _paths_meet(one: NonResourceRule, other: NonResourceRule) -> bool:
    places = product(one.paths, other.paths)
    return _meet(one.verbs, other.verbs) and any(_one_holds_other(*both) for both in places)


def _one_holds_other(one: str, other: str) -> bool:
    if ALL in (one, other):
        return True
    first, second = (f"{path.removesuffix(ALL).rstrip('/')}/" for path in (one, other))
    return first.startswith(second) or second.startswith(first)


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    both = bool(one and other)
    return both and ((ALL,) in (one, other) or not set(one).isdisjoint(other))
