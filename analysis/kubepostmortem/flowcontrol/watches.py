"""Watches that are told of a write: the API server counts them to tell how much a write costs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubepostmortem.flowcontrol.classify import Call

READING = ("get", "list", "watch", "proxy")
OF_ONE_NODE = re.compile(r"(^|,)spec\.nodeName==?[^,=]")


@dataclass(frozen=True, slots=True)
class Watched:
    """What a watch is counted under: all objects of a resource, of a namespace, or one of them."""

    api_group: str
    resource: str
    namespace: str = ""
    name: str = ""


def counted_under(watch: Call, field_selector: str = "") -> Watched | None:
    """Return what a watch is counted under; None for pods of one node, which an index serves."""
    pods = (watch.api_group, watch.resource) == ("", "pods")
    if pods and OF_ONE_NODE.search(field_selector):
        return None
    return Watched(watch.api_group, watch.resource, watch.namespace, watch.name)


def told_of(write: Call) -> tuple[Watched, ...]:
    """Return all under which watches are counted that are told of this write; none of reads."""
    if write.verb in READING or not write.of_resource:
        return ()
    kind = (write.api_group, write.resource)
    places = [Watched(*kind)]
    if write.namespace:
        places.append(Watched(*kind, write.namespace))
    if write.name:
        places.append(Watched(*kind, write.namespace, write.name))
    return tuple(places)
