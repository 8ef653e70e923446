"""Times as files write them, read into naive UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from kubepostmortem.sources.content import Unusable

NO_ZONE = "time without a zone"
NO_TIME = "no usable time"
ASK_ZONE = "times without a zone: say which it is, like --assume-tz Europe/Berlin"

# Seconds since 1970, or milli-, micro- or nanoseconds: told apart by their length.
EPOCH = re.compile(r"\d{10}(\.\d+)?|\d{13}(\d{3}){0,2}(\.0+)?")
ZONE_APART = re.compile(r" (?:([+-]\d\d:?\d\d)(?: [A-Z+-]\w{0,5})?|UTC|GMT|Z)$")
MOMENTS = pl.Schema(
    {"stamp": pl.String(), "sampled_at": pl.Datetime("us"), "untimely": pl.String()}
)
NO_YEARS = (1, 9999)  # what Go writes for no time at all; what others write for never
LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999


def moment(text: str, zone: str | None = None) -> datetime:
    """Read a time with its zone, or a number of (milli)seconds since 1970; return naive UTC.

    Besides ISO 8601 it knows a zone written apart, as Go prints it: 2024-12-11 14:51:02 -0800 PST.
    zone (IANA name) is that of a time that shows none; of an hour that the clocks show twice in
    autumn, the first is taken. Without zone such a time raises Unusable: a guessed zone moves an
    incident by hours.
    """
    text = text.strip()
    if EPOCH.fullmatch(text):
        return _since_1970(float(text) / 10 ** (len(text.partition(".")[0]) - 10))
    try:
        stamp = datetime.fromisoformat(ZONE_APART.sub(lambda zone: zone[1] or "Z", text))
        return _naive_utc(stamp, zone)
    except (ValueError, OverflowError) as wrong:
        raise wrong if isinstance(wrong, Unusable) else Unusable(NO_TIME) from wrong


def moments(texts: pl.Series, zone: str | None = None) -> pl.DataFrame:
    """Read each different text as moment() does (MOMENTS); untimely: why it cannot be read."""
    rows = [(text, *_moment_or_reason(text, zone)) for text in texts.unique().drop_nulls()]
    return pl.DataFrame(rows, schema=MOMENTS, orient="row")


def _moment_or_reason(text: str, zone: str | None) -> tuple[datetime | None, str | None]:
    try:
        return moment(text, zone), None
    except Unusable as why:
        return None, str(why)


def _since_1970(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 6), UTC).replace(tzinfo=None)


def _naive_utc(stamp: datetime, zone: str | None) -> datetime:
    if stamp.year in NO_YEARS:
        raise Unusable(NO_TIME)
    if stamp.tzinfo is None:
        if zone is None:
            raise Unusable(NO_ZONE)
        stamp = stamp.replace(tzinfo=ZoneInfo(zone))
    return stamp.astimezone(UTC).replace(tzinfo=None)


def since_epoch(seconds: pl.Expr) -> pl.Expr:
    """Seconds since 1970 as naive UTC times, to the millisecond; null where out of range."""
    return milliseconds_since_epoch((seconds * 1000).round())


def milliseconds_since_epoch(milliseconds: pl.Expr) -> pl.Expr:
    """Whole milliseconds since 1970 as naive UTC times; null where out of range."""
    usable = pl.when(milliseconds.is_between(0, LAST_MILLISECOND)).then(milliseconds)
    return usable.cast(pl.Int64).cast(pl.Datetime("ms")).cast(pl.Datetime("us"))
