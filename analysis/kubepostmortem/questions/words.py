"""Numbers, lists and times as sentences write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


def listed(words: Sequence[str], most: int = 4) -> str:
    """Join words: a, b and c; what is beyond `most` is counted."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most} more")
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def resources(names: Sequence[str]) -> str:
    """Name resources, or what has none."""
    return listed(names) or "non-resource URLs"


def percent(share: float) -> str:
    """Write a share as a percentage, small ones with a digit."""
    return f"{share:.0%}" if share >= 0.0995 or share == 0 else f"{share:.1%}"


def when(moment: datetime) -> str:
    """Write a naive UTC time with date and zone, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float) -> str:
    """Write a duration in the two units that matter: 4 min 10 s, 3 h 2 min, 12.3 s."""
    if abs(seconds) < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def number(amount: float) -> str:
    """Write a number with three digits that matter and thousands apart."""
    if abs(amount) >= 100:
        return f"{amount:,.0f}"
    return f"{amount:.3g}"
