"""The ledger of growth as an answer shows it: rows for machines, a table and a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.attribution.ledger import Ledger, Line
from kubepostmortem.questions.cause import MANY
from kubepostmortem.questions.question import Table
from kubepostmortem.questions.words import listed

# The measure that growth, low and high speak of; the others carry their name.
LEADING = "demand"
OTHERS = ("requests", "request_seconds", "seats")


def ledger_evidence(ledger: Ledger) -> list[dict[str, Any]]:
    """Return the lines as plain data; growth, low and high are of demand.

    Every growth sums to its total over the lines: growth to that of demand, growth_requests to
    that of requests, and so on.
    """
    return [_evidence(line, ledger) for line in ledger.lines]


def ledger_table(ledger: Ledger) -> Table:
    """The lines for a reader, per second; in_flight: request_seconds, by Little's law."""
    rows = [
        {
            "kind": row["kind"],
            "what": _named(line),
            "demand": row["growth"],
            "low": row["low"],
            "high": row["high"],
            "share": row["share"],
            "requests": row["growth_requests"],
            "in_flight": row["growth_request_seconds"],
            "why": row["why"],
        }
        for line, row in zip(ledger.lines, ledger_evidence(ledger), strict=True)
    ]
    return Table(
        "What the growth is made of, per second; low and high bound demand at 95 %",
        pl.DataFrame(rows, infer_schema_length=None),
    )


def _evidence(line: Line, ledger: Ledger) -> dict[str, Any]:
    leading, whole = line.estimates[LEADING], ledger.totals[LEADING].growth
    return {
        "kind": line.kind,
        "component": line.component,
        "verb": line.verb,
        "resources": list(line.resources),
        "scope": line.scope,
        "why": line.why,
        "growth": leading.growth,
        "low": leading.low,
        "high": leading.high,
        "share": leading.growth / whole if whole > 0 else None,
        **{
            f"{part}_{measure}": getattr(line.estimates[measure], part)
            for measure in OTHERS
            for part in ("growth", "low", "high")
        },
    }


def _named(line: Line) -> str:
    """Name a line by who and what it is of; lines of several are named by their kind."""
    many = MANY if line.kind in ("primary", "induced", "throttling") else None
    return " ".join(filter(None, [line.component or many, line.verb, _of(line.resources)]))


def _of(resources: Sequence[str]) -> str:
    return listed(resources, 4)
