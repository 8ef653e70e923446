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
from numba.extending import register_jitable

from kubepostmortem.flowcontrol import serving
from kubepostmortem.flowcontrol.clients import Clients
from kubepostmortem.flowcontrol.processor import Processor
from kubepostmortem.flowcontrol.state import Hands, Levels, Requests, Watching
from kubepostmortem.flowcontrol.world import World

SOURCES = (
    "admitting",
    "clients",
    "compiled",
    "ending",
    "events",
    "executing",
    "meters",
    "processor",
    "queues",
    "retry_after",
    "seats",
    "serving",
    "state",
    "work",
    "world",
)
Plain = tuple[tuple[Any, ...], ...]

_serve, _adjust = serving.serve, serving.adjust


def serve(world: World, hands: Hands, until_ns: int) -> int:
    """Do as serving.serve does."""
    return int(_served(_plain(world), hands, until_ns))


def adjust(world: World, level: int, limit: int, ns: int) -> None:
    """Do as serving.adjust does."""
    _adjusted(_plain(world), level, limit, ns)


def _plain(world: World) -> Plain:
    return tuple(tuple(part) for part in world)


def _hash() -> int:
    here = files(__package__)
    text = b"".join(here.joinpath(f"{name}.py").read_bytes() for name in SOURCES)
    return int.from_bytes(sha256(text).digest()[:4])


def _compile(sources: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    @register_jitable
    def _of(plain):  # type: ignore[no-untyped-def]
        return World(
            Levels(*plain[0]),
            Requests(*plain[1]),
            Watching(*plain[2]),
            Clients(*plain[3]),
            Processor(*plain[4]),
        )

    @njit(cache=True, nogil=True)
    def served(plain, hands, until_ns):  # type: ignore[no-untyped-def]
        assert sources >= 0
        return _serve(_of(plain), hands, until_ns)  # type: ignore[no-untyped-call]

    @njit(cache=True, nogil=True)
    def adjusted(plain, level, limit, ns):  # type: ignore[no-untyped-def]
        assert sources >= 0
        _adjust(_of(plain), level, limit, ns)  # type: ignore[no-untyped-call]

    return served, adjusted


_served, _adjusted = _compile(_hash())
