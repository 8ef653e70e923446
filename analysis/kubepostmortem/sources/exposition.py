"""Metrics in the Prometheus text format (`kubectl get --raw /metrics`) and in OpenMetrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate

import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.sources.content import BLANK, CUT_LINE, content
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.native_histograms import COUNT, HISTOGRAM, with_classic, written_out
from kubepostmortem.sources.samples import NO_NUMBER, SAMPLES, SERIES, Samples, load_samples
from kubepostmortem.sources.series_text import LABELS, METRIC, read_series
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.times import NO_TIME, since_epoch

name = "Prometheus text"
describes = "Metrics as text: kubectl get --raw /metrics, OpenMetrics, promtool tsdb dump"

SAMPLE = (
    rf"^(?P<metric>{METRIC})?(?:[ \t]*\{{[ \t]*(?P<labels>{LABELS})\}}|[ \t])[ \t]*"
    rf"(?P<value>{HISTOGRAM}|[^ \t#{{]+)(?:[ \t]+(?P<stamp>[^ \t#]+))?(?:[ \t]+#.*)?$"
)

NUMBER = r"[-+]?(?:[0-9.][-+0-9.eE]*|Inf|NaN)"
BEGINS_SAMPLE = re.compile(
    rf"(?:(?:{METRIC})?[ \t]*\{{[ \t]*{LABELS}\}}[ \t]*|[a-zA-Z:]+_\w*[ \t]+)"
    rf"(?:{NUMBER}(?:\s|$)|\{{count:)"
)
TYPED = re.compile(r"^# TYPE \S+ (counter|gauge|histogram|summary|un\w+|info|stateset)\s", re.M)
OPENMETRICS = re.compile(r"^# EOF\s*$", re.M)

IS_HISTOGRAM = pl.col("written").str.starts_with("{")

NOT_A_SAMPLE = "neither a sample nor a comment"
NO_NAME = "a sample of a metric without name"
NAMED_TWICE = "a label is named twice"


def recognises(file: InputFile) -> bool:
    """A comment that types a metric, or a first line that is a sample."""
    text = file.text.lstrip(BLANK)
    return bool(TYPED.search(text)) if text[:1] == "#" else bool(BEGINS_SAMPLE.match(text))


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the samples that are not known yet."""
    return load_samples(read, batch, target)


def read(file: InputFile, target: Target) -> Samples:
    """Read one sample per line; those without a time of their own were taken at target.taken_at.

    Times are milliseconds since 1970; in OpenMetrics, which ends with # EOF, they are seconds.
    """
    data, broken = content(file)
    text = data.decode("utf-8", errors="replace")
    written = _written(text)
    series = read_series(written.select("series", "metric", "labels").unique(maintain_order=True))
    taken_at = target.taken_at or _modified_at(file)
    samples = _judged(_dated(written, taken_at, text).join(series, on="series"), text)
    good = samples.filter(pl.col("problem").is_null())
    bad = samples.filter(pl.col("problem").is_not_null())
    plain = good.filter(~IS_HISTOGRAM)
    lost = [Rejection(broken, b"", None, len(data))] if broken else []
    found = Samples(
        series=plain.select(SERIES.names()).unique("series"),
        samples=plain.select(SAMPLES.names()),
        rejections=[*_rejections(bad, data), *lost],
        notes=_taken(good["stamp"].null_count(), taken_at, given=target.taken_at is not None),
    )
    native = good.filter(IS_HISTOGRAM).select("series", "sampled_at", "written", histogram="line")
    return with_classic(found, *written_out(native), series)


def _written(text: str) -> pl.DataFrame:
    """Every line that is no comment: its number and series, and its parts as texts."""
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=1)
    stripped = lines.with_columns(pl.col("text").str.strip_chars(BLANK))
    samples = stripped.filter(pl.col("text").str.contains("^[^#]"))
    parts = samples.with_columns(pl.col("text").str.extract_groups(SAMPLE)).unnest("text")
    return parts.with_columns(series=pl.struct("metric", "labels").rank("dense").cast(pl.Int64))


def _dated(written: pl.DataFrame, taken_at: datetime, text: str) -> pl.DataFrame:
    """Times and values as such; `is_sample` is false where the line has another form."""
    stamp = pl.col("stamp").cast(pl.Float64, strict=False)
    seconds = pl.col("stamp").str.contains(".", literal=True) | bool(OPENMETRICS.search(text))
    sampled_at = since_epoch(pl.when(seconds).then(stamp).otherwise(stamp / 1000))
    undated = pl.col("stamp").is_null()
    number = pl.col("value").cast(pl.Float64, strict=False)
    count = pl.col("value").str.extract(COUNT).cast(pl.Float64, strict=False)
    return written.select(
        "line",
        "series",
        "stamp",
        written="value",
        is_sample=pl.col("value").is_not_null(),
        sampled_at=pl.when(undated).then(pl.lit(taken_at)).otherwise(sampled_at),
        value=pl.coalesce(number, count),
    )


def _judged(samples: pl.DataFrame, text: str) -> pl.DataFrame:
    """Add the problem of each sample; null: it has none."""
    cut_line = 0 if text.endswith("\n") else text.count("\n") + 1
    problems = {
        CUT_LINE: pl.col("line") == cut_line,
        NOT_A_SAMPLE: ~pl.col("is_sample"),
        NO_NAME: pl.col("metric").is_null(),
        NAMED_TWICE: pl.col("twice"),
        NO_NUMBER: pl.col("value").is_null(),
        NO_TIME: pl.col("sampled_at").is_null(),
    }
    told = [pl.when(holds).then(pl.lit(reason)) for reason, holds in problems.items()]
    return samples.with_columns(problem=pl.coalesce(told))


def _rejections(bad: pl.DataFrame, data: bytes) -> Iterator[Rejection]:
    if bad.is_empty():
        return
    lines = data.split(b"\n")
    offsets = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for line, reason in bad.select("line", "problem").iter_rows():
        yield Rejection(reason, lines[line - 1], line, offsets[line - 1])


def _modified_at(file: InputFile) -> datetime:
    return datetime.fromtimestamp(file.modified_ns / 1e9, UTC).replace(tzinfo=None)


def _taken(undated: int, taken_at: datetime, *, given: bool) -> str | None:
    whence = "as given" if given else "the file's modification time"
    return f"samples without a time are dated {iso(taken_at)}, {whence}" if undated else None
