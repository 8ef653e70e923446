"""Policies by their name, with other flags, and with objects applied on top."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubepostmortem.errors import UsageError
from kubepostmortem.flowcontrol.configuration import Configuration, in_force
from kubepostmortem.flowcontrol.defaults import default_configuration
from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.flowcontrol.manifests import Manifests
from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.policies import Wish, tried
from simulation.planted_loads import known

LEVEL = PriorityLevel("telemetry", exempt=False, shares=7)
SCHEMA = FlowSchema("telemetry", "telemetry", 800)
APPLIED = Manifests((LEVEL,), (SCHEMA,))


def own() -> Effective:
    """A cluster with an object of its own."""
    return replace(known(), configuration=in_force([LEVEL], [SCHEMA]))


def test_what_was_in_force_is_the_actual_policy() -> None:
    found = tried(Wish(), own())

    assert found.policy == own().configuration
    assert (found.name, found.apf, found.server.limit) == ("actual", True, 600)


def test_in_flight_limits_that_were_in_force_are_too() -> None:
    found = tried(Wish(), known(apf=False, reads=40, writes=20))

    assert (found.policy, found.apf) == (InFlightLimits(40, 20), False)


@pytest.mark.parametrize("apf", [True, False])
def test_defaults_are_of_the_release_whatever_was_in_force(apf: bool) -> None:
    found = tried(Wish("defaults"), replace(own(), apf=apf))

    assert (found.policy, found.name) == (default_configuration(33), "defaults")


def test_off_has_the_limits_of_the_cluster() -> None:
    found = tried(Wish("off"), known(reads=80, writes=30))

    assert found.policy == InFlightLimits(80, 30)


@pytest.mark.parametrize(
    ("wish", "limit", "name"),
    [
        (Wish(max_requests_inflight=100), 300, "actual, 100 in flight"),
        (Wish(max_mutating_requests_inflight=0), 400, "actual, 0 mutating in flight"),
        (
            Wish("defaults", None, 800, 400),
            1200,
            "defaults, 800 in flight, 400 mutating in flight",
        ),
    ],
)
def test_flags_change_the_seats(wish: Wish, limit: int, name: str) -> None:
    found = tried(wish, known())

    assert (found.server.limit, found.name, found.apf) == (limit, name, True)
    assert found.server.stored == known().server.stored


@pytest.mark.parametrize(
    ("wish", "was_on", "on", "name"),
    [
        (Wish(apf=False), True, False, "actual, APF off"),
        (Wish(apf=True), False, True, "actual, APF on"),
        (Wish("defaults", apf=False), True, False, "defaults, APF off"),
    ],
)
def test_the_switch_is_obeyed(wish: Wish, was_on: bool, on: bool, name: str) -> None:
    found = tried(wish, known(apf=was_on))

    assert (found.apf, found.name) == (on, name)


def test_objects_are_applied_on_top() -> None:
    found = tried(Wish("defaults", manifests=APPLIED), known())

    assert isinstance(found.policy, Configuration)
    assert found.policy.priority_levels["telemetry"] == LEVEL
    assert SCHEMA in found.policy.flow_schemas
    assert "global-default" in found.policy.priority_levels
    assert found.name == "defaults, with the given objects"


def test_objects_replace_those_of_their_name() -> None:
    more = Manifests((replace(LEVEL, shares=70),), (replace(SCHEMA, precedence=90),))

    found = tried(Wish(manifests=more), own())

    assert isinstance(found.policy, Configuration)
    assert found.policy.priority_levels["telemetry"].shares == 70
    named = [x.precedence for x in found.policy.flow_schemas if x.name == "telemetry"]
    assert named == [90]


@pytest.mark.parametrize(
    ("wish", "cluster", "says"),
    [
        (Wish("of course"), known(), "no policy 'of course'"),
        (Wish("off", manifests=APPLIED), known(), "do nothing"),
        (Wish(manifests=APPLIED), known(apf=False), "do nothing"),
        (Wish("defaults"), known(reads=0, writes=0), "needs limits"),
        (Wish(apf=True), known(apf=False, reads=0, writes=0), "needs limits"),
    ],
)
def test_what_does_not_go_together_is_refused(wish: Wish, cluster: Effective, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        tried(wish, cluster)


def test_no_limits_are_a_policy_without_priority_and_fairness() -> None:
    found = tried(Wish("off"), known(reads=0, writes=0))

    assert found.policy == InFlightLimits(0, 0)
