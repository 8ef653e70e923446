"""Spans of time in which a live server is asked, so that no sample is lost or comes twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from kubepostmortem.incident import Window

LONGEST_MS = 3_600_000
SHORTEST_MS = 60_000  # what is not longer is not halved


@dataclass(frozen=True, slots=True)
class Span:
    """Milliseconds since 1970: (begin, end], as newer versions take the range of a selector."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        """Milliseconds."""
        return self.end - self.begin

    @property
    def halves(self) -> tuple[Span, ...]:
        """Both halves; none of a span that is short enough."""
        if self.length <= SHORTEST_MS:
            return ()
        middle = (self.begin + self.end) // 2
        return Span(self.begin, middle), Span(middle, self.end)


def spans(window: Window, longest: int = LONGEST_MS) -> list[Span]:
    """Cut a window at full hours, or multiples of another length in ms, whatever it begins with.

    Every span ends a millisecond before a full hour: samples lie at whole milliseconds, so that
    the spans hold exactly those of the half-open window. Older versions include the begin of a
    range as well; what stands there comes twice, and is known the second time.
    """
    begin, end = milliseconds(window.begins_at), milliseconds(window.ends_at)
    cuts = range((begin // longest + 1) * longest, end, longest)
    return [Span(b - 1, e - 1) for b, e in pairwise([begin, *cuts, end])]


def milliseconds(moment: datetime) -> int:
    """Return a naive UTC time as milliseconds since 1970, rounded down."""
    return (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
