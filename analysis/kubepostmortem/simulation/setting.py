"""A setting of an API server, and how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["objects", "flags", "metrics", "audit log", "release defaults"]


@dataclass(frozen=True)
class Setting:
    """One setting with where it came from; detail: a sentence that says by what it is known."""

    name: str
    value: str
    origin: Origin
    detail: str
