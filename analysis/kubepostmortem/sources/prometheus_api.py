"""Answers of the Prometheus HTTP API: query_range (matrix) and query (vector), as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import polars as pl

from kubepostmortem.sources.content import remarks
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.json_content import documents, excerpt
from kubepostmortem.sources.native_histograms import BUCKETS, HISTOGRAMS, with_classic
from kubepostmortem.sources.prometheus_answers import Series, read_answer
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
NATIVE = pl.Schema(
    {
        "histogram": pl.Int64(),
        "series": pl.Int64(),
        "stamp": pl.Float64(),
        "count": pl.Float64(),
        "sum": pl.Float64(),
    }
)
NO_SAMPLE = "a sample without usable time or value"


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
    parsed = [one for answer in answers for one in read_answer(answer)]
    series = [one for one in parsed if isinstance(one, Series)]
    refused = [one for one in parsed if isinstance(one, Rejection)]
    samples, unusable = _samples(series)
    histograms, buckets, undated = _native(series)
    metric = stem(file.path.name)
    named = _numbered(series, metric)
    found = Samples(
        series=named.join(samples, on="series", how="semi"),
        samples=samples,
        rejections=[*refused, *unusable, *undated, *damaged],
        notes=remarks(_warnings(answers), _unnamed(series, metric)),
    )
    return with_classic(found, histograms, buckets, named)


def stem(file_name: str) -> str:
    """Name a file without .gz and .json."""
    return file_name.removesuffix(".gz").removesuffix(".json")


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
        if one.values or one.histograms
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


def _native(series: Sequence[Series]) -> tuple[pl.DataFrame, pl.DataFrame, list[Rejection]]:
    """All native histograms and their buckets, and those without a usable time as rejections."""
    told = [(number, native) for number, one in enumerate(series) for native in one.histograms]
    rows = [(n, number, one.stamp, one.count, one.sum) for n, (number, one) in enumerate(told)]
    pairs = [(n, *bucket) for n, (_, one) in enumerate(told) for bucket in one.buckets]
    written = pl.DataFrame(rows, schema=NATIVE, orient="row")
    histograms = written.select(
        pl.exclude("stamp"), since_epoch(pl.col("stamp")).alias("sampled_at")
    ).select(HISTOGRAMS.names())
    dated = histograms["sampled_at"].is_not_null()
    undated = [Rejection(NO_SAMPLE, excerpt(row)) for row in written.filter(~dated).iter_rows()]
    return histograms.filter(dated), pl.DataFrame(pairs, schema=BUCKETS, orient="row"), undated


def _warnings(answers: Sequence[Any]) -> str | None:
    told = [
        w for answer in answers if isinstance(answer, dict) for w in answer.get("warnings") or ()
    ]
    return f"the API warned: {'; '.join(map(str, told))}" if told else None


def _unnamed(series: Sequence[Series], metric: str) -> str | None:
    unnamed = any("__name__" not in one.labels for one in series if one.values or one.histograms)
    return f"series without a name are taken as {metric}, from the file's name" if unnamed else None
