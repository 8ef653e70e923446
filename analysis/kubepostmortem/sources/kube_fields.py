"""Fields of Kubernetes objects, read without trust in what is there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubepostmortem.sources.content import Unusable, dig, plain
from kubepostmortem.sources.times import NO_TIME, moment

Row = tuple[str, dict[str, Any]]

PLURALS = {"Endpoints": "endpoints", "PodMetrics": "pods", "NodeMetrics": "nodes"}
INTEGERS = range(-(2**31), 2**31)


def resource_of(thing: Any) -> str:
    """Name the resource of an object as metrics do: pods, daemonsets.apps. Raises Unusable."""
    kind, version = said(thing, "kind"), said(thing, "apiVersion")
    if not kind or not version:
        raise Unusable("not a Kubernetes object: no kind or apiVersion")
    group, slash, _ = version.partition("/")
    return f"{plural(kind)}.{group}" if slash else plural(kind)


def plural(kind: str) -> str:
    """Return the plural that the API uses for a kind, in lower case."""
    word = kind.lower()
    if kind in PLURALS:
        return PLURALS[kind]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def said(thing: Any, *path: str) -> str | None:
    """Return the text at this path; None where there is none."""
    return plain(dig(thing, *path))


def first_said(thing: Any, *paths: tuple[str, ...]) -> str | None:
    """Return the first text that stands at one of these paths."""
    return next((text for path in paths if (text := said(thing, *path))), None)


def number(thing: Any, *path: str) -> int | None:
    """Return the 32-bit integer at this path; None where there is none."""
    value = dig(thing, *path)
    return value if type(value) is int and value in INTEGERS else None


def name_of(thing: Any) -> str:
    """Return the name of an object. Raises Unusable."""
    name = said(thing, "metadata", "name")
    if name is None:
        raise Unusable("an object without name")
    return name


def created_at(thing: Any) -> datetime | None:
    """When an object was created, naive UTC; None: it does not say, so it is from no cluster."""
    stamp = said(thing, "metadata", "creationTimestamp")
    return moment(stamp) if stamp else None


def first_time(thing: Any, *paths: tuple[str, ...]) -> datetime:
    """Return the first time that stands at one of these paths, naive UTC. Raises Unusable."""
    stamp = first_said(thing, *paths)
    if stamp is None:
        raise Unusable(NO_TIME)
    return moment(stamp)
