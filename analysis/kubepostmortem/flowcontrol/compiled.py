"""What of the replay is compiled, once for all runs.

Numba keeps compiled functions as long as their own file stays the same. These ones are made of
several files, so a hash of all of these is made part of what they are kept under; and they take
plain tuples, since kept functions whose classes were renamed cannot be read any more.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from typing import Any

from numba import njit

from kubepostmortem.flowcontrol import serving
from kubepostmortem.flowcontrol.state import Hands, Levels, Requests, Watching

SOURCES = ("compiled", "events", "meters", "queues", "serving", "state", "work")

_serve, _adjust = serving.serve, serving.adjust


def serve(
    levels: Levels, requests: Requests, watching: Watching, hands: Hands, until_ns: int
) -> int:
    """Do as serving.serve does."""
    return int(_served(tuple(levels), tuple(requests), tuple(watching), hands, until_ns))


def adjust(
    levels: Levels, level: int, requests: Requests, watching: Watching, limit: int, ns: int
) -> None:
    """Do as serving.adjust does."""
    _adjusted(tuple(levels), level, tuple(requests), tuple(watching), limit, ns)


def _hash() -> int:
    here = files(__package__)
    text = b"".join(here.joinpath(f"{name}.py").read_bytes() for name in SOURCES)
    return int.from_bytes(sha256(text).digest()[:4])


def _compile(sources: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    @njit(cache=True, nogil=True)
    def served(levels, requests, watching, hands, until_ns):  # type: ignore[no-untyped-def]
        assert sources >= 0
        return _serve(Levels(*levels), Requests(*requests), Watching(*watching), hands, until_ns)

    @njit(cache=True, nogil=True)
    def adjusted(levels, level, requests, watching, limit, ns):  # type: ignore[no-untyped-def]
        assert sources >= 0
        _adjust(Levels(*levels), level, Requests(*requests), Watching(*watching), limit, ns)

    return served, adjusted


_served, _adjusted = _compile(_hash())
