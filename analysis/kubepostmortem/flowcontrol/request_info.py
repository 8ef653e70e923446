"""What a request asks for, from its method and URL, resolved as the API server resolves it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from kubepostmortem.flowcontrol.classify import Call
from kubepostmortem.flowcontrol.list_options import is_set, list_options

VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
IN_PATHS = ("proxy", "watch")  # verbs that a path may name
OF_NAMESPACES = ("status", "finalize")  # subresources
NAME_TERM = re.compile(r"metadata\.name==?(.*)", re.DOTALL)
NEVER_NAMES = (".", "..")


def requested(method: str, url: str) -> Call:
    """Resolve a request; url: path and query."""
    path = unquote(urlsplit(url).path)
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        return _of_resource(method, url, "", parts[2:])
    if parts[0] == "apis" and len(parts) >= 4:
        return _of_resource(method, url, parts[1], parts[3:])
    return Call(verb=method.lower(), path=path)


def name_selected(field_selector: str) -> str:
    """Return the name that a field selector leaves, empty where it leaves more than one."""
    terms = re.split(r"(?<!\\),", field_selector)
    found = (NAME_TERM.fullmatch(term) for term in terms)
    name = next((term[1] for term in found if term), "")
    usable = name not in NEVER_NAMES and not set("/%") & set(name)
    return name if usable else ""


def _of_resource(method: str, url: str, group: str, parts: list[str]) -> Call:
    verb = VERBS.get(method, "")
    if parts[0] in IN_PATHS and len(parts) > 1:
        verb, *parts = parts
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in OF_NAMESPACES:
            parts = parts[2:]
    resource, name, subresource = (*parts, "", "")[:3]
    if verb == "proxy":
        subresource = ""
    if not name:
        verb, name = _of_collection(verb, url)
    return Call(verb, group, resource, subresource, namespace, name)


def _of_collection(verb: str, url: str) -> tuple[str, str]:
    """Return the verb for a collection, and the name of its one object that is asked for."""
    if verb == "delete":
        return "deletecollection", ""
    if verb != "get":
        return verb, ""
    watch = parse_qs(urlsplit(url).query, keep_blank_values=True).get("watch", [None])[0]
    options = list_options(url)
    return ("watch" if is_set(watch) else "list"), name_selected(options.field_selector)
