"""FlowSchemas and PriorityLevelConfigurations as manifests that kubectl applies.

What comes from a log, like user names, stays one text in its place, whatever characters it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

from kubepostmortem.flowcontrol.manifest_shape import (
    GROUP,
    OLDER_SHARES,
    OLDER_VERSIONS,
    SHARES,
    VERSIONS,
)
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel, Queuing, Rule, Subject
from kubepostmortem.flowcontrol.parsing import KINDS, PRESERVE_ZERO, Malformed
from kubepostmortem.flowcontrol.spelling import shown
from kubepostmortem.flowcontrol.validation import level_complaints, schema_complaints
from kubepostmortem.flowcontrol.yaml_lines import lines

V1 = f"{GROUP}/v1"
NO_COMMENTS: Mapping[str, str] = MappingProxyType({})
OLDER = (
    f"Kubernetes 1.25 and before, which this version of the API is for, call {SHARES} so. Levels"
    " neither lend nor borrow there: lendablePercent and borrowingLimitPercent are left out."
)


def manifest(
    level: PriorityLevel,
    schema: FlowSchema,
    api_version: str = V1,
    comments: Mapping[str, str] = NO_COMMENTS,
) -> str:
    """Write both objects as YAML, two documents.

    api_version: any of flowcontrol.apiserver.k8s.io; comments: by the field of v1 that they
    explain, or by the kind of an object. Malformed where the API server would refuse an object, or
    where this version of the API cannot tell it.
    """
    version = api_version.removeprefix(f"{GROUP}/")
    _refuse_unwritable(level, schema, version)
    said = _comments(comments, version)
    documents = (_level(level, version), _schema(schema, version))
    return "---\n".join("\n".join(lines(document, said)) + "\n" for document in documents)


def _refuse_unwritable(level: PriorityLevel, schema: FlowSchema, version: str) -> None:
    if version not in VERSIONS:
        raise Malformed(f"there is no version {shown(version)} of {GROUP}")
    for why in level_complaints(level):
        raise Malformed(f"PriorityLevelConfiguration {shown(level.name)}: {why}")
    for why in schema_complaints(schema):
        raise Malformed(f"FlowSchema {shown(schema.name)}: {why}")
    if version in OLDER_VERSIONS and not level.exempt and not level.shares:
        raise Malformed(f"a level without shares cannot be written in {version}")


def _comments(comments: Mapping[str, str], version: str) -> dict[str, str]:
    if version not in OLDER_VERSIONS:
        return dict(comments)
    return {**comments, OLDER_SHARES: " ".join((comments.get(SHARES, ""), OLDER)).strip()}


def _level(level: PriorityLevel, version: str) -> dict[str, Any]:
    whole = _whole("PriorityLevelConfiguration", level.name, version)
    if level.exempt:
        spec: dict[str, Any] = {"type": "Exempt"}
        if version not in OLDER_VERSIONS:
            spec["exempt"] = {SHARES: level.shares, "lendablePercent": level.lendable_percent}
        return {**whole, "spec": spec}
    if version == "v1beta3" and not level.shares:
        whole["metadata"]["annotations"] = {PRESERVE_ZERO: ""}
    return {**whole, "spec": {"type": "Limited", "limited": _limited(level, version)}}


def _limited(level: PriorityLevel, version: str) -> dict[str, Any]:
    response = {"limitResponse": _response(level.queuing)}
    if version in OLDER_VERSIONS:
        return {OLDER_SHARES: level.shares, **response}
    percent = level.borrowing_limit_percent
    borrowing = {} if percent is None else {"borrowingLimitPercent": percent}
    lending = {"lendablePercent": level.lendable_percent}
    return {SHARES: level.shares, **lending, **borrowing, **response}


def _response(queuing: Queuing | None) -> dict[str, Any]:
    if queuing is None:
        return {"type": "Reject"}
    queues = {
        "queues": queuing.queues,
        "handSize": queuing.hand_size,
        "queueLengthLimit": queuing.queue_length_limit,
    }
    return {"type": "Queue", "queuing": queues}


def _schema(schema: FlowSchema, version: str) -> dict[str, Any]:
    kind = schema.distinguisher
    spec = {
        "priorityLevelConfiguration": {"name": schema.priority_level},
        "matchingPrecedence": schema.precedence,
        **({"distinguisherMethod": {"type": kind}} if kind else {}),
        "rules": [_rule(rule) for rule in schema.rules],
    }
    return {**_whole("FlowSchema", schema.name, version), "spec": spec}


def _rule(rule: Rule) -> dict[str, Any]:
    resources = [
        {
            "verbs": _texts(known.verbs),
            "apiGroups": _texts(known.api_groups),
            "resources": _texts(known.resources),
            "clusterScope": known.cluster_scope,
            **({"namespaces": _texts(known.namespaces)} if known.namespaces else {}),
        }
        for known in rule.resource_rules
    ]
    paths = [
        {"verbs": _texts(known.verbs), "nonResourceURLs": _texts(known.paths)}
        for known in rule.nonresource_rules
    ]
    named = (("resourceRules", resources), ("nonResourceRules", paths))
    subjects = [_subject(subject) for subject in rule.subjects]
    return {"subjects": subjects, **{name: rules for name, rules in named if rules}}


def _subject(subject: Subject) -> dict[str, Any]:
    named = {"namespace": subject.namespace} if subject.kind == "ServiceAccount" else {}
    name = _texts((subject.name,))[0]
    return {"kind": subject.kind, KINDS[subject.kind]: {**named, "name": name}}


def _texts(texts: Sequence[str]) -> list[str]:
    """Texts as they are; half characters, which no text of Kubernetes holds, are refused."""
    for char in chain.from_iterable(texts):
        if "\ud800" <= char <= "\udfff":
            raise Malformed(f"{shown(list(texts))} is no Unicode text")
    return list(texts)


def _whole(kind: str, name: str, version: str) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": {"name": name}}
