"""Metrics as a plain table, in CSV or Parquet: a sample per row, or a column per series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from kubepostmortem.sources import dns_probes, grafana_csv
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.measurements import (
    as_texts,
    file_stem,
    number,
    samples_of_cells,
    stamp_texts,
    wide_cells,
)
from kubepostmortem.sources.metric_labels import Naming, long_series
from kubepostmortem.sources.samples import NOTHING, Samples, load_samples
from kubepostmortem.sources.series_text import is_selector, series_of_titles
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.text_table import PARQUET, Table, csv_table, head_rows, parquet_table

name = "metrics table"
describes = "CSV or Parquet with time, metric, value and labels, or time and a column per metric"

TIME = ("time", "timestamp")
METRIC = ("metric", "name", "__name__")
VALUE = "value"
LABELS = "labels"
NOT_METRICS = frozenset({"service", "component", "app", "name", "event", "version"})
NO_TABLE = "no table of metrics: it needs time, metric and value, or time and a column per metric"


def recognises(file: InputFile) -> bool:
    """The magic bytes of Parquet; or a header of such a table, with numbers below it."""
    if file.head.startswith(PARQUET):
        return True
    titles, cells = (*head_rows(file.text), [], [])[:2]
    if _is_long(titles):
        value = dict(zip(_lower(titles), cells, strict=False)).get(VALUE, "")
        known = _is_number(value or "0")
    else:
        told = [cell for cell in cells[1:] if cell.strip()]
        known = _is_wide(titles) and bool(told) and all(map(_is_number, told))
    return known and not grafana_csv.recognises(file) and not dns_probes.recognises(file)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the samples that are not known yet."""
    return load_samples(read, batch, target)


def read(file: InputFile, target: Target) -> Samples:
    """Read one sample per row of a long table, or per filled cell of a wide one."""
    table = parquet_table(file) if file.head.startswith(PARQUET) else csv_table(file)
    found = _read(table, file_stem(file), target.assume_tz)
    return replace(found, rejections=[*table.rejections, *found.rejections])


def _read(table: Table, stem: str, zone: str | None) -> Samples:
    if table.rows.is_empty():
        return NOTHING
    if _is_long(table.titles):
        return _long(table, stem, zone)
    if _time(table.titles) is not None and len(table.titles) > 1:
        return _wide(table, stem, zone)
    columns = ", ".join(table.titles)[:200]
    return replace(NOTHING, rejections=[Rejection(f"{NO_TABLE}; it has {columns}", b"")])


def _long(table: Table, stem: str, zone: str | None) -> Samples:
    time, value = str(_time(table.titles)), str(_lower(table.titles).index(VALUE))
    texts = table.rows.with_columns(as_texts(table.rows[value]))
    rows, series = long_series(texts, _naming(table.titles, (time, value)), stem)
    written = pl.col(value)
    cells = (
        rows.with_columns(stamp=stamp_texts(rows[time]))
        .join(series, on="series")
        .select(
            *("line", "series", "stamp", "unfit"),
            written=written,
            # A missing number is none: pandas writes NaN so.
            value=pl.when(written.is_null()).then(math.nan).otherwise(number(written)),
        )
    )
    return samples_of_cells(cells, series, zone)


def _wide(table: Table, stem: str, zone: str | None) -> Samples:
    time = str(_time(table.titles))
    columns = [str(n) for n in range(len(table.titles)) if str(n) != time]
    rows = table.rows.with_columns(stamp_texts(table.rows[time]))
    cells = wide_cells(rows, time, columns).with_columns(value=number(pl.col("written")))
    return samples_of_cells(cells, series_of_titles(table.titles, stem, words=True), zone)


def _time(titles: Sequence[str]) -> int | None:
    """Position of the column with the times; pandas writes its index last."""
    names = _lower(titles)
    return next((names.index(title) for title in TIME if title in names), None)


def _is_long(titles: Sequence[str]) -> bool:
    return VALUE in _lower(titles) and _time(titles) is not None


def _is_wide(titles: Sequence[str]) -> bool:
    names = _lower(titles)
    selectors = all(is_selector(title, words=True) for title in titles[1:])
    return names[:1] in ([TIME[0]], [TIME[1]]) and selectors and not NOT_METRICS & {*names}


def _naming(titles: Sequence[str], others: Sequence[str]) -> Naming:
    positions = {title: str(n) for n, title in enumerate(_lower(titles))}
    metric = next((positions[title] for title in METRIC if title in positions), None)
    labels = {str(n): title for n, title in enumerate(titles)}
    for column in (metric, positions.get(LABELS), *others):
        labels.pop(column or "", None)
    return Naming(metric, positions.get(LABELS), labels)


def _lower(titles: Sequence[str]) -> list[str]:
    return [title.strip().lower() for title in titles]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
