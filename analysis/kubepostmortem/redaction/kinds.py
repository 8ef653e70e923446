"""What a column can hold, and how a text of each kind is replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from kubepostmortem.redaction import structures, texts
from kubepostmortem.redaction.pseudonyms import Pseudonyms
from kubepostmortem.redaction.selectors import object_kind, pseudonym
from kubepostmortem.redaction.urls import uri

UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
NAMED = {"Pod": "pod", "Node": "node", "Namespace": "namespace"}

Replace = Callable[[str], str]
ReplaceBeside = Callable[[str, str], str]


def kinds(by: Pseudonyms) -> Mapping[str, Replace]:
    """Return what replaces a text, by kind."""
    alone = {kind: getattr(by, kind) for kind in OWN} | {
        "safe": str,
        "remark": texts.remark,
    }
    found = alone | {kind: _bound(replace, by) for kind, replace in TEXTS.items()}
    return {kind: partial(_unless_empty, replace) for kind, replace in found.items()}


def beside(by: Pseudonyms) -> Mapping[str, ReplaceBeside]:
    """Return what replaces a text where another column says what it is, by kind."""
    return {kind: _bound_beside(replace, by) for kind, replace in PAIRS.items()}


def audit_id(text: str, by: Pseudonyms) -> str:
    """Keep a UUID, which says nothing; clients may send any other text.

    Its first 64 characters count: the API server's log has no more, and must still join.
    """
    return text if UUID.fullmatch(text) else by.tag("audit", text[:64])


def dropped(text: str, by: Pseudonyms) -> str:
    """Leave a text out; what stands for it only tells it from others, so that all still count."""
    return f"(redacted {by.tag('text', text).rpartition('-')[2]})"


def account(text: str, by: Pseudonyms) -> str:
    """Replace a service account, NAMESPACE:NAME."""
    namespace, _, name = text.partition(":")
    return f"{by.namespace(namespace)}:{by.name(name)}"


def component(text: str, username: str, by: Pseudonyms) -> str:
    """Replace a component that is named after a user or a service account."""
    if text == username:
        return by.user(text)
    namespace, slash, name = text.partition("/")
    if slash:
        return f"{by.namespace(namespace)}/{by.name(name)}"
    return texts.client(text, by)


def _bound(replace: Callable[[str, Pseudonyms], str], by: Pseudonyms) -> Replace:
    return lambda text: replace(text, by)


def _bound_beside(replace: Callable[[str, str, Pseudonyms], str], by: Pseudonyms) -> ReplaceBeside:
    return lambda text, other: replace(text, other, by)


def _unless_empty(replace: Replace, text: str) -> str:
    """No text stays none: a request without a user must not get one."""
    return replace(text) if text else text


def _object(text: str, resource: str, by: Pseudonyms) -> str:
    return pseudonym(text, object_kind(resource), by)


def _named(text: str, kind: str, by: Pseudonyms) -> str:
    """The name of an object of a kind; of most kinds, it can be one that ends like a pod's."""
    return pseudonym(text, NAMED.get(kind, "name"), by)


OWN = ("actor", "group", "ip", "letters", "name", "namespace", "node", "pod", "user")
TEXTS: Mapping[str, Callable[[str, Pseudonyms], str]] = {
    "account": account,
    "agent": texts.agent,
    "answers": texts.answers,
    "audit_id": audit_id,
    "client": texts.client,
    "constant": texts.constant,
    "dropped": dropped,
    "endpoint": texts.endpoint,
    "host": texts.host,
    "instance": structures.instance,
    "metric": structures.metric_name,
    "node_labels": structures.node_labels,
    "path": structures.path,
    "phrase": texts.phrase,
    "rules": structures.flow_rules,
    "setting_name": structures.setting_name,
    "uri": uri,
    "version": texts.version,
}
PAIRS: Mapping[str, Callable[[str, str, Pseudonyms], str]] = {
    "component": component,
    "named": _named,
    "object": _object,
    "setting": structures.setting,
}
