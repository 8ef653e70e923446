"""Scenarios of the golden vectors, replayed, as columns like those of the vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowcontrol.vectors import Vector, call, caller, configured
from kubepostmortem.flowcontrol.flows import DealtFlow
from kubepostmortem.flowcontrol.list_options import list_options
from kubepostmortem.flowcontrol.max_in_flight import replay_in_flight
from kubepostmortem.flowcontrol.offered import Asked, Offered
from kubepostmortem.flowcontrol.preparation import Server
from kubepostmortem.flowcontrol.replay import Change, replay
from kubepostmortem.flowcontrol.replayed import LevelLimits, Replayed
from kubepostmortem.flowcontrol.request_info import requested
from kubepostmortem.flowcontrol.state import (
    BYPASS,
    CONCURRENCY_LIMIT,
    EXECUTED,
    QUEUE_FULL,
    TIME_OUT,
)
from kubepostmortem.flowcontrol.watches import Watched, counted_under
from kubepostmortem.flowcontrol.work import Stored, width_rules

MINOR = 36
MILLISECOND = 1_000_000  # ns
OUTCOMES = {EXECUTED: "executed", BYPASS: "bypass"}
REASONS = {
    QUEUE_FULL: "queue-full",
    CONCURRENCY_LIMIT: "concurrency-limit",
    TIME_OUT: "time-out",
}
TOO_MANY = 429
Columns = dict[str, list[Any]]


def offered(told: Vector) -> Offered:
    """The load of a scenario."""
    columns = {
        name: np.array(told["columns"].get(name) or [0] * told["n"], dtype=np.int64)
        for name in (
            "t_ns",
            "actor",
            "call",
            "service_ns",
            "watch_duration_ns",
            "client_cancel_after_ns",
        )
    }
    return Offered(
        received_ns=columns["t_ns"],
        caller=columns["actor"],
        call=columns["call"],
        service_ns=columns["service_ns"],
        watch_ns=columns["watch_duration_ns"],
        hang_up_ns=columns["client_cancel_after_ns"],
        callers=tuple(caller(actor) for actor in told["actors"]),
        calls=tuple(Asked(call(one), one["url"]) for one in told["calls"]),
        standing=_standing(told["scenario"].get("preexisting_watches") or ()),
    )


def server(scenario: Vector) -> Server:
    """The API server of a scenario."""
    stored = {
        name: Stored(one["count"], one["avg_bytes"])
        for name, one in (scenario.get("object_stats") or {}).items()
    }
    rules = width_rules(MINOR, scenario.get("feature_gates") or {})
    timeout_ns = scenario["request_timeout_ms"] * MILLISECOND
    return Server(scenario["server_concurrency_limit"], rules, stored, timeout_ns)


def replayed(told: Vector) -> Replayed:
    """Replay a scenario. A drained level had its limits divided anew if that was recorded."""
    scenario, defaults = told["scenario"], told["scenario"]["use_default_objects"]
    changes = [Change(0, configured(scenario, defaults))]
    for change in scenario.get("config_changes") or ():
        changes.append(Change(change["t_ns"], configured(change, defaults)))
    digests = [level for level in told["levels"] if level["what"] == "digest"]
    return replay(
        offered(told),
        server(scenario),
        changes,
        borrows=scenario["borrowing_ticks"],
        reloads=len(digests) > len(changes),
        until_ns=told["levels"][-1]["t_ns"],
    )


def columns_of(found: Replayed) -> Columns:
    """What became of the requests, as the vectors tell it."""
    outcomes = found.outcome.tolist()
    executed = [outcome in OUTCOMES for outcome in outcomes]
    queued = found.queue >= 0
    ended = found.ended_ns.tolist()
    return {
        "flow": [_flow(found.flows[flow]) if flow >= 0 else None for flow in found.flow],
        "queue": _where(queued, found.queue),
        "initial_seats": found.initial_seats.tolist(),
        "final_seats": found.final_seats.tolist(),
        "additional_latency_ns": found.linger_ns.tolist(),
        "arrival_r": _where(queued, found.arrival_r),
        "outcome": [OUTCOMES.get(outcome, "rejected") for outcome in outcomes],
        "reason": [REASONS.get(outcome) for outcome in outcomes],
        "http_status": [200 if done else TOO_MANY for done in executed],
        "retry_after_s": [int(s) or None for s in found.retry_after_s],
        "t_dispatch_ns": _where(executed, found.dispatched_ns),
        "t_finish_ns": _where(executed, ended),
        "t_reject_ns": _where(np.logical_not(executed), ended),
        "cut_by_deadline_or_cancel": found.cut.tolist(),
    }


def in_flight(told: Vector) -> Columns:
    """Replay a scenario of the in-flight limits, as the vectors tell it."""
    scenario, load = told["scenario"], offered(told)
    limits = (scenario.get(f"max_{kind}requests_inflight") or 0 for kind in ("", "mutating_"))
    found = replay_in_flight(load, *limits, scenario["request_timeout_ms"] * MILLISECOND)
    executed, refused = found.executed, ~found.executed
    nothing: list[None] = [None] * len(load)
    return {
        "flow": nothing,
        "queue": nothing,
        "initial_seats": [0] * len(load),
        "arrival_r": nothing,
        "outcome": np.where(executed, "executed", "rejected").tolist(),
        "reason": _where(refused, ["max-in-flight"] * len(load)),
        "http_status": np.where(executed, 200, TOO_MANY).tolist(),
        "retry_after_s": _where(refused, [1] * len(load)),
        "t_dispatch_ns": _where(executed, load.received_ns),
        "t_finish_ns": _where(executed, found.ended_ns),
        "t_reject_ns": _where(refused, found.ended_ns),
        "cut_by_deadline_or_cancel": found.cut.tolist(),
    }


def expected(told: Vector) -> Columns:
    """What the vector tells of what became of the requests, each flow spelled out."""
    columns: Columns = dict(told["columns"])
    flows = [
        (f["flow_schema"], f["priority_level"], f["distinguisher"], f["hash"], f["hand"])
        for f in told["flows"]
    ]
    columns["flow"] = [None if flow is None else flows[flow] for flow in columns["flow"]]
    return columns


def adjustments(found: Replayed) -> list[Vector]:
    """What the levels were adjusted to, as the vectors tell it."""
    moments: dict[tuple[int, bool], list[LevelLimits]] = {}
    for level in found.adjustments:
        moments.setdefault((level.ns, level.periodic), []).append(level)
    return [
        {"t_ns": ns, "what": "borrow" if periodic else "digest", "levels": _limits(levels)}
        for (ns, periodic), levels in moments.items()
    ]


def _limits(levels: list[LevelLimits]) -> list[Vector]:
    return [
        {
            "name": level.priority_level,
            "nominal_cl": level.limits.nominal,
            "min_cl": level.limits.lower,
            "max_cl": level.limits.upper,
            "current_cl": level.current,
            "demand_high_watermark": level.demand.high_water_mark,
            "demand_avg": level.demand.average,
            "demand_stdev": level.demand.deviation,
            "demand_smoothed": level.demand.smoothed,
            "estimator_max_seats": level.limits.widest_request,
        }
        for level in sorted(levels, key=lambda level: level.priority_level)
    ]


def _standing(told: list[Vector]) -> dict[Watched, int]:
    standing: dict[Watched, int] = {}
    for one in told:
        options = list_options(one["url"])
        kind = counted_under(requested("GET", one["url"]), options.field_selector)
        if kind is not None:
            standing[kind] = standing.get(kind, 0) + one["n"]
    return standing


def _flow(dealt: DealtFlow) -> tuple[Any, ...]:
    flow, hashed = dealt.flow, None if dealt.hash is None else str(dealt.hash)
    hand = list(dealt.hand) or None
    return flow.flow_schema, flow.priority_level, flow.distinguisher, hashed, hand


def _where(told: Any, values: Any) -> list[Any]:
    return [
        value if there else None
        for there, value in zip(np.asarray(told).tolist(), np.asarray(values).tolist(), strict=True)
    ]
