"""A cause: growth of one pattern, how large it is, since when, and what part it has in it all."""

from __future__ import annotations

from dataclasses import dataclass

from kubepostmortem.attribution.patterns import Named, Pattern
from kubepostmortem.attribution.sizes import Size


@dataclass(frozen=True, slots=True)
class Began:
    """When growth began: a bin, its time, and the times that are about as likely.

    Times are in seconds on the clock of the axis; after_s: seconds since the overload of its
    cluster began, negative before it.
    """

    bin: int
    began_s: float
    earliest_s: float
    latest_s: float
    after_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Cause:
    """Growth of a pattern and what it is: primary, possible, induced or minor.

    primary: it started the overload; possible: it may be a second cause, the evidence does not
    tell; minor: too small for either. newcomer: none or hardly any of it was there in the baseline;
    why: a sentence part.
    """

    named: Named
    size: Size
    onset: Began | None
    newcomer: bool
    kind: str = "minor"
    why: str = "is too small to have started the overload"

    @property
    def pattern(self) -> Pattern:
        """What it is called."""
        return self.named.pattern

    @property
    def share(self) -> float:
        """Its share of the growth, see growing.grown_cells."""
        return self.named.share

    @property
    def began_s(self) -> float | None:
        """When it began, on the clock of the axis, if that is known."""
        return self.onset.began_s if self.onset else None

    @property
    def after_s(self) -> float | None:
        """When it began, since the overload of its cluster began, if that is known."""
        return self.onset.after_s if self.onset else None
