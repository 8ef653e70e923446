"""Lines of Kubernetes' own logs (klog), whatever wrote them down: their time and their message."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

# What container runtimes, `kubectl logs --timestamps` and journald put before a line.
PREFIX = (
    r"^(?:\[[^\] ]+\] )?(?:(?P<written_at>\d{4}-\d\d-\d\dT\S+) )?"
    r"(?:std(?:out|err) [FP] |(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?\S+ [^ :]+: )?(?P<text>.*)$"
)
BARE = r"^(?:[IWEF]\d{4} |\{)"
HEADER = r"[IWEF](?P<stamp>\d{4} \d\d:\d\d:\d\d\.\d{1,9}) +\d+ [^ \]]+\] "
LINE = rf"^{HEADER}(?P<message>.*)$"
DOCKER = '{"log":"'

QUARTER_US = 900_000_000  # all zones are whole quarters of an hour apart
ZONES = timedelta(hours=14)
SLACK = timedelta(days=1)


def unwrapped(lines: pl.DataFrame) -> pl.DataFrame:
    """Take each line out of what a container runtime or journald wrapped around it.

    lines: line (number) and text. Returns line, text and written_at, the time that the wrapping
    tells (naive UTC; null: none).
    """
    docker = pl.col("text").str.starts_with(DOCKER)
    stamped = pl.concat([_of_docker(lines.filter(docker)), _prefixed(lines.filter(~docker))])
    written_at = pl.col("written_at").str.to_datetime(
        "%+", time_unit="us", time_zone="UTC", strict=False
    )
    return stamped.with_columns(written_at.dt.replace_time_zone(None))


def _of_docker(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines of docker's json-file driver; what is damaged stays as it is."""
    text = pl.col("text")
    log = text.str.json_path_match("$.log").str.strip_chars_end("\r\n")
    return lines.with_columns(
        text=log.fill_null(text), written_at=text.str.json_path_match("$.time")
    )


def _prefixed(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that may have a prefix; the many that have none are spared the slow search."""
    bare = pl.col("text").str.contains(BARE)
    parts = pl.col("text").str.extract_groups(PREFIX)
    prefixed = lines.filter(~bare).with_columns(parts.alias("parts")).drop("text").unnest("parts")
    none = lines.filter(bare).with_columns(written_at=pl.lit(None, pl.String))
    return pl.concat([none, prefixed.select("line", "text", "written_at")])


def told(lines: pl.DataFrame, reference: datetime) -> pl.DataFrame:
    """Return the time and message of each unwrapped line that begins as klog writes it.

    Columns: line, message, logged_at (naive UTC; null where it cannot be one), undated (nothing
    but the stamp of klog tells the time, so its year is the last one up to the reference).
    """
    parts = lines.select("line", "written_at", pl.col("text").str.extract_groups(LINE))
    return (
        parts.unnest("text")
        .filter(pl.col("message").is_not_null())
        .select(
            "line",
            "message",
            logged_at=_logged_at(reference),
            undated=pl.col("written_at").is_null(),
        )
    )


def json_bodies(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the unwrapped lines that hold a JSON object (--logging-format=json): line, body."""
    return lines.filter(pl.col("text").str.starts_with("{")).select("line", body="text")


def _logged_at(reference: datetime) -> pl.Expr:
    """The time of a klog stamp, which has no year: the last one that is not after the reference.

    The reference is when the line was written, where that is told; it also tells the zone.
    """
    written_at = pl.col("written_at")
    known = pl.coalesce(written_at, pl.lit(reference))
    years = [_in_year(known.dt.year() + later) for later in (1, 0, -1)]
    stamp = pl.coalesce(*[pl.when(year <= known + SLACK).then(year) for year in years])
    ahead = written_at - stamp
    quarters = (ahead.dt.total_microseconds() / QUARTER_US).round().cast(pl.Int64)
    zone = pl.duration(microseconds=quarters * QUARTER_US)
    return pl.when(ahead.abs() <= ZONES).then(stamp + zone).otherwise(stamp)


def _in_year(year: pl.Expr) -> pl.Expr:
    text = pl.format("{} {}", year, pl.col("stamp"))
    return text.str.to_datetime("%Y %m%d %H:%M:%S%.f", time_unit="us", strict=False)
