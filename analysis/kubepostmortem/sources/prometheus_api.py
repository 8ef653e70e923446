"""Answers of the Prometheus HTTP API: query_range (matrix) and query (vector), as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from kubepostmortem.sources.content import remarks
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.json_content import documents, excerpt
from kubepostmortem.sources.samples import SERIES, Samples, load_samples
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.times import since_epoch

name = "Prometheus API answer"
describes = "JSON answer of /api/v1/query_range or /api/v1/query of Prometheus, Thanos or Mimir"

# The type stands before the result as Prometheus writes it, behind it where keys were sorted.
RESULT = re.compile(
    r'"resultType"\s*:\s*"(matrix|vector|scalar|string)"'
    r'|"result"\s*:\s*\[\s*\{\s*"(metric|values?|histograms?)"'
)
NO_SERIES = "not a series: labels and pairs of time and value"
NO_SAMPLE = "a sample without usable time or value"


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer; stamps are seconds since 1970, values texts."""

    labels: dict[str, str]
    stamps: Sequence[float]
    values: Sequence[str]
    histograms: int


def recognises(file: InputFile) -> bool:
    """An object with `data` that holds query results, or one that reports an error of the API."""
    keys = file.document_keys
    answer = "data" in keys and RESULT.search(file.text) is not None
    return answer or {"status", "errorType", "error"} <= keys


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the samples that are not known yet."""
    return load_samples(read, batch, target)


def read(file: InputFile, target: Target) -> Samples:
    """Read float samples; a series that a query left without a name gets the name of the file."""
    answers, damaged = documents(file)
    parsed = [one for answer in answers for one in _parsed(answer)]
    series = [one for one in parsed if isinstance(one, Series)]
    refused = [one for one in parsed if isinstance(one, Rejection)]
    samples, unusable = _samples(series)
    metric = stem(file.path.name)
    return Samples(
        series=_numbered(series, metric),
        samples=samples,
        rejections=[*refused, *unusable, *damaged],
        filtered=sum(one.histograms for one in series),
        notes=remarks(_warnings(answers), _unnamed(series, metric), _left_out(series)),
    )


def stem(file_name: str) -> str:
    """Name a file without .gz and .json."""
    return file_name.removesuffix(".gz").removesuffix(".json")


def _parsed(answer: Any) -> Iterator[Series | Rejection]:
    data = answer.get("data") if isinstance(answer, dict) else None
    results = data.get("result") if isinstance(data, dict) else None
    if reason := _refused(answer, data, results):
        yield Rejection(reason, excerpt(answer))
    else:
        yield from map(_series, results or ())


def _refused(answer: Any, data: Any, results: Any) -> str | None:
    """Why an answer holds no series, where it holds none."""
    if isinstance(answer, dict) and answer.get("status") == "error":
        return f"the API answered {answer.get('errorType')}: {answer.get('error')}"
    if isinstance(data, dict) and data.get("resultType") in ("scalar", "string"):
        return f"a {data['resultType']}: the answer does not tell of which series"
    return None if isinstance(results, list) else "no query results"


def _series(result: Any) -> Series | Rejection:
    """One entry of a matrix (`values`) or a vector (`value`)."""
    try:
        labels = {key: str(value) for key, value in result["metric"].items()}
        pairs = result.get("values") or ([result["value"]] if "value" in result else [])
        stamps, values = zip(*pairs, strict=True) if pairs else ((), ())
        native = len(result.get("histograms") or ()) + ("histogram" in result)
        return Series(labels, [*map(float, stamps)], [*map(str, values)], native)
    except (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError):
        return Rejection(NO_SERIES, excerpt(result))


def _numbered(series: Sequence[Series], unnamed: str) -> pl.DataFrame:
    rows = [
        {
            "series": number,
            "metric": one.labels.get("__name__", unnamed),
            "labels": [
                {"key": k, "value": v} for k, v in sorted(one.labels.items()) if k != "__name__"
            ],
        }
        for number, one in enumerate(series)
        if one.values
    ]
    return pl.DataFrame(rows, schema=SERIES)


def _samples(series: Sequence[Series]) -> tuple[pl.DataFrame, list[Rejection]]:
    """All samples as one frame, and those without a usable time or value as rejections."""
    written = pl.DataFrame(
        {
            "series": chain.from_iterable([n] * len(one.values) for n, one in enumerate(series)),
            "stamp": chain.from_iterable(one.stamps for one in series),
            "value": chain.from_iterable(one.values for one in series),
        },
        schema={"series": pl.Int64, "stamp": pl.Float64, "value": pl.String},
    )
    samples = written.select(
        "series",
        since_epoch(pl.col("stamp")).alias("sampled_at"),
        pl.col("value").cast(pl.Float64, strict=False),
    )
    unusable = samples.select(pl.any_horizontal(pl.all().is_null())).to_series()
    rejected = [Rejection(NO_SAMPLE, excerpt(row)) for row in written.filter(unusable).iter_rows()]
    return samples.filter(~unusable), rejected


def _warnings(answers: Sequence[Any]) -> str | None:
    told = [
        w for answer in answers if isinstance(answer, dict) for w in answer.get("warnings") or ()
    ]
    return f"the API warned: {'; '.join(map(str, told))}" if told else None


def _unnamed(series: Sequence[Series], metric: str) -> str | None:
    unnamed = any("__name__" not in one.labels for one in series if one.values)
    return f"series without a name are taken as {metric}, from the file's name" if unnamed else None


def _left_out(series: Sequence[Series]) -> str | None:
    native = sum(one.histograms for one in series)
    return f"native histograms left out: {native}" if native else None
