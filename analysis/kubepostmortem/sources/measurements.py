"""Samples from the cells of a table: times and values judged, and every cell counted."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from kubepostmortem.sources.content import remarks
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.samples import NO_NUMBER, SAMPLES, SERIES, Samples
from kubepostmortem.sources.source import Rejection
from kubepostmortem.sources.times import ASK_ZONE, NO_TIME, NO_ZONE, moments

SUFFIXES = re.compile(r"(?:\.(?:csv|tsv|parquet|gz|zst|bz2|xz))+$", re.I)
PARTS = ("problem", "line", "stamp", "written")


def wide_cells(rows: pl.DataFrame, stamp: str, values: Sequence[str]) -> pl.DataFrame:
    """One row per filled cell: line, stamp, series (the column), written, and unfit (null)."""
    texts = rows.select("line", pl.col(stamp).alias("stamp"), *(as_texts(rows[v]) for v in values))
    cells = texts.unpivot(
        values, index=["line", "stamp"], variable_name="series", value_name="written"
    )
    filled = cells.filter(pl.col("written").is_not_null())
    return filled.with_columns(pl.col("series").cast(pl.Int64), unfit=pl.lit(None, pl.String))


def number(written: pl.Expr) -> pl.Expr:
    """A value as number, NaN and Inf among them; null where it is none."""
    return written.cast(pl.Float64, strict=False)


def as_texts(column: pl.Series) -> pl.Series:
    """A column as texts, structs as JSON."""
    if isinstance(column.dtype, pl.Struct):
        return column.struct.json_encode()
    try:
        return column.cast(pl.String, strict=False)
    except pl.exceptions.PolarsError:  # a list of numbers, say
        return pl.Series(column.name, [str(value) for value in column], dtype=pl.String)


def stamp_texts(stamps: pl.Series) -> pl.Series:
    """Times of a column as texts that moment() reads; those of Parquet know their zone or not."""
    if not isinstance(stamps.dtype, pl.Datetime):
        return as_texts(stamps)
    zone = stamps.dtype.time_zone
    utc = stamps.dt.convert_time_zone("UTC") if zone else stamps
    return utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if zone else ""))


def file_stem(file: InputFile) -> str:
    """Name of a file without what tells its format."""
    return SUFFIXES.sub("", file.path.name)


def samples_of_cells(
    cells: pl.DataFrame, series: pl.DataFrame, zone: str | None, notes: str | None = None
) -> Samples:
    """Judge cells: line, stamp (a text), series, written, unfit, and value (a number, or null).

    unfit says why a series cannot be used. zone is that of times that show none; without it they
    are rejected, and the notes say so.
    """
    dated = cells.join(moments(cells["stamp"], zone), on="stamp", how="left", maintain_order="left")
    judged = dated.with_columns(
        problem=pl.coalesce(
            pl.when(pl.col("stamp").is_null()).then(pl.lit(NO_TIME)),
            "untimely",
            "unfit",
            pl.when(pl.col("value").is_null()).then(pl.lit(NO_NUMBER)),
        )
    )
    good = judged.filter(pl.col("problem").is_null())
    bad = judged.filter(pl.col("problem").is_not_null())
    return Samples(
        series=series.join(good, on="series", how="semi").select(SERIES.names()),
        samples=good.select(SAMPLES.names()),
        rejections=[_rejected(*row) for row in bad.select(*PARTS).iter_rows()],
        notes=remarks(notes, ASK_ZONE if NO_ZONE in bad["problem"] else None),
    )


def _rejected(problem: str, line: int, stamp: str | None, written: object) -> Rejection:
    return Rejection(problem, f"{stamp or ''},{'' if written is None else written}".encode(), line)
