"""Series of long tables: the metric in one column, its labels in others or as JSON in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from kubepostmortem.sources.content import Unusable, plain
from kubepostmortem.sources.measurements import as_texts
from kubepostmortem.sources.samples import SERIES
from kubepostmortem.sources.series_text import is_selector, series_of_titles

NO_LABELS = "labels are not a JSON object"
NO_NAME = "no metric named"


@dataclass(frozen=True, slots=True)
class Naming:
    """Where a long table names its series: positions of the columns, labels by their title."""

    metric: str | None
    labels_json: str | None
    labels: Mapping[str, str]

    @property
    def columns(self) -> list[str]:
        """All these columns."""
        return [*filter(None, (self.metric, self.labels_json)), *self.labels]


def long_series(
    rows: pl.DataFrame, naming: Naming, unnamed: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number the series: the rows with `series`, and the series (SERIES) with their `unfit`.

    unfit: why a series cannot be used; null: it can. unnamed: the metric, where no column says.
    """
    told = rows.with_columns(label_texts(rows[column]) for column in naming.columns)
    named = told.with_columns(everywhere=0)
    keys = [*naming.columns, "everywhere"]
    distinct = named.select(keys).unique(maintain_order=True).with_row_index("series")
    numbered = distinct.with_columns(pl.col("series").cast(pl.Int64))
    series = [_series(row, naming, unnamed) for row in numbered.iter_rows(named=True)]
    frame = pl.DataFrame(series, schema={**SERIES, "unfit": pl.String})
    return named.join(numbered, on=keys, nulls_equal=True).drop("everywhere"), frame


def label_texts(column: pl.Series) -> pl.Series:
    """A column of labels as texts; structs and maps as JSON."""
    if isinstance(column.dtype, pl.List) and isinstance(column.dtype.inner, pl.Struct):
        entries = column.list.eval(pl.element().struct.json_encode()).list.join(",")
        return ("[" + entries + "]").alias(column.name)
    return as_texts(column)


def _series(row: Mapping[str, Any], naming: Naming, unnamed: str) -> dict[str, Any]:
    try:
        told = _object(row[naming.labels_json] if naming.labels_json else None)
        called = told.pop("__name__", None if naming.metric else unnamed)
        metric, labels = _named((naming.metric and row[naming.metric]) or called)
        labels |= told
        labels |= {title: row[n] for n, title in naming.labels.items() if row[n] not in (None, "")}
    except Unusable as why:
        return {"series": row["series"], "unfit": str(why)}
    pairs = [{"key": key, "value": value} for key, value in sorted(labels.items())]
    return {"series": row["series"], "metric": metric, "labels": pairs}


def _named(metric: str | None) -> tuple[str, dict[str, str]]:
    """A metric's name, which may be a selector with labels."""
    if not metric:
        raise Unusable(NO_NAME)
    if not is_selector(metric):
        return metric, {}
    (series,) = series_of_titles([metric], "").to_dicts()
    if not series["metric"]:
        raise Unusable(NO_NAME)
    return series["metric"], {pair["key"]: pair["value"] for pair in series["labels"]}


def _object(text: str | None) -> dict[str, str]:
    """Labels from JSON: an object, or a list of keys and values as a map is stored."""
    try:
        told = orjson.loads(text or "{}")
        pairs = {entry["key"]: entry["value"] for entry in told} if isinstance(told, list) else told
        labels = dict(pairs.items())
    except (AttributeError, KeyError, TypeError, ValueError) as wrong:
        raise Unusable(NO_LABELS) from wrong
    return {key: said for key, value in labels.items() if (said := plain(value)) is not None}
