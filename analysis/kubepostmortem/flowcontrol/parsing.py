"""Objects of flowcontrol.apiserver.k8s.io, from v1alpha1 to v1, read into values.

What a manifest leaves out has the value that the API server fills in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubepostmortem.flowcontrol.hashing import can_deal
from kubepostmortem.flowcontrol.objects import (
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    Queuing,
    ResourceRule,
    Rule,
    Subject,
)
from kubepostmortem.flowcontrol.spelling import printable

Document = Mapping[str, Any]

PRECEDENCE = 1000
SHARES = 30
QUEUES = 64
HAND_SIZE = 8
QUEUE_LENGTH_LIMIT = 50
PRESERVE_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"  # an annotation
KINDS = {"User": "user", "Group": "group", "ServiceAccount": "serviceAccount"}


class Malformed(ValueError):
    """An object that the API server would not take, or ignores."""


def priority_level(document: Document) -> PriorityLevel:
    """Read a PriorityLevelConfiguration; Malformed says what is wrong."""
    try:
        return _priority_level(document)
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        raise Malformed(f"priority level {_name(document)}: {_said(wrong)}") from wrong


def flow_schema(document: Document) -> FlowSchema:
    """Read a FlowSchema; Malformed says what is wrong."""
    try:
        return _flow_schema(document)
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        raise Malformed(f"flow schema {_name(document)}: {_said(wrong)}") from wrong


def _name(document: object) -> str:
    metadata = document.get("metadata") if isinstance(document, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return printable(str(name)) if name else "without a name"


def _said(wrong: Exception) -> str:
    if isinstance(wrong, KeyError):
        return f"there is no field {wrong.args[0]}"
    return str(wrong) if isinstance(wrong, ValueError) else repr(wrong)


def _priority_level(document: Document) -> PriorityLevel:
    name, spec = document["metadata"]["name"], document["spec"]
    limited, exempt = spec.get("limited"), spec.get("exempt")
    if (spec["type"] == "Limited") != (limited is not None):
        raise ValueError("type and limited do not agree")
    if spec["type"] == "Limited":
        return PriorityLevel(
            name,
            exempt=False,
            shares=_shares(limited, document),
            lendable_percent=_or(limited.get("lendablePercent"), 0),
            borrowing_limit_percent=limited.get("borrowingLimitPercent"),
            queuing=_queuing(limited.get("limitResponse") or {}),
        )
    if spec["type"] != "Exempt":
        raise ValueError(f"type is {spec['type']!r}")
    return PriorityLevel(
        name,
        exempt=True,
        shares=_or((exempt or {}).get("nominalConcurrencyShares"), 0),
        lendable_percent=_or((exempt or {}).get("lendablePercent"), 0),
    )


def _shares(limited: Document, document: Document) -> int:
    """Shares of a limited level, under the name that its version of the API has for them.

    Versions before v1 cannot tell zero from nothing, but that v1beta3 has an annotation for it.
    """
    newer, older = limited.get("nominalConcurrencyShares"), limited.get("assuredConcurrencyShares")
    shares = older if newer is None else newer
    version = str(document.get("apiVersion") or "/v1").rpartition("/")[2]
    keeps_zero = version == "v1" or PRESERVE_ZERO in (document["metadata"].get("annotations") or ())
    if newer is None or not keeps_zero:
        return shares or SHARES
    return int(newer)


def _queuing(response: Document) -> Queuing | None:
    kind, values = response.get("type"), response.get("queuing")
    if kind not in ("Queue", "Reject") or (kind == "Queue") != (values is not None):
        raise ValueError(f"limitResponse is {dict(response)}")
    if values is None:
        return None
    queues = Queuing(
        values.get("queues") or QUEUES,
        values.get("handSize") or HAND_SIZE,
        values.get("queueLengthLimit") or QUEUE_LENGTH_LIMIT,
    )
    if not can_deal(queues.queues, queues.hand_size):
        raise ValueError(f"no hands of {queues.hand_size} from {queues.queues} queues")
    return queues


def _flow_schema(document: Document) -> FlowSchema:
    spec = document["spec"]
    return FlowSchema(
        document["metadata"]["name"],
        spec["priorityLevelConfiguration"]["name"],
        spec.get("matchingPrecedence") or PRECEDENCE,
        (spec.get("distinguisherMethod") or {}).get("type", ""),
        tuple(_rule(rule) for rule in spec.get("rules") or ()),
    )


def _rule(rule: Document) -> Rule:
    return Rule(
        tuple(_subject(subject) for subject in rule.get("subjects") or ()),
        tuple(_resource_rule(known) for known in rule.get("resourceRules") or ()),
        tuple(
            NonResourceRule(_texts(known, "verbs"), _texts(known, "nonResourceURLs"))
            for known in rule.get("nonResourceRules") or ()
        ),
    )


def _subject(subject: Document) -> Subject:
    kind = subject["kind"]
    if kind not in KINDS:
        raise ValueError(f"kind of subject is {kind!r}")
    named = subject.get(KINDS[kind])
    if named is None:
        raise ValueError(f"a subject of kind {kind} names no {KINDS[kind]}")
    return Subject(kind, named["name"], named.get("namespace", ""))


def _resource_rule(rule: Document) -> ResourceRule:
    return ResourceRule(
        _texts(rule, "verbs"),
        _texts(rule, "apiGroups"),
        _texts(rule, "resources"),
        bool(rule.get("clusterScope")),
        _texts(rule, "namespaces"),
    )


def _texts(rule: Document, name: str) -> tuple[str, ...]:
    texts = rule.get(name) or ()
    if isinstance(texts, str):
        raise ValueError(f"{name} is a text, not a list")
    return tuple(texts)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
