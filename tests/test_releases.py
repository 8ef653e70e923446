"""Facts about releases of Kubernetes: releases.toml, and versions as programs name them."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.assets import packaged
from kubepostmortem.releases import (
    Build,
    Feature,
    Skew,
    circumstances,
    features,
    kinds,
    newest,
    parse_version,
    releases,
    skew,
)
from kubepostmortem.simulation.switches import GATE, GATE_LOCKED_SINCE, ON_SINCE
from kubepostmortem.store import Store
from planted import at, event, telemetry_storm

every_feature = pytest.mark.parametrize("feature", features().values(), ids=lambda one: one.id)


def test_releases_follow_one_another() -> None:
    assert list(releases()) == list(range(18, max(releases()) + 1))
    for older, newer in pairwise(releases().values()):
        assert older.released < newer.released <= older.end_of_life < newer.end_of_life


def test_a_release_is_supported_up_to_its_last_day() -> None:
    release = releases()[31]
    assert release.supported(date(2025, 11, 11))
    assert not release.supported(date(2025, 11, 12))


@pytest.mark.parametrize(
    ("day", "minor"), [(date(2024, 12, 10), 31), (date(2024, 12, 11), 32), (date(2020, 1, 1), None)]
)
def test_the_newest_release_is_the_last_one_out(day: date, minor: int | None) -> None:
    found = newest(day)
    assert (found.minor if found else None) == minor


@every_feature
def test_an_entry_is_complete(feature: Feature) -> None:
    assert feature.kind in kinds()
    assert feature.side in ("server", "client")
    assert feature.circumstance is None or feature.circumstance in circumstances()
    assert feature.helps.endswith(".") and feature.source
    assert not feature.note or feature.note.endswith(".")


@every_feature
def test_stages_are_in_order_and_nothing_follows_always(feature: Feature) -> None:
    assert list(feature.stages) == sorted(feature.stages)
    assert set(feature.stages.values()) <= {"off", "on", "always"}
    assert "always" not in list(feature.stages.values())[:-1]
    assert feature.gate or set(feature.stages.values()) == {"always"}


@every_feature
def test_what_a_feature_needs_comes_before_it(feature: Feature) -> None:
    order = list(features())
    if feature.needs:
        assert order.index(feature.needs) < order.index(feature.id)


def test_kinds_and_circumstances_are_all_used() -> None:
    assert {feature.kind for feature in features().values()} == kinds().keys()
    used = {feature.circumstance for feature in features().values()} - {None}
    assert used == circumstances().keys()


def test_a_feature_that_was_switched_off_again_is_on_since_the_last_time() -> None:
    watch_list = features()["watch-list"]
    stages = [watch_list.stage(minor) for minor in (26, 31, 32, 33, 34, 40)]
    assert stages == [None, "off", "on", "off", "on", "on"]
    assert [watch_list.on_since(minor) for minor in (31, 32, 33, 40)] == [None, 32, None, 34]


@pytest.mark.parametrize("minor", range(20, 38))
def test_seats_are_estimated_by_the_same_facts(read, store: Store, minor: int) -> None:
    read([event(user="system:apiserver", agent=f"kube-apiserver/v1.{minor}.0 (linux/amd64)")])
    store.run(
        """insert into metric_series
        values (1, 'prod', 'kubernetes_build_info', map {'git_version': $version}, 1)""",
        version=f"v1.{minor}.0",
    )

    (rules,) = store.frame("from seat_rules").to_dicts()
    for rule, feature in (
        ("by_size", "list-seats-by-size"),
        ("watch_lists", "watch-list"),
        ("consistent_lists", "consistent-list-from-cache"),
    ):
        assert rules[rule] == (features()[feature].stage(minor) in ("on", "always"))


def test_flow_control_is_on_by_the_same_facts() -> None:
    feature = features()["api-priority-and-fairness"]
    assert feature.gate == GATE
    assert feature.stages[ON_SINCE] == "on"
    assert feature.stages[GATE_LOCKED_SINCE] == "always"


@pytest.mark.parametrize(
    ("program", "minor", "rule"),
    [
        ("kubelet", 24, Skew(older=2, newer=0)),
        ("kubelet", 25, Skew(older=3, newer=0)),
        ("kube-scheduler", 30, Skew(older=1, newer=0)),
        ("kubectl", 30, Skew(older=1, newer=1)),
        ("coredns", 30, None),
    ],
)
def test_skew_is_by_program_and_its_version(program: str, minor: int, rule: Skew | None) -> None:
    assert skew(program, minor) == rule


@pytest.mark.parametrize(
    "entry", packaged("releases.toml")["distribution"], ids=lambda e: e["name"]
)
def test_a_distribution_is_known_by_its_suffix(entry: dict[str, str]) -> None:
    build = parse_version(entry["example"])
    assert build is not None
    assert (build.distribution, build.unknown_suffix) == (entry["name"], None)


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("v1.36.2", Build(36, 2)),
        ("1.30+", Build(30, None)),
        ("v1.31.0-rc.1", Build(31, 0, pre_release=True)),
        ("v1.30.2-dirty", Build(30, 2, dirty=True)),
        ("v1.19.0-34+1a52fbf0753680", Build(19, 0, commits_after_tag=34)),
        ("v1.31.0-alpha.1.45+abcdef012345", Build(31, 0, commits_after_tag=45)),
        ("v1.30.4-eks-a737599-dirty", Build(30, 4, "Amazon EKS", dirty=True)),
        ("v1.30.4-acme.1", Build(30, 4, unknown_suffix="-acme.1")),
        ("v2.14.0", None),
        ("go1.22", None),
        ("", None),
    ],
)
def test_versions_are_read(text: str, build: Build | None) -> None:
    assert parse_version(text) == build


@given(st.text(max_size=40))
def test_whatever_follows_the_number_is_no_error(suffix: str) -> None:
    build = parse_version(f"v1.30.4{suffix}")
    assert build is None or build.minor == 30


@pytest.mark.parametrize(("text", "released"), [("v1.30.4", True), ("v1.30.4-gke.1", False)])
def test_only_a_plain_patch_release_is_as_released(text: str, released: bool) -> None:
    build = parse_version(text)
    assert build is not None
    assert build.as_released is released


def test_circumstances_are_those_that_the_model_counts(read, store: Store) -> None:
    read(telemetry_storm())
    store.run(
        """insert into metric_series values
        (1, 'prod', 'process_start_time_seconds', map {'job': 'apiserver', 'instance': 'a'}, 1)"""
    )
    (overload,) = store.frame(
        "select begins_at from incident where time_window = 'overload'"
    ).rows()
    rows = [{"series_id": 1, "sampled_at": overload[0], "value": 5.0}]
    store.insert("metric_samples", rows)
    store.run("update requests set apf_queue_wait_ms = 600 where received_at > $t", t=at(300))

    counted = store.frame("select circumstance from overload_circumstances")["circumstance"]
    assert set(counted) == circumstances().keys()
