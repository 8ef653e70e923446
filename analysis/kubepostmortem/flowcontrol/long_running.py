"""Streams: requests that may go on for as long as the client likes."""

from __future__ import annotations

from kubepostmortem.flowcontrol.classify import Call

VERBS = ("watch", "proxy")
SUBRESOURCES = ("attach", "exec", "proxy", "log", "portforward")
PROFILES = "/debug/pprof/"


def is_long_running(call: Call) -> bool:
    """Whether the API server takes a request for a stream."""
    if call.verb in VERBS:
        return True
    if call.of_resource:
        return call.subresource in SUBRESOURCES
    return call.path.startswith(PROFILES)


def bypasses(call: Call) -> bool:
    """Whether a request passes by API Priority and Fairness: streams do that are no watches."""
    return call.verb != "watch" and is_long_running(call)
