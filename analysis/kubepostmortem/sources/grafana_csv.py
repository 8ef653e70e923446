"""Panels of Grafana, saved as CSV: Inspect > Data > Download CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from kubepostmortem.sources.content import remarks
from kubepostmortem.sources.files import HEAD_BYTES, InputFile
from kubepostmortem.sources.measurements import file_stem, samples_of_cells, wide_cells
from kubepostmortem.sources.samples import NOTHING, Samples, load_samples
from kubepostmortem.sources.series_text import series_of_titles
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.text_table import Table, csv_table, excerpt, head_rows
from kubepostmortem.sources.unit_values import EMPTY, is_value, read_values, told_units

name = "Grafana CSV"
describes = "Data of a Grafana panel (Inspect > Data > CSV): Time and a column for each series"

TIME = "Time"
SECOND_TABLE = "belongs to a second table in the file; save with `Series joined by time`"


def recognises(file: InputFile) -> bool:
    """Columns Time and others, and below them values: numbers with or without units, or none."""
    titles, values = (*head_rows(file.text), [], [])[:2]
    if titles[:1] != [TIME] or len(titles) < 2 or _lists_labels(titles):
        return False
    told = [value for value in values[1:] if value.strip() not in ("", *EMPTY)]
    if not values:  # a header line that is longer than the head
        return len(file.head) >= HEAD_BYTES
    return all(map(is_value, told)) and (bool(told) or '"' in file.text[:12])


def _lists_labels(titles: Sequence[str]) -> bool:
    """The long form of a table panel: one column per label, and Value."""
    return "Value" in titles and len(titles) > 2


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the samples that are not known yet."""
    return load_samples(read, batch, target)


def read(file: InputFile, target: Target) -> Samples:
    """Read one sample per cell; the browser wrote local times, whose zone only target knows."""
    table = csv_table(file)
    if table.rows.is_empty():
        return replace(NOTHING, rejections=table.rejections)
    table = _first_table(table)
    columns = [str(n) for n in range(1, len(table.titles))]
    written = pl.col("written")
    cells = wide_cells(table.rows, "0", columns).filter(~written.is_in(EMPTY))
    cells = cells.with_columns(read_values(cells["written"].cast(pl.String)))
    stem = file_stem(file)
    series = series_of_titles([TIME, *table.titles[1:]], stem)
    found = samples_of_cells(cells, series, target.assume_tz, told_units(cells["unit"]))
    named = f"series named by their columns are taken as {stem}, from the file's name"
    unnamed = stem in found.series["metric"]
    return replace(
        found,
        rejections=[*table.rejections, *found.rejections],
        notes=remarks(found.notes, named if unnamed else None),
    )


def _first_table(table: Table) -> Table:
    """Leave out what follows a second header line: its columns are other series."""
    follows = (pl.col("0") == TIME).fill_null(False).cum_sum() > 0
    others = table.rows.filter(follows)
    refused = [Rejection(SECOND_TABLE, excerpt(row), row[0]) for row in others.iter_rows()]
    return replace(
        table, rows=table.rows.filter(~follows), rejections=[*table.rejections, *refused]
    )
