"""What was in force: from objects, flags, metrics and defaults, and where they disagree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.flowcontrol.work import Stored, width_rules
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.effective import Effective, effective
from kubepostmortem.store import Store
from planted import at, request
from simulation.flow_control_evidence import (
    CURRENT,
    DEFAULT_NOMINAL,
    DISPATCHED,
    IN_FLIGHT,
    NOMINAL,
    default_objects,
    exported,
    flags,
    known,
    level,
    metric,
    nominal,
    schema,
)

FENCED = (*default_objects(33), level("fence"), schema("fence", "fence"))
WITH_FENCE = DEFAULT_NOMINAL | {"workload-low": 48, "fence": 3}


def found(store: Store) -> Effective:
    return effective(Inquiry(store), "prod")


def origins(one: Effective) -> dict[str, str]:
    return {setting.name.lstrip("-"): setting.origin for setting in one.settings}


def limits(one: Effective) -> tuple[int, int]:
    return one.max_requests_inflight, one.max_mutating_requests_inflight


def test_where_nothing_is_known_the_defaults_of_the_release_are_assumed(store: Store) -> None:
    known(store)

    one = found(store)

    assert (one.apf, limits(one), one.minor) == (True, (400, 200), 33)
    assert one.configuration == default_configuration(33)
    assert (one.server.limit, one.server.request_timeout_ns) == (600, 60 * 10**9)
    assert one.server.rules == width_rules(33)
    assert set(origins(one).values()) == {"release defaults"}
    assert (one.current_limits, one.conflicts) == ({}, ())
    assert any(s.value == "unknown" for s in one.settings if s.name == "stored objects")


def test_a_cluster_without_evidence_is_missing(store: Store) -> None:
    with pytest.raises(MissingEvidence, match="prod"):
        found(store)


def test_flags_tell_limits_timeout_and_that_apf_is_off(store: Store) -> None:
    flags(
        store,
        enable_priority_and_fairness="false",
        max_requests_inflight="3000",
        max_mutating_requests_inflight="1000",
        request_timeout="1m30s",
    )
    exported_objects = origins(found(store))

    one = found(store)

    assert (one.apf, limits(one), one.server.limit) == (False, (3000, 1000), 4000)
    assert one.server.request_timeout_ns == 90 * 10**9
    assert {name for name, origin in exported_objects.items() if origin == "flags"} == {
        "enable-priority-and-fairness",
        "max-requests-inflight",
        "max-mutating-requests-inflight",
        "request-timeout",
    }


def test_of_a_flag_given_twice_the_last_one_counts(store: Store) -> None:
    flags(store, max_requests_inflight="400,800")

    assert limits(found(store)) == (800, 200)


def test_api_servers_that_differ_are_named_and_most_of_them_count(store: Store) -> None:
    for server, value in (("a", "900"), ("b", "400"), ("c", "900")):
        flags(store, server, max_requests_inflight=value)

    one = found(store)

    assert limits(one) == (900, 200)
    assert any("differ in --max-requests-inflight: 900 and 400" in x for x in one.conflicts)


@pytest.mark.parametrize("value", ["many", "-1", "", "４００"])  # noqa: RUF001
def test_a_flag_that_cannot_be_read_counts_as_not_given(store: Store, value: str) -> None:
    flags(store, max_requests_inflight=value)

    one = found(store)

    assert limits(one) == (400, 200)
    assert any("cannot be read" in x for x in one.conflicts)


@pytest.mark.parametrize(("version", "on"), [("v1.28.4", False), ("v1.29.0", True)])
def test_the_feature_gate_turns_apf_off_until_it_is_locked(
    store: Store, version: str, on: bool
) -> None:
    metric(store, "kubernetes_build_info", [(0, 1)], git_version=version)
    flags(store, feature_gates="A=true,APIPriorityAndFairness=false")

    assert found(store).apf is on


def test_metrics_tell_the_limit_where_flags_do_not(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL)

    one = found(store)

    assert (one.apf, limits(one), one.server.limit) == (True, (80, 40), 120)
    assert origins(one)["max-requests-inflight"] == "metrics"
    assert origins(one)["enable-priority-and-fairness"] == "metrics"
    assert one.conflicts == ()


def test_the_older_name_of_nominal_limits_is_read_too(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL, "apiserver_flowcontrol_request_concurrency_limit")

    assert found(store).server.limit == 120


def test_one_flag_and_metrics_tell_the_other_limit(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL)
    flags(store, max_mutating_requests_inflight="20")

    assert limits(found(store)) == (100, 20)


def test_flags_count_more_than_metrics_and_the_disagreement_is_told(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL)
    metric(store, CURRENT, [(0, 7)], priority_level="catch-all")
    flags(store, max_requests_inflight="400", max_mutating_requests_inflight="200")

    one = found(store)

    assert limits(one) == (400, 200)
    assert any("118 to 120 seats" in x and "600" in x for x in one.conflicts)
    assert one.current_limits == {}


def test_limits_that_were_summed_over_servers_are_recognised(store: Store) -> None:
    nominal(store, {name: 3 * seats for name, seats in DEFAULT_NOMINAL.items()})
    flags(store, max_requests_inflight="80", max_mutating_requests_inflight="40")

    assert any("summed over 3 API servers" in x for x in found(store).conflicts)


def test_limits_of_other_programs_are_not_those_of_the_api_server(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL, job="metrics-server")

    assert limits(found(store)) == (400, 200)


def test_apf_was_off_where_metrics_of_requests_in_flight_lack_its_own(store: Store) -> None:
    metric(store, IN_FLIGHT, [(0, 399)], request_kind="readOnly")

    one = found(store)

    assert one.apf is False
    assert origins(one)["enable-priority-and-fairness"] == "metrics"


def test_a_whole_command_line_without_the_flag_leaves_apf_on(store: Store) -> None:
    metric(store, IN_FLIGHT, [(0, 399)], request_kind="readOnly")
    flags(store, etcd_servers="http://127.0.0.1:2379")

    one = found(store)

    assert one.apf is True
    assert any("it may have been off" in x for x in one.conflicts)


def test_requests_marked_in_the_log_tell_that_apf_was_on(read, store: Store) -> None:
    metric(store, IN_FLIGHT, [(0, 399)], request_kind="readOnly")
    waited = {"apiserver.latency.k8s.io/apf-queue-wait": "1.2s"}
    read(request("a", took=2.0, annotations=waited))

    one = found(store)

    assert one.apf is True
    assert origins(one)["enable-priority-and-fairness"] == "audit log"


def test_more_requests_in_flight_than_allowed_contradict_the_flags(store: Store) -> None:
    metric(store, IN_FLIGHT, [(0, 700)], request_kind="readOnly")
    flags(store, enable_priority_and_fairness="false", max_requests_inflight="400")

    assert any("reached 700" in x for x in found(store).conflicts)


def test_signs_of_apf_contradict_a_flag_that_turns_it_off(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL)
    flags(store, enable_priority_and_fairness="false")

    one = found(store)

    assert one.apf is False
    assert any("off by the flags" in x for x in one.conflicts)


@pytest.mark.parametrize("minor", [26, 31, 36])
def test_exported_objects_are_read_back_as_they_are(
    store: Store, tmp_path: Path, minor: int
) -> None:
    metric(store, "kubernetes_build_info", [(0, 1)], git_version=f"v1.{minor}.1")
    exported(store, tmp_path, *default_objects(minor))

    one = found(store)

    assert one.configuration == default_configuration(minor)
    assert origins(one)["priority level workload-low"] == "objects"
    assert origins(one)["FlowSchema service-accounts"] == "objects"
    assert one.conflicts == ()


def test_before_1_26_no_level_borrows(store: Store, tmp_path: Path) -> None:
    metric(store, "kubernetes_build_info", [(0, 1)], git_version="v1.25.1")
    exported(store, tmp_path, *default_objects(25))

    levels = found(store).configuration.priority_levels.values()

    assert {(x.lendable_percent, x.borrowing_limit_percent) for x in levels} == {(0, 0)}


def test_a_level_of_ones_own_is_in_force_and_counts_for_the_limit(
    store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path, *FENCED)
    nominal(store, WITH_FENCE)

    one = found(store)

    assert one.configuration.priority_levels["fence"].shares == 5
    assert "fence" in [s.name for s in one.configuration.flow_schemas]
    assert (one.server.limit, one.conflicts) == (120, ())


def test_objects_of_ones_own_alone_leave_the_defaults_in_force(
    store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path, level("fence"), schema("fence", "fence"))

    one = found(store)

    assert one.configuration.priority_levels.keys() == DEFAULT_NOMINAL.keys() | {"fence"}
    assert origins(one)["priority level fence"] == "objects"
    assert origins(one)["priority level system"] == "release defaults"


def test_a_level_that_came_after_the_incident_was_not_in_force(
    store: Store, tmp_path: Path
) -> None:
    exported(store, tmp_path, *FENCED)
    nominal(store, DEFAULT_NOMINAL)

    one = found(store)

    assert "fence" not in one.configuration.priority_levels
    assert [s.name for s in one.configuration.dangling] == ["fence"]
    assert one.server.limit == 120
    (told,) = one.conflicts
    assert "fence" in told
    assert "not in the metrics of the incident" in told


def test_a_level_that_only_metrics_name_gets_shares_that_fit_its_seats(store: Store) -> None:
    nominal(store, WITH_FENCE)
    metric(store, DISPATCHED, [(0, 1)], flow_schema="fence", priority_level="fence")

    one = found(store)

    assert one.server.limit == 120
    assert one.configuration.priority_levels["fence"].shares == 5
    assert origins(one)["priority level fence"] == "metrics"
    assert len([x for x in one.conflicts if "fence" in x]) == 2  # the level and its FlowSchema


def test_a_schema_that_sent_its_requests_elsewhere_is_told(store: Store) -> None:
    metric(store, DISPATCHED, [(0, 1)], flow_schema="service-accounts", priority_level="system")

    (told,) = found(store).conflicts

    assert "service-accounts sent requests to priority level system" in told


def test_shares_that_do_not_fit_the_metrics_are_told(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL | {"system": 60, "workload-low": 24})

    one = found(store)

    assert one.server.limit == 140  # they add up to 142, six of them rounded up
    assert any("system 60 (by shares" in x for x in one.conflicts)


def test_limits_that_change_are_told(store: Store) -> None:
    nominal(store, DEFAULT_NOMINAL)
    metric(store, NOMINAL, [(90, 30)], priority_level="system")

    one = found(store)

    assert one.server.limit == 120
    assert any("changed while" in x and "system" in x for x in one.conflicts)


def test_malformed_objects_are_left_out_and_named(store: Store, tmp_path: Path) -> None:
    broken = level("broken", limitResponse={"type": "Reject", "queuing": {"queues": 1}})
    exported(store, tmp_path, *default_objects(33), broken, schema("to-broken", "broken"))

    one = found(store)

    assert replace(one.configuration, dangling=()) == default_configuration(33)
    assert [s.name for s in one.configuration.dangling] == ["to-broken"]
    assert any("priority level broken" in x for x in one.conflicts)
    assert any("to-broken points to priority level broken" in x for x in one.conflicts)


def test_current_limits_are_those_when_the_log_begins(read, store: Store) -> None:
    read(request("a", received=100))
    metric(store, CURRENT, [(40, 9), (98, 12), (200, 50)], priority_level="system")
    metric(store, CURRENT, [(500, 12)], priority_level="workload-low")

    assert found(store).current_limits == {"system": 12}


def test_objects_written_during_the_log_are_told(read, store: Store) -> None:
    written = {"resource": "flowschemas", "group": "flowcontrol.apiserver.k8s.io", "name": "x"}
    read(
        [
            *request("a", verb="patch", user="alice", received=5, **written),
            *request("b", verb="patch", user="system:apiserver", subresource="status", **written),
            *request("c", verb="update", user="bob", code=409, **written),
            *request("d", verb="get", user="carol", **written),
        ]
    )

    (told,) = found(store).conflicts

    assert "flowschemas/x" in told
    assert "alice" in told
    assert f"{at(5).isoformat()}Z" in told


def test_stored_objects_are_told_with_their_size_where_it_is_known(store: Store) -> None:
    for resource, group in (("pods", ""), ("leases", "coordination.k8s.io")):
        metric(store, "apiserver_resource_objects", [(0, 100)], resource=resource, group=group)
    size = "apiserver_resource_size_estimate_bytes"
    metric(store, size, [(0, 250_000)], resource="pods", group="")

    assert found(store).server.stored == {
        "pods": Stored(100, 2500),
        "leases.coordination.k8s.io": Stored(100, 4000),
    }
