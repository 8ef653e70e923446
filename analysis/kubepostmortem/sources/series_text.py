"""Names of time series as PromQL and the text formats write them: name{label="value", ...}."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from kubepostmortem.sources.samples import SERIES

METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
QUOTED = r'"(?:[^"\\]|\\.)*"'
# Names beyond ASCII letters stand in quotes; one without `=` is the name of the metric.
LABEL = rf"(?:(?:[a-zA-Z_][a-zA-Z0-9_]*|{QUOTED})[ \t]*=[ \t]*)?{QUOTED}[ \t]*"
LABELS = rf"(?:{LABEL}(?:,[ \t]*{LABEL})*(?:,[ \t]*)?)?"
PAIR = rf'(?s)^(?:(?P<key>[^ \t="]+|{QUOTED})[ \t]*=[ \t]*)?"(?P<value>.*)"[ \t]*$'
SELECTOR = re.compile(rf"(?P<metric>{METRIC})?[ \t]*(?:\{{[ \t]*(?P<labels>{LABELS})\}})?")

ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "r": "\r"}
ESCAPES |= {"a": "\a", "b": "\b", "f": "\f", "v": "\v"}  # promtool writes them as Go does
REPLACEMENT = "\ufffd"

TEXTS = pl.Schema({"series": pl.Int64(), "metric": pl.String(), "labels": pl.String()})


def read_series(texts: pl.DataFrame) -> pl.DataFrame:
    """Read series, metric and labels as texts: one row per series, labels sorted by key.

    metric is null where there is no name; `twice` tells of a label (or the name) given twice.
    """
    key, pair = pl.col("key"), pl.struct("key", "value")
    named = pl.col("value").filter(key == "__name__").first()
    labels = _pairs(texts).group_by("series", maintain_order=True)
    told = labels.agg(
        labels=pair.filter(key != "__name__"), called=named, twice=key.is_duplicated().any()
    )
    series = texts.select("series", "metric").join(told, on="series", how="left")
    both = pl.col("metric").is_not_null() & pl.col("called").is_not_null()
    return series.select(
        "series",
        pl.col("metric").fill_null(pl.col("called")),
        pl.col("labels").fill_null([]),
        pl.col("twice").fill_null(False) | both,
    )


def series_of_titles(titles: Sequence[str], unnamed: str, *, words: bool = False) -> pl.DataFrame:
    """Series from the titles of columns, numbered in order (SERIES).

    A title that is a selector names its metric and labels; any other one becomes the label
    `series` of the metric `unnamed`, which is also the metric of a selector without a name.
    words: a single word is a metric too, not the legend of a chart.
    """
    told = [title if is_selector(title, words=words) else "" for title in titles]
    parts = [{"series": n, **_parts(title)} for n, title in enumerate(told)]
    series = read_series(pl.DataFrame(parts, schema=TEXTS))
    rows = [_titled(row, titles[row["series"]], unnamed) for row in series.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=SERIES)


def is_selector(title: str, *, words: bool = False) -> bool:
    """Tell a selector with braces, or a metric's name of two words or more, from other texts."""
    found = SELECTOR.fullmatch(title.strip())
    name = found["metric"] or "" if found else ""
    return bool(found and (found["labels"] or re.search("[_:]", name) or (words and name)))


def _parts(title: str) -> dict[str, str | None]:
    found = SELECTOR.fullmatch(title.strip())
    return found.groupdict() if found else {}


def _titled(row: Mapping[str, Any], title: str, unnamed: str) -> dict[str, Any]:
    told = (row["metric"] or row["labels"]) and not row["twice"]
    return {
        "series": row["series"],
        "metric": (told and row["metric"]) or unnamed,
        "labels": row["labels"] if told else [{"key": "series", "value": title}],
    }


def _pairs(texts: pl.DataFrame) -> pl.DataFrame:
    """One row per label: series, key and value, sorted."""
    labels = texts.select("series", pl.col("labels").str.extract_all(LABEL)).explode("labels")
    pairs = labels.drop_nulls().select("series", pl.col("labels").str.extract_groups(PAIR))
    plain = pairs.unnest("labels").with_columns(
        _unescaped(pl.col("key").str.strip_prefix('"').str.strip_suffix('"')).fill_null("__name__"),
        _unescaped(pl.col("value")),
    )
    return plain.sort("series", "key")


def _unescaped(texts: pl.Expr) -> pl.Expr:
    """Resolve the escapes; only few different texts hold any."""
    return texts.map_batches(_unescape, return_dtype=pl.String)


def _unescape(texts: pl.Series) -> pl.Series:
    escaped = texts.filter(texts.str.contains("\\", literal=True)).unique()
    return texts.replace({text: ESCAPE.sub(_letter, text) for text in escaped})


def _letter(escape: re.Match[str]) -> str:
    byte, short, long, letter = escape.groups()
    if letter is not None:
        return ESCAPES.get(letter, escape[0])
    code = int(byte or short or long, 16)
    usable = code < (0x80 if byte else 0x110000) and not 0xD800 <= code < 0xE000
    return chr(code) if usable else REPLACEMENT
