"""Request URLs: paths with the names of objects, and queries with selectors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote_plus

from kubepostmortem.redaction.pseudonyms import Pseudonyms
from kubepostmortem.redaction.selectors import object_kind, pseudonym, selector

RESOURCE = re.compile(
    r"(?P<root>/(?:api/v\d\w*|apis/[a-z0-9.-]+/v\d\w*)(?:/watch)?)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<resource>[a-z0-9.-]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<subresource>[a-z]+)(?:/(?P<rest>.*))?)?)?/?",
    re.DOTALL,
)
# Paths that hold no names.
KNOWN = re.compile(
    r"/(?:api|apis|version|metrics|healthz|livez|readyz|openapi/v[23]|logs"
    r"|\.well-known/openid-configuration|openid/v1/jwks)?/?"
    r"|/(?:livez|readyz|healthz)/(?:etcd(?:-readiness)?|log|ping|informer-sync|shutdown"
    r"|poststarthook/[a-z0-9./-]+|autoregister-completion|apiservice-[a-z-]+)"
    r"|/api/v1|/apis/[a-z0-9.-]+(?:/v\d\w*)?|/openapi/v3/(?:api|apis/[a-z0-9.-]+)(?:/v\d\w*)?"
)
# How a path begins decides about the caller (macro url_shape), so it stays.
SHAPE = re.compile(r"/(?:metrics|healthz|livez|readyz|(?:api|apis|openapi|version)(?:/|\Z))|/?")
VALUE = re.compile(
    r"\d{0,20}|[Tt]rue|TRUE|[Ff]alse|FALSE|All|Exact|NotOlderThan|Background|Foreground|Orphan"
)
SELECTORS = ("fieldSelector", "labelSelector")
PARAMETER = re.compile(
    r"allowWatchBookmarks|continue|dryRun|fieldSelector|follow|force|labelSelector|limit|pretty"
    r"|propagationPolicy|resourceVersion(Match)?|sendInitialEvents|tailLines|timeout(Seconds)?|watch"
)


def uri(text: str, by: Pseudonyms) -> str:
    """Replace the names in a URL; parameters that the API server does not know are left out."""
    path, mark, query = text.partition("?")
    found = RESOURCE.fullmatch(path)
    if KNOWN.fullmatch(path):
        redacted = path
    else:
        redacted = _of_resource(found, by) if found else _odd(path, by)
    resource = found["resource"] if found else ""
    return redacted + mark + "&".join(_parameters(query, resource, by))


def _of_resource(found: re.Match[str], by: Pseudonyms) -> str:
    parts = [found["root"]]
    if found["namespace"]:
        parts += ["namespaces", by.namespace(unquote_plus(found["namespace"]))]
    parts.append(found["resource"])
    if found["name"]:
        kind = object_kind(found["resource"], found["namespace"])
        parts.append(pseudonym(unquote_plus(found["name"]), kind, by))
    if found["subresource"]:
        parts.append(found["subresource"])
    if found["rest"]:
        parts.append(by.tag("path", found["rest"]))
    return "/".join(parts)


def _odd(path: str, by: Pseudonyms) -> str:
    """A path that is none of the API: how it begins, and a tag for all of it."""
    begins = SHAPE.match(path)
    end = begins.end() if begins else 0
    return path[:end] + by.tag("path", path) if path[end:] else path


def _parameters(query: str, resource: str, by: Pseudonyms) -> Iterator[str]:
    for parameter in re.split("[?#]", query, maxsplit=1)[0].split("&"):
        key, equals, value = parameter.partition("=")
        if PARAMETER.fullmatch(key) and equals:
            yield f"{key}={quote(_value(key, unquote_plus(value), resource, by), safe='')}"


def _value(key: str, value: str, resource: str, by: Pseudonyms) -> str:
    if key in SELECTORS:
        return selector(value, resource, by)
    return value if VALUE.fullmatch(value) else "x"
