"""Rows of the model that one Kubernetes object gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubepostmortem.sources import kube_request_counts
from kubepostmortem.sources.apiserver_flags import settings_of_pod
from kubepostmortem.sources.content import Unusable, dig, listed
from kubepostmortem.sources.json_content import compact
from kubepostmortem.sources.kube_argocd import application
from kubepostmortem.sources.kube_fields import (
    Row,
    created_at,
    first_said,
    first_time,
    name_of,
    number,
    said,
)
from kubepostmortem.sources.kube_flux import helm_release, kustomization
from kubepostmortem.sources.kube_workloads import controller_revision, replica_set, workload

SEEN_AT = (
    ("series", "lastObservedTime"),
    ("lastTimestamp",),
    ("eventTime",),
    ("deprecatedLastTimestamp",),
    ("firstTimestamp",),
    ("metadata", "creationTimestamp"),
)
REPORTER = (
    ("reportingComponent",),
    ("reportingController",),
    ("source", "component"),
    ("deprecatedSource", "component"),
)
COUNT = (("series", "count"), ("count",), ("deprecatedCount",))


def rows_of(resource: str, thing: Any) -> list[Row]:
    """Return the rows of an object; none where the model has no table for it. Raises Unusable."""
    reader = READERS.get(resource)
    return list(reader(thing)) if reader else []


def _event(event: Any) -> Iterator[Row]:
    """An event of the core group, or of events.k8s.io, where fields have other names."""
    about = dig(event, "involvedObject") or dig(event, "regarding")
    counts = (number(event, *path) for path in COUNT)
    row = {
        "seen_at": first_time(event, *SEEN_AT),
        "namespace": said(event, "metadata", "namespace"),
        "name": name_of(event),
        "type": said(event, "type"),
        "reason": said(event, "reason"),
        "object_kind": said(about, "kind"),
        "object_name": said(about, "name"),
        "message": first_said(event, ("message",), ("note",)),
        "component": first_said(event, *REPORTER),
        "count": next(filter(None, counts), 1),
    }
    yield "kube_events", row


def _node(node: Any) -> Iterator[Row]:
    info, ready = dig(node, "status", "nodeInfo"), _of_type(node, "conditions", "Ready")
    row = {
        "node": name_of(node),
        "created_at": created_at(node),
        "internal_ip": said(_of_type(node, "addresses", "InternalIP"), "address"),
        "kubelet_version": said(info, "kubeletVersion"),
        "os_image": said(info, "osImage"),
        "container_runtime": said(info, "containerRuntimeVersion"),
        "labels": _map(dig(node, "metadata", "labels")),
        "ready": said(ready, "status") == "True" if ready else None,
    }
    yield "nodes", row


def _of_type(node: Any, entries: str, type_: str) -> Any:
    """The first entry of this type in a list of the status."""
    listing = listed(dig(node, "status", entries))
    return next((entry for entry in listing if dig(entry, "type") == type_), None)


def _map(labels: Any) -> str:
    """Labels, sorted, as DuckDB reads a map: {"a"="1", "b"="2"}."""
    pairs = sorted(labels.items()) if isinstance(labels, dict) else []
    return "{" + ", ".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs) + "}"


def _quoted(text: Any) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _flow_schema(schema: Any) -> Iterator[Row]:
    spec = dig(schema, "spec")
    row = {
        "name": name_of(schema),
        "precedence": number(spec, "matchingPrecedence"),
        "priority_level": said(spec, "priorityLevelConfiguration", "name"),
        "distinguisher": said(spec, "distinguisherMethod", "type"),
        "rules": compact(listed(dig(spec, "rules"))),
    }
    yield "flow_schemas", row


def _priority_level(level: Any) -> Iterator[Row]:
    """A priority level; before v1beta3 its shares had another name."""
    type_ = said(level, "spec", "type")
    limits = dig(level, "spec", "exempt" if type_ == "Exempt" else "limited")
    queuing = dig(limits, "limitResponse", "queuing")
    shares = number(limits, "nominalConcurrencyShares")
    row = {
        "name": name_of(level),
        "type": type_,
        "nominal_shares": number(limits, "assuredConcurrencyShares") if shares is None else shares,
        "lendable_percent": number(limits, "lendablePercent"),
        "borrowing_limit_percent": number(limits, "borrowingLimitPercent"),
        "limit_response": said(limits, "limitResponse", "type"),
        "queues": number(queuing, "queues"),
        "hand_size": number(queuing, "handSize"),
        "queue_length_limit": number(queuing, "queueLengthLimit"),
    }
    yield "priority_levels", row


def _pod(pod: Any) -> Iterator[Row]:
    """The settings of an API server, where the pod runs one."""
    for setting, value in settings_of_pod(pod).items():
        yield "apiserver_config", {"apiserver": name_of(pod), "setting": setting, "value": value}


def _status(status: Any) -> Iterator[Row]:
    """What kubectl prints instead of objects where the API refused."""
    raise Unusable(f"the API answered {said(status, 'reason')}: {said(status, 'message')}")


READERS: dict[str, Callable[[Any], Iterator[Row]]] = {
    kube_request_counts.RESOURCE: kube_request_counts.request_counts,
    "applications.argoproj.io": application,
    "controllerrevisions.apps": controller_revision,
    "daemonsets.apps": workload,
    "deployments.apps": workload,
    "events": _event,
    "events.events.k8s.io": _event,
    "flowschemas.flowcontrol.apiserver.k8s.io": _flow_schema,
    "helmreleases.helm.toolkit.fluxcd.io": helm_release,
    "kustomizations.kustomize.toolkit.fluxcd.io": kustomization,
    "nodes": _node,
    "pods": _pod,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _priority_level,
    "replicasets.apps": replica_set,
    "statefulsets.apps": workload,
    "statuses": _status,
}
