"""Columns that hold more than one text: labels, rules of flow schemas, settings, paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson

from kubepostmortem.redaction.pseudonyms import Pseudonyms
from kubepostmortem.redaction.selectors import pseudonym
from kubepostmortem.redaction.urls import uri
from kubepostmortem.redaction.vocabulary import declared

QUOTED = r'"((?:[^"\\]|\\.)*)"'
PAIR = re.compile(f"{QUOTED}={QUOTED}", re.DOTALL)
PLAIN_VALUE = re.compile(
    r"-?\d+(\.\d+)?[a-z%]{0,2}|(\d+(\.\d+)?(h|m|s|ms|us))+|true|false|json|\(withheld\)"
)
# Keys in the rules of a flow schema, and the kind of the texts behind them; None: words of the API.
RULE_KEYS = {
    "apiGroups": None,
    "clusterScope": None,
    "group": None,
    "kind": None,
    "name": "name",
    "namespace": "namespace",
    "namespaces": "namespace",
    "nonResourceRules": None,
    "nonResourceURLs": "uri",
    "resourceRules": None,
    "resources": None,
    "serviceAccount": None,
    "subjects": None,
    "user": None,
    "verbs": None,
}
EXTENSIONS = re.compile(r"(\.[a-z0-9]{1,8}){1,3}$")
KNOWN_EXTENSIONS = re.compile(r"csv|gz|jsonl?|log|lz4|parquet|prom|tar|tgz|txt|xz|ya?ml|zip|zst")


def metric_name(text: str, by: Pseudonyms) -> str:
    """Keep the name of a metric; a text that cannot be one is a title that somebody wrote."""
    return text if re.fullmatch(r"[A-Za-z_:][A-Za-z0-9_:.]*", text) else by.tag("metric", text)


def node_labels(text: str, by: Pseudonyms) -> str:
    """Replace labels of a node, written as DuckDB reads a map: {"a"="1", "b"="2"}."""
    pairs = (_node_label(_unescaped(k), _unescaped(v), by) for k, v in PAIR.findall(text))
    return "{" + ", ".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs) + "}"


def flow_rules(text: str, by: Pseudonyms) -> str:
    """Replace the subjects, namespaces and URLs in the rules of a flow schema, JSON."""
    try:
        return orjson.dumps(_walked(orjson.loads(text), by)).decode()
    except ValueError:
        return "[]"


def setting(text: str, flag: str, by: Pseudonyms) -> str:
    """Keep numbers, switches and lists of words of the API; replace any other value of a flag."""
    kept = flag in declared()["settings"]["safe"].split() or PLAIN_VALUE.fullmatch(text)
    return text if kept else by.tag("value", text)


def setting_name(text: str, by: Pseudonyms) -> str:
    """Keep what can be the name of a flag."""
    return text if re.fullmatch(r"[a-z][a-z0-9-]{0,60}", text) else by.tag("setting", text)


def path(text: str, by: Pseudonyms) -> str:
    """Replace the path of a file by a pseudonym and its usual extensions."""
    found = EXTENSIONS.search(text)
    kept = [e for e in found[0].split(".") if KNOWN_EXTENSIONS.fullmatch(e)] if found else []
    return ".".join([by.tag("file", text), *kept])


def instance(text: str, by: Pseudonyms) -> str:
    """Replace the node in API-SERVER/NODE, the name of an API server instance."""
    server, slash, node = text.rpartition("/")
    return f"{by.name(server)}/{by.node(node)}" if slash else by.pod(text)


@cache
def label_kinds() -> Mapping[str, str]:
    """Return the kind of each label of metrics that is known."""
    kinds: dict[str, str] = dict(declared()["labels"])
    return kinds | dict.fromkeys(kinds.pop("safe").split(), "safe") | {"resource": "safe"}


def labels(
    entries: list[dict[str, str]], kinds: Mapping[str, Callable[[str], str]]
) -> list[dict[str, str]]:
    """Replace the values of the labels of a metric, by the kind of each."""
    return [
        {"key": e["key"], "value": kinds[label_kinds().get(e["key"], "name")](e["value"])}
        for e in entries
    ]


def _walked(value: Any, by: Pseudonyms, key: str = "", above: str = "") -> Any:
    """Replace the texts of a JSON value; what a text is hangs on its key, and on the one above."""
    if isinstance(value, dict):
        return {k: _walked(v, by, k, key) for k, v in value.items() if k in RULE_KEYS}
    if isinstance(value, list):
        return [_walked(entry, by, key, above) for entry in value]
    kind = {"user": "user", "group": "group"}.get(above) or RULE_KEYS.get(key)
    if not isinstance(value, str) or kind is None or value == "*":
        return value
    return uri(value, by) if kind == "uri" else pseudonym(value, kind, by)


def _node_label(key: str, value: str, by: Pseudonyms) -> tuple[str, str]:
    declared_labels = declared()["node_labels"]
    if key in declared_labels["safe"].split():
        return key, value
    if key == "kubernetes.io/hostname":
        return key, by.node(value)
    domain, _, _ = key.partition("/")
    known = re.fullmatch(rf"([a-z0-9-]+\.)*({declared_labels['domains']})", domain)
    return key if known else by.name(key), by.name(value) if value else value


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
