"""What a replay starts from: the calls of one API server, and how their clients go on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from kubepostmortem.flowcontrol.classify import Caller
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.flowcontrol.reacting import Behaviour
from kubepostmortem.flowcontrol.state import NEVER, NOWHERE, Ints
from kubepostmortem.simulation.groups import CULPRIT, TRIES, caller_groups
from kubepostmortem.simulation.load import Load
from kubepostmortem.simulation.polls import periods_ns, polled

MS = 1_000_000  # ns
SECOND = 1_000_000_000  # ns
INTERVAL = 10 * SECOND  # over which what the log shows of service times is averaged
DEADLINE_S = 60.0  # --request-timeout
FEWEST_HANGING_UP = 20  # calls ended alike, that tell when the culprit's clients hang up


@dataclass(frozen=True)
class Scenario:
    """Calls of one API server, those that arrive by themselves first, then later polls.

    calls: columns as in load.CALLS, and patience_s; base_ns: service times in quiet times;
    recorded_ns: as in the log, of similar calls at that time where a call has none of its own;
    begins_ns: the whole second that times of the replay count from; period_s: of the culprit's
    most frequent polls, None where it does not poll.
    """

    calls: pl.DataFrame
    behaviour: Behaviour
    callers: tuple[Caller, ...]
    asked: tuple[Asked, ...]
    begins_ns: int
    base_ns: Ints
    recorded_ns: Ints
    period_s: float | None

    def offered(self, service_ns: Ints) -> Offered:
        """Return the load with these service times."""
        calls = self.calls
        nothing = np.zeros(len(calls), dtype=np.int64)
        # A watch that was open at the end of the log goes on to the end.
        left_ms = (calls["received_ns"].max() - calls["received_ns"]) / MS
        watch_ms = pl.select(pl.min_horizontal(calls["watch_ms"], left_ms)).to_series().to_numpy()
        return Offered(
            received_ns=calls["received_ns"].to_numpy() - self.begins_ns,
            caller=calls["caller"].to_numpy(),
            call=calls["call"].to_numpy(),
            service_ns=service_ns,
            watch_ns=(watch_ms * MS).astype(np.int64),
            hang_up_ns=nothing,
            callers=self.callers,
            calls=self.asked,
        )


def scenarios(load: Load, lag_s: float = 0.0) -> list[Scenario]:
    """Return one scenario for each API server that the log tells apart.

    lag_s: by which clients ask again later than they are told to, seconds.
    """
    servers = load.calls.partition_by("apiserver", maintain_order=True)
    return [_scenario(calls, load, lag_s) for calls in servers if len(calls)]


def _scenario(recorded: pl.DataFrame, load: Load, lag_s: float) -> Scenario:
    is_culprit = pl.col("caller_group") == CULPRIT
    culprit = recorded.filter(is_culprit)
    periods = periods_ns(culprit.filter(~pl.col("streams")))
    calls = recorded.with_columns(round=pl.lit(0, dtype=pl.Int64))
    polls = is_culprit & ~pl.col("streams") & pl.col("call").is_in(list(periods))
    if periods:
        rounds = polled(recorded.filter(polls), periods).cast(calls.schema)
        calls = pl.concat([calls.filter(~polls), rounds])
    calls = _with_patience(calls, _hang_up_s(culprit))
    calls = calls.sort(pl.col("round") > 0, "received_ns", maintain_order=True)
    return Scenario(
        calls=calls,
        behaviour=_behaviour(calls, lag_s),
        callers=load.callers,
        asked=load.asked,
        begins_ns=int(calls["received_ns"].to_numpy().min()) // SECOND * SECOND,
        base_ns=_as_ns(calls["base_ms"]),
        recorded_ns=_as_ns(_recorded_ms(recorded, calls)),
        period_s=min(periods.values()) / SECOND if periods else None,
    )


def _hang_up_s(culprit: pl.DataFrame) -> float | None:
    """Return when the culprit's clients hang up, where many calls ended alike: as 5xx, late."""
    ended = culprit.filter((pl.col("code") >= 500) & (pl.col("latency_ms") > 5_000))["latency_ms"]
    if len(ended) < FEWEST_HANGING_UP:
        return None
    return float(np.median(ended.to_numpy())) / 1e3


def _with_patience(calls: pl.DataFrame, hang_up_s: float | None) -> pl.DataFrame:
    known = {group.name: float(group.patience_s) for group in caller_groups()}
    known[CULPRIT] = hang_up_s or known[CULPRIT]
    usual = pl.col("caller_group").replace_strict(known, return_dtype=pl.Float64)
    waited = (pl.col("code") < 400) & (pl.col("latency_ms") / 1e3 > usual)
    # What streams goes on after its answer began. Who waited longer is not that impatient.
    patient = pl.when(waited).then(pl.max_horizontal(usual, pl.lit(DEADLINE_S))).otherwise(usual)
    return calls.with_columns(patience_s=pl.when(~pl.col("streams")).then(patient))


def _recorded_ms(recorded: pl.DataFrame, calls: pl.DataFrame) -> pl.Series:
    """Return service times as recorded; else the median of such calls at that time, or at all."""
    interval = pl.col("received_ns") // INTERVAL
    like = recorded.filter(pl.col("service_ms").is_not_null())
    near = like.group_by("caller_group", "call", interval.alias("interval")).agg(
        near_ms=pl.col("service_ms").median()
    )
    overall = like.group_by("caller_group", "call").agg(all_ms=pl.col("service_ms").median())
    told = (
        calls.with_columns(interval=interval)
        .join(near, on=["caller_group", "call", "interval"], how="left", maintain_order="left")
        .join(overall, on=["caller_group", "call"], how="left", maintain_order="left")
    )
    return told.select(pl.coalesce("service_ms", "near_ms", "all_ms", "base_ms")).to_series()


def _behaviour(calls: pl.DataFrame, lag_s: float) -> Behaviour:
    """Polls follow each other; all clients ask again where they are refused."""
    return Behaviour(
        tries=np.full(len(calls), TRIES, dtype=np.int64),
        lag_ns=np.full(len(calls), round(lag_s * SECOND), dtype=np.int64),
        patience_ns=(calls["patience_s"] * SECOND).cast(pl.Int64).fill_null(NEVER).to_numpy(),
        next_poll=_following(calls),
        arrivals=int((calls["round"] == 0).sum()),
    )


def _following(calls: pl.DataFrame) -> Ints:
    """Return the place of the next round of the same client, NOWHERE where there is none."""
    chained = calls.with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64)).select(
        pl.when(pl.col("round").shift(-1) == pl.col("round") + 1)
        .then(pl.col("place").shift(-1))
        .over("caller_group", "client", order_by="round")
        .alias("following")
    )
    places: Ints = chained["following"].fill_null(NOWHERE).to_numpy()
    return places


def _as_ns(ms: pl.Series) -> Ints:
    whole: Ints = np.maximum(1, ms.to_numpy() * MS).astype(np.int64)
    return whole
