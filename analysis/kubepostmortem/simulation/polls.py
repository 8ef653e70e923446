"""Clients that poll: what they ask under another policy follows from their period, not the log.

A client that is not answered asks less often than it would if it were. The log of an overload
holds what it asked then, so replays go by its period instead.
"""

from __future__ import annotations

import polars as pl

MS = 1_000_000  # ns
PROMPT_MS = 5_000.0  # a round whose answer took longer may have delayed the next one
PROMPT_PART = 0.5  # of the time to the next round, likewise
FEWEST = 20  # rounds that establish a period
MOST_SPREAD = 0.5  # of the middle half of the rounds, in periods; of two periods that are alike


def periods_ns(calls: pl.DataFrame) -> dict[int, int]:
    """Return the period by call, of those that are polled for; calls: in order of time.

    A call that is hardly ever answered promptly goes by what its clients poll for else, unless the
    few rounds that tell contradict.
    """
    prompt = _prompt_gaps(calls)
    shared = _period(prompt["gap"])
    gaps = {call: own["gap"] for (call,), own in prompt.group_by("call", maintain_order=True)}
    found = {}
    for call in calls["call"].unique().sort():
        own = gaps.get(call, prompt["gap"].clear())
        period = _period(own) if len(own) >= FEWEST else _like(own, shared)
        if period:
            found[call] = period
    return found


def _prompt_gaps(calls: pl.DataFrame) -> pl.DataFrame:
    """Return the times between rounds of a client, the first of which was answered promptly."""
    prompt_ns = pl.min_horizontal(PROMPT_MS * MS, PROMPT_PART * pl.col("gap"))
    return calls.select(
        "call",
        gap=(pl.col("received_ns") - pl.col("received_ns").shift()).over("client"),
        code=pl.col("code").shift().over("client"),
        took_ns=MS * pl.col("latency_ms").shift().over("client"),
    ).filter((pl.col("code") < 400) & (pl.col("took_ns") < prompt_ns))


def _period(gaps: pl.Series) -> int | None:
    """Return the period that gaps establish, None where they are too few or irregular."""
    if len(gaps) < FEWEST:
        return None
    lower, middle, upper = (float(gaps.quantile(q) or 0) for q in (0.25, 0.5, 0.75))
    return round(middle) if upper - lower <= MOST_SPREAD * middle else None


def _like(gaps: pl.Series, period: int | None) -> int | None:
    """Return the period if the gaps, as few as they are, could be of it."""
    if period is None or gaps.is_empty():
        return period
    off = abs(float(gaps.quantile(0.5) or 0) - period)
    return period if off <= MOST_SPREAD * period else None


def polled(calls: pl.DataFrame, periods: dict[int, int]) -> pl.DataFrame:
    """Return the rounds of each client while it was there, one row each.

    periods: ns, of each call. Columns as those of calls, and round: 0 for the first of a client.
    Everything but the time is that of a call of the client; received_ns is the earliest time of
    the round.
    """
    period = pl.col("call").replace_strict(periods, return_dtype=pl.Int64)
    spans = calls.group_by("client", maintain_order=True).agg(
        pl.col("received_ns").first().alias("begins_ns"),
        pl.col("received_ns").last().alias("ends_ns"),
        period.first().alias("period_ns"),
    )
    # The last round may come a little early.
    long = pl.col("ends_ns") - pl.col("begins_ns") + pl.col("period_ns") // 2
    rounds = spans.with_columns(round=pl.int_ranges(0, long // pl.col("period_ns") + 1)).explode(
        "round"
    )
    like = calls.group_by("client", maintain_order=True).first()
    return (
        rounds.join(like, on="client", how="left", maintain_order="left")
        .with_columns(
            received_ns=pl.col("begins_ns") + pl.col("round") * pl.col("period_ns"),
            service_ms=pl.lit(None, dtype=pl.Float64),
            code=pl.lit(None, dtype=calls.schema["code"]),
            latency_ms=pl.lit(None, dtype=pl.Float64),
        )
        .select(*calls.columns, "round")
    )
