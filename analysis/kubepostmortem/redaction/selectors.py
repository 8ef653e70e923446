"""Field and label selectors: their keys say what is asked for, their values hold names."""

from __future__ import annotations

import re

from kubepostmortem.redaction.pseudonyms import Pseudonyms
from kubepostmortem.redaction.vocabulary import declared

WORD = re.compile(r"[^\s,()!=]+")
KUBERNETES = re.compile(r"([a-z0-9.-]+\.)?(kubernetes|k8s)\.io/[A-Za-z0-9._-]+")
PLAIN = re.compile(
    r"in|notin|true|false|\d{1,20}|Running|Pending|Succeeded|Failed|Unknown|Normal|Warning|Opaque"
    r"|Pod|Node|Deployment|DaemonSet|ReplicaSet|StatefulSet|Job|Service"
)
# Keys that stay, and the kind of their values.
KEYS = {
    "app": "name",
    "component": "name",
    "controller-revision-hash": "letters",
    "involvedObject.apiVersion": "name",
    "involvedObject.kind": "name",
    "involvedObject.name": "pod",
    "involvedObject.namespace": "namespace",
    "involvedObject.uid": "name",
    "k8s-app": "name",
    "kubernetes.io/hostname": "node",
    "metadata.namespace": "namespace",
    "pod-template-hash": "letters",
    "reason": "name",
    "release": "name",
    "source": "name",
    "spec.nodeName": "node",
    "spec.schedulerName": "name",
    "spec.unschedulable": "name",
    "status.nominatedNodeName": "node",
    "status.phase": "name",
    "status.podIP": "ip",
    "tier": "name",
    "type": "name",
}


def selector(text: str, resource: str, by: Pseudonyms) -> str:
    """Replace the values of a selector of this resource, and keys that are not of Kubernetes."""
    kinds = KEYS | {"metadata.name": object_kind(resource)}
    kind = "name"

    def replaced(found: re.Match[str]) -> str:
        nonlocal kind
        word = found[0]
        if word in kinds or KUBERNETES.fullmatch(word):
            kind = kinds.get(word, "name")
            return word
        return word if PLAIN.fullmatch(word) else pseudonym(word, kind, by)

    return WORD.sub(replaced, text)


def object_kind(resource: str | None, namespace: str | None = None) -> str:
    """Return the kind of the names of a resource's objects; a lease of a node is named as it."""
    kind: str = declared()["objects"].get(resource, "name")
    return "node" if namespace == "kube-node-lease" else kind


def pseudonym(text: str, kind: str, by: Pseudonyms) -> str:
    """Return the pseudonym of a text of this kind, a method of Pseudonyms."""
    replaced: str = getattr(by, kind)(text)
    return replaced
