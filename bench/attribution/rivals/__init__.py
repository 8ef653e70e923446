"""Published localisers of multi-dimensional root causes, written anew from their papers."""

from __future__ import annotations

from functools import partial

from ..incident import Localiser
from .adapter import answer
from .adtributor import adtributor
from .riskloc import riskloc
from .squeeze import squeeze

RIVALS: tuple[tuple[str, Localiser], ...] = (
    ("Adtributor", partial(answer, adtributor)),
    ("RiskLoc", partial(answer, riskloc)),
    ("Squeeze", partial(answer, squeeze)),
)
"""Name and localiser of incidents."""
