"""Native histograms as the classic series that they stand for: _count, _sum and _bucket."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from kubepostmortem.sources.content import remarks
from kubepostmortem.sources.samples import SAMPLES, SERIES, Samples

HISTOGRAMS = pl.Schema(
    {
        "histogram": pl.Int64(),
        "series": pl.Int64(),
        "sampled_at": pl.Datetime("us"),
        "count": pl.Float64(),
        "sum": pl.Float64(),
    }
)
BUCKETS = pl.Schema({"histogram": pl.Int64(), "upper": pl.Float64(), "count": pl.Float64()})

# As Prometheus prints it: {count:10, sum:5, [-0.001,0.001]:2, (1,2]:8}
NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|Inf|NaN)"
BUCKET = rf"[\[(]{NUMBER},{NUMBER}[\])]:{NUMBER}"
HISTOGRAM = rf"\{{count:{NUMBER}, sum:{NUMBER}(?:, {BUCKET})*\}}"
COUNT = rf"^\{{count:({NUMBER})"
SUM = rf", sum:({NUMBER})"
BOUNDS = rf",(?P<upper>{NUMBER})[\])]:(?P<count>{NUMBER})$"


def written_out(texts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read histograms from their text in the column `written`: (HISTOGRAMS, BUCKETS)."""
    text = pl.col("written")
    totals = {"count": text.str.extract(COUNT), "sum": text.str.extract(SUM)}
    listed = texts.select("histogram", text.str.extract_all(BUCKET)).explode("written")
    bounds = listed.drop_nulls().select("histogram", text.str.extract_groups(BOUNDS))
    return (
        texts.select("histogram", "series", "sampled_at", **totals).cast(HISTOGRAMS),
        bounds.unnest("written").cast(BUCKETS),
    )


def with_classic(
    found: Samples, histograms: pl.DataFrame, buckets: pl.DataFrame, series: pl.DataFrame
) -> Samples:
    """Add to what was found the classic series of these native histograms, and say so."""
    if histograms.is_empty():
        return found
    named, samples = classic(histograms, buckets, series)
    told = f"native histograms read as _count, _sum and _bucket: {histograms.height}"
    return replace(
        found,
        series=pl.concat([found.series, named]),
        samples=pl.concat([found.samples, samples]),
        notes=remarks(found.notes, told),
    )


def classic(
    histograms: pl.DataFrame, buckets: pl.DataFrame, series: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn HISTOGRAMS with their BUCKETS, of these SERIES, into classic (SERIES, SAMPLES).

    Every sample of a series gets all upper bounds (`le`) that any of them has, so that rates can
    be taken of each. A bucket below zero excludes its upper bound, other than `le` says.
    """
    numbered = pl.struct("series", "part", "upper").rank("dense").cast(pl.Int64)
    told = histograms.select("histogram", "series", "sampled_at", stale=_is_stale())
    samples = pl.concat([_totals(histograms), _cumulative(histograms, buckets)]).join(
        told, on="histogram"
    )
    first = series["series"].max() or 0
    parts = samples.with_columns(number=numbered + pl.lit(first, pl.Int64))
    value = pl.when("stale").then(math.nan).otherwise("value").alias("value")
    return (
        _named(parts.select("number", "series", "part", "upper").unique("number"), series),
        parts.select(pl.col("number").alias("series"), "sampled_at", value).select(SAMPLES.names()),
    )


def _is_stale() -> pl.Expr:
    """The mark of a series that ended; its count of 0 was never counted."""
    return (pl.col("count") == 0) & pl.col("sum").is_nan()


def _totals(histograms: pl.DataFrame) -> pl.DataFrame:
    parts = {"count": "count", "sum": "sum", "bucket": "count"}
    infinite = pl.lit(math.inf).alias("upper")
    return pl.concat(
        histograms.select("histogram", pl.lit(part).alias("part"), infinite, value=column)
        for part, column in parts.items()
    )


def _cumulative(histograms: pl.DataFrame, buckets: pl.DataFrame) -> pl.DataFrame:
    """How many observations lie at or below each finite bound; an empty bucket adds none."""
    finite = buckets.filter(pl.col("upper").is_finite()).join(
        histograms.select("histogram", "series"), on="histogram"
    )
    bounds = finite.select("series", "upper").unique()
    held = finite.group_by("histogram", "upper").agg(pl.col("count").sum())
    grid = histograms.select("histogram", "series").join(bounds, on="series")
    counted = grid.join(held, on=["histogram", "upper"], how="left").sort("histogram", "upper")
    below = pl.col("count").fill_null(0).cum_sum().over("histogram")
    return counted.select("histogram", pl.lit("bucket").alias("part"), "upper", value=below)


def _named(parts: pl.DataFrame, series: pl.DataFrame) -> pl.DataFrame:
    described = parts.join(series, on="series")
    return pl.DataFrame([_part(row) for row in described.iter_rows(named=True)], schema=SERIES)


def _part(row: Mapping[str, Any]) -> dict[str, Any]:
    labels = {pair["key"]: pair["value"] for pair in row["labels"]}
    if row["part"] == "bucket":
        labels["le"] = bound(row["upper"])
    return {
        "series": row["number"],
        "metric": f"{row['metric']}_{row['part']}",
        "labels": [{"key": key, "value": value} for key, value in sorted(labels.items())],
    }


def bound(upper: float) -> str:
    """Write an upper bound as Prometheus labels it: 1, 0.25, +Inf."""
    return "+Inf" if upper == math.inf else repr(upper).removesuffix(".0")
