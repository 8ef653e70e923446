"""Series of VictoriaMetrics: one JSON line per series, as /api/v1/export writes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from kubepostmortem.sources.content import CUT_LINE, content
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.samples import SAMPLES, SERIES, Samples, load_samples
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.times import milliseconds_since_epoch

name = "VictoriaMetrics export"
describes = "JSON lines of /api/v1/export of VictoriaMetrics: metric, values and timestamps"

NOT_JSON = "not JSON"
NO_SERIES = "not a series: metric, values and timestamps"
UNEQUAL = "as many values as timestamps are needed"
NO_NAME = "a series without a name"
NO_SAMPLE = "a sample without usable time"
SPECIAL = {"NaN": math.nan}
SPECIAL |= dict.fromkeys(("Infinity", "+Infinity", "Inf", "+Inf"), math.inf)
SPECIAL |= dict.fromkeys(("-Infinity", "-Inf"), -math.inf)


def recognises(file: InputFile) -> bool:
    """An object with metric, values and timestamps; a long series may fill the whole head."""
    keys = file.document_keys
    endless = "\n" not in file.text.strip()
    return {"metric", "values"} <= keys and ("timestamps" in keys or endless)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the samples that are not known yet."""
    return load_samples(read, batch, target)


def read(file: InputFile, target: Target) -> Samples:
    """Read one series per line; null is NaN, as the API writes it."""
    data, broken = content(file)
    parsed = [_read(line) for line in _lines(data, broken)]
    series = [one for one in parsed if isinstance(one, Series)]
    refused = [one for one in parsed if isinstance(one, Rejection)]
    samples = pl.concat([pl.DataFrame(schema=SAMPLES), *(one.samples() for one in series)])
    dated = pl.col("sampled_at").is_not_null()
    undated = samples.filter(~dated).group_by("series").len().iter_rows()
    lost = [Rejection(NO_SAMPLE, b"", line) for line, many in undated for _ in range(many)]
    return Samples(
        series=pl.DataFrame([one.described() for one in series if one.values.len()], schema=SERIES),
        samples=samples.filter(dated),
        rejections=[*refused, *lost],
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file; cut: why the last one may be broken off."""

    number: int
    byte_offset: int
    text: bytes
    cut: str | None = None

    def rejected(self, reason: str) -> Rejection:
        """This line as a rejection."""
        return Rejection(reason, self.text, self.number, self.byte_offset)


@dataclass(frozen=True, slots=True)
class Series:
    """One series; stamps are milliseconds since 1970."""

    line: int
    labels: dict[str, str]
    stamps: pl.Series
    values: pl.Series

    def described(self) -> dict[str, Any]:
        """The series as a row of SERIES, under the number of its line."""
        pairs = [{"key": k, "value": v} for k, v in sorted(self.labels.items()) if k != "__name__"]
        return {"series": self.line, "metric": self.labels["__name__"], "labels": pairs}

    def samples(self) -> pl.DataFrame:
        """Its samples; sampled_at is null where a stamp is out of range."""
        return pl.DataFrame({"stamp": self.stamps, "value": self.values}).select(
            pl.lit(self.line, pl.Int64).alias("series"),
            milliseconds_since_epoch(pl.col("stamp")).alias("sampled_at"),
            pl.col("value").fill_null(math.nan),
        )


def _lines(data: bytes, broken: str | None) -> Iterator[Line]:
    offset, texts = 0, data.split(b"\n")
    for number, text in enumerate(texts, start=1):
        ends = number < len(texts)
        if text.strip() or (broken and not ends):
            yield Line(number, offset, text, None if ends else broken or CUT_LINE)
        offset += len(text) + 1


def _read(line: Line) -> Series | Rejection:
    if line.cut and line.cut != CUT_LINE:
        return line.rejected(line.cut)
    try:
        told = orjson.loads(line.text)
    except orjson.JSONDecodeError:
        return line.rejected(line.cut or NOT_JSON)
    try:
        labels = {key: str(value) for key, value in told["metric"].items()}
        stamps = pl.Series(told["timestamps"], dtype=pl.Int64)
        values = _numbers(told["values"])
    except (AttributeError, LookupError, TypeError, OverflowError, pl.exceptions.PolarsError):
        return line.rejected(NO_SERIES)
    if "__name__" not in labels or stamps.len() != values.len():
        return line.rejected(UNEQUAL if "__name__" in labels else NO_NAME)
    return Series(line.number, labels, stamps, values)


def _numbers(values: list[Any]) -> pl.Series:
    """Values as numbers. Infinite ones are written as texts, and are rare. Raises TypeError."""
    try:
        return pl.Series(values, dtype=pl.Float64)
    except TypeError:
        return pl.Series([SPECIAL.get(str(v), v) for v in values], dtype=pl.Float64)
