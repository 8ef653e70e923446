"""Values as Grafana formats them (120.4 req/s, 1.2 K, 35 ms), read in base units."""

from __future__ import annotations

import re

import polars as pl

DIGITS = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+"
NUMBER = rf"{DIGITS}|NaN|[-+]?(?:Inf(?:inity)?|∞)"
VALUE = rf"^(?P<number>{NUMBER})\s*(?P<unit>[^-\d.,:].*)?$"

TIMES = {"ns": 1e-9, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ms": 1e-3, "min": 60.0, "mins": 60.0}
TIMES |= {"hour": 3600.0, "hours": 3600.0, "day": 86_400.0, "days": 86_400.0}
TIMES |= {"week": 604_800.0, "weeks": 604_800.0, "year": 31_536_000.0, "years": 31_536_000.0}
COUNTS = {"K": 1e3, "Mil": 1e6, "Bil": 1e9, "Tri": 1e12, "Quadr": 1e15}
LARGE = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
RATES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}  # B is a billion before a unit: 1.2B req/s
SMALL = {"n": 1e-9, "µ": 1e-6, "m": 1e-3}
BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}
SCALED = re.compile(r"(?P<prefix>Ki|Mi|Gi|Ti|Pi|[kKMGTP])(?:B|b|Hz|bps|Bps)(?:/s)?")
MOST_UNITS = 8  # that are named
EMPTY = ("null", "undefined", "-")


def is_value(text: str) -> bool:
    """Tell a formatted value from any other text."""
    return re.match(VALUE, text.strip()) is not None


def read_values(texts: pl.Series) -> pl.DataFrame:
    """Read formatted values: value in base units (null: none), and unit as written.

    A percentage stays as it is written: 12% is 12.
    """
    parts = texts.to_frame("text").select(pl.col("text").str.extract_groups(VALUE)).unnest("text")
    number = pl.col("number").str.replace_all(",", "").str.replace("∞|Infinity", "Inf")
    units = {unit: factor(unit) for unit in parts["unit"].drop_nulls().unique()}
    factors = pl.col("unit").replace_strict(units, default=1.0, return_dtype=pl.Float64)
    return parts.select(value=number.cast(pl.Float64, strict=False) * factors, unit="unit")


def factor(unit: str) -> float:
    """What one of this unit is in base units: seconds, bytes, requests and the like."""
    unit = unit.strip()
    prefix, _, rest = unit.partition(" ")
    if rest and prefix in RATES:
        return RATES[prefix] * factor(rest)
    if found := SCALED.fullmatch(unit):
        return (BINARY | LARGE)[found["prefix"]]
    return (TIMES | LARGE | SMALL | COUNTS).get(unit, 1.0)


def told_units(units: pl.Series) -> str | None:
    """Say for the ledger how units were read."""
    different = sorted(units.drop_nulls().unique())
    told = [f"{unit.strip()} (× {factor(unit):g})" for unit in different[:MOST_UNITS]]
    more = len(different) - len(told)
    listed = ", ".join([*told, f"{more} more"] if more else told)
    return f"units read as numbers: {listed}" if told else None
