"""Tables of the golden vectors: hands, limits, borrowing, widths, Retry-After, default objects."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from flowcontrol.vectors import configured, scenarios, vector
from kubepostmortem.flowcontrol.allocation import (
    Demand,
    adjusted,
    nominal_limits,
)
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.defaults import default_flow_schemas, default_priority_levels
from kubepostmortem.flowcontrol.division import Wish, divide
from kubepostmortem.flowcontrol.hashing import can_deal, entropy_bits, flow_hash, hand
from kubepostmortem.flowcontrol.list_options import list_options
from kubepostmortem.flowcontrol.parsing import flow_schema, priority_level
from kubepostmortem.flowcontrol.request_info import requested
from kubepostmortem.flowcontrol.retry_after import retry_after_s
from kubepostmortem.flowcontrol.watches import Watched, counted_under, told_of
from kubepostmortem.flowcontrol.work import Stored, Width, WidthRules, width

APF = [name for name in scenarios() if not 60 <= int(name[:2]) < 70]
RELEASES = {"v1.31": (29, 33), "v1.36": (34, 36)}


def test_flows_have_their_hash_and_hand() -> None:
    rows = vector("hash_and_hands")["rows"]

    dealt = [
        (
            hashed := flow_hash(row["flow_schema"], row["distinguisher"]),
            hand(hashed, row["queues"], row["hand_size"]),
        )
        for row in rows
    ]

    assert dealt == [(int(row["hash"]), tuple(row["hand"])) for row in rows]


def test_hands_are_dealt_that_a_hash_suffices_for() -> None:
    rows = vector("hash_and_hands")["validity"]

    for row in rows:
        assert can_deal(row["queues"], row["hand_size"]) == row["valid"], row
        assert entropy_bits(row["queues"], row["hand_size"]) == row["entropy_bits"], row


def test_seats_are_divided() -> None:
    for row in vector("concurrency_allocation")["rows"]:
        wishes = [Wish(one["target"], one["lower"], one["upper"]) for one in row["items"]]
        division = divide(row["required_sum"], wishes)
        if row["error"]:
            assert division is None
            continue
        assert division is not None
        assert division.seats == pytest.approx(row["allocs"], rel=1e-9, abs=1e-9)
        assert division.multiple == pytest.approx(row["fair_prop"], rel=1e-9, abs=1e-9)


def test_limits_at_rest() -> None:
    defaults = vector("default_objects")
    for row in vector("nominal_limits")["rows"]:
        configuration = configured(defaults[row["objects"]], with_defaults=False)
        assert at_rest(configuration, row["server_concurrency_limit"]) == row["levels"]


@pytest.mark.parametrize("name", APF)
def test_first_limits_of_a_scenario(name: str) -> None:
    scenario, (first, *_) = vector(name)["scenario"], vector(name)["levels"]

    configuration = configured(scenario, scenario["use_default_objects"])

    assert at_rest(configuration, scenario["server_concurrency_limit"]) == first["levels"]


def test_clients_are_told_to_come_back() -> None:
    for row in vector("retry_after")["rows"]:
        waits = retry_after_s(np.array(row["drop_t_ns"]))
        assert waits.tolist() == row["retry_after_after_each_drop"], row["name"]


@pytest.mark.parametrize("release", RELEASES)
def test_default_objects(release: str) -> None:
    told = vector("default_objects")[release]

    for minor in RELEASES[release]:
        levels, schemas = default_priority_levels(minor), default_flow_schemas(minor)
        assert by_name(levels) == by_name(map(priority_level, told["priority_levels"]))
        assert by_name(schemas) == by_name(map(flow_schema, told["flow_schemas"]))


def test_widths_of_requests() -> None:
    told = vector("work_estimation")
    columns = told["columns"]
    calls = [
        (requested(one["method"], one["url"]), list_options(one["url"])) for one in told["calls"]
    ]
    watched = [watches(watch_set) for watch_set in told["watch_sets"]]

    for case in map(dict, rows(columns)):
        call, options = calls[case["call"]]
        watchers = sum(watched[case["watches"]][place] for place in told_of(call))
        assert watchers == case["interested_watch_count"], case
        found = width(
            rules(case), call, options, stored(case), watchers, case["priority_level_max_seats"]
        )
        assert found == Width(
            case["initial_seats"], case["final_seats"], case["additional_latency_ns"]
        ), case


def test_lists_name_the_object_that_they_select() -> None:
    for one in vector("work_estimation")["calls"]:
        call = requested(one["method"], one["url"])
        assert (call.verb, call.name) == (one["verb"], one["request_name"])


def at_rest(configuration: Configuration, server_limit: int) -> list[dict]:
    """Limits of a server that nobody asks anything, by name of level, as the vectors tell them."""
    levels = configuration.priority_levels
    limits = nominal_limits(server_limit, levels.values())
    current = adjusted(
        levels.values(),
        limits,
        dict.fromkeys(levels, Demand()),
        {name: known.nominal for name, known in limits.items()},
    )
    return [
        {
            "name": name,
            "nominal_cl": limits[name].nominal,
            "min_cl": limits[name].lower,
            "max_cl": limits[name].upper,
            "current_cl": current[name],
            "demand_high_watermark": 0,
            "demand_avg": 0,
            "demand_stdev": 0,
            "demand_smoothed": 0,
            "estimator_max_seats": limits[name].widest_request,
        }
        for name in sorted(levels)
    ]


def by_name(objects) -> dict:
    return {one.name: one for one in objects}


def rows(columns: dict[str, list]):
    return (zip(columns, row, strict=True) for row in zip(*columns.values(), strict=True))


def watches(watch_set: list[dict]) -> Counter[Watched]:
    counts: Counter[Watched] = Counter()
    for one in watch_set:
        call = requested("GET", one["url"])
        if place := counted_under(call, list_options(one["url"]).field_selector):
            counts[place] += one["n"]
    return counts


def rules(case: dict) -> WidthRules:
    return WidthRules(
        minor=int(case["estimator"].split(".")[1]),
        by_size=case["gate_SizeBasedListCostEstimate"],
        watch_lists=case["gate_WatchList"],
        consistent_lists=case["etcd_progress_notify_supported"],
    )


def stored(case: dict) -> Stored | None:
    if case["object_count"] is None:
        return None
    return Stored(case["object_count"], case["avg_bytes"], case["stale"])
