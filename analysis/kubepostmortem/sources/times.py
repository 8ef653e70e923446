"""Times as files write them, read into naive UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import polars as pl

from kubepostmortem.sources.content import Unusable

NO_ZONE = "time without a zone"
NO_TIME = "no usable time"

EPOCH = re.compile(r"\d{10}(\.\d+)?|\d{13}")  # seconds or milliseconds since 1970
ZONE_APART = re.compile(r" (?:([+-]\d\d:?\d\d)(?: [A-Z+-]\w{0,5})?|UTC|GMT|Z)$")
LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999


def moment(text: str) -> datetime:
    """Read a time with its zone, or seconds or milliseconds since 1970; return naive UTC.

    Besides ISO 8601 it knows a zone written apart, as Go prints it: 2024-12-11 14:51:02 -0800 PST.
    Raises Unusable where the zone is missing: a guessed zone moves an incident by hours.
    """
    text = text.strip()
    if EPOCH.fullmatch(text):
        return _since_1970(float(text) / (1000 if len(text) == 13 and text.isdigit() else 1))
    try:
        stamp = datetime.fromisoformat(ZONE_APART.sub(lambda zone: zone[1] or "Z", text))
        return _naive_utc(stamp)
    except (ValueError, OverflowError) as wrong:
        raise wrong if isinstance(wrong, Unusable) else Unusable(NO_TIME) from wrong


def _since_1970(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 6), UTC).replace(tzinfo=None)


def _naive_utc(stamp: datetime) -> datetime:
    if stamp.tzinfo is None:
        raise Unusable(NO_ZONE)
    if stamp.year == 1:  # what Go writes for no time at all
        raise Unusable(NO_TIME)
    return stamp.astimezone(UTC).replace(tzinfo=None)


def since_epoch(seconds: pl.Expr) -> pl.Expr:
    """Seconds since 1970 as naive UTC times, to the millisecond; null where out of range."""
    milliseconds = (seconds * 1000).round()
    usable = pl.when(milliseconds.is_between(0, LAST_MILLISECOND)).then(milliseconds)
    return usable.cast(pl.Int64).cast(pl.Datetime("ms")).cast(pl.Datetime("us"))
