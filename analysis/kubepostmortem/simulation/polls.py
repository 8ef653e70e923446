"""Clients that poll: what they ask under another policy follows from their period, not the log.

A client that is not answered asks less often than it would if it were. The log of an overload
holds what it asked then, so replays go by its period instead.
"""

from __future__ import annotations

import polars as pl

PROMPT_MS = 5_000.0  # a round whose answer took longer may have delayed the next one
FEWEST = 20  # rounds that establish a period
MOST_SPREAD = 0.5  # of the middle half of the rounds, in periods


def period_ns(calls: pl.DataFrame) -> int | None:
    """Return the period of calls that poll, None where there is none; calls: in order of time."""
    rounds = calls.select(
        gap=(pl.col("received_ns") - pl.col("received_ns").shift()).over("client"),
        code=pl.col("code").shift().over("client"),
        took=pl.col("latency_ms").shift().over("client"),
    ).filter((pl.col("code") < 400) & (pl.col("took") < PROMPT_MS) & (pl.col("gap") > 0))
    if len(rounds) < FEWEST:
        return None
    lower, middle, upper = (float(rounds["gap"].quantile(q) or 0) for q in (0.25, 0.5, 0.75))
    return round(middle) if upper - lower <= MOST_SPREAD * middle else None


def polled(calls: pl.DataFrame, period: int) -> pl.DataFrame:
    """Return the rounds of each client while it was there, one row each.

    Columns as those of calls, and round: 0 for the first of a client. Everything but the time is
    that of a call of the client; received_ns is the earliest time of the round.
    """
    spans = calls.group_by("client", maintain_order=True).agg(
        pl.col("received_ns").first().alias("begins_ns"),
        pl.col("received_ns").last().alias("ends_ns"),
    )
    rounds = spans.with_columns(
        round=pl.int_ranges(0, (pl.col("ends_ns") - pl.col("begins_ns")) // period + 1)
    ).explode("round")
    like = calls.group_by("client", maintain_order=True).first()
    return (
        rounds.join(like, on="client", how="left", maintain_order="left")
        .with_columns(
            received_ns=pl.col("begins_ns") + pl.col("round") * period,
            service_ms=pl.lit(None, dtype=pl.Float64),
            code=pl.lit(None, dtype=calls.schema["code"]),
            latency_ms=pl.lit(None, dtype=pl.Float64),
        )
        .select(*calls.columns, "round")
    )
