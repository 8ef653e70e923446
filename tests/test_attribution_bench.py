"""The attribution benchmark: its incidents are what they claim, and its marks are just."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent.parent))

from bench.attribution import run, temper
from bench.attribution.feedback import Offered, Response, Server, respond
from bench.attribution.generate import generate
from bench.attribution.incident import LOAD_SCHEMA, Incident, Pattern, Prediction, Truth
from bench.attribution.localisers import growth, top_growth
from bench.attribution.overlays import OVERLAYS, PLAIN
from bench.attribution.scenarios import HELD_OUT, SCENARIOS
from bench.attribution.score import expand, score, summary
from bench.attribution.sheet import lay_out
from bench.attribution.world import build

MECHANISMS = dict(SCENARIOS + HELD_OUT)
CROSSED = {overlay.name: overlay for overlay in OVERLAYS}
few = settings(max_examples=8, derandomize=True, deadline=None)
names = st.sampled_from(sorted(MECHANISMS))
overlays = st.sampled_from(sorted(CROSSED))
seeds = st.integers(0, 1000)


@cache
def incident(name: str, overlay: str = "plain", seed: int = 0, hard: bool = False) -> Incident:
    return generate(name, MECHANISMS[name], CROSSED[overlay], seed, hard=hard)


def truth_of(one: Incident) -> Prediction:
    return Prediction(tuple(sorted(one.truth.patterns, key=repr)), one.truth.onset)


@few
@given(names, overlays, seeds, st.booleans())
def test_a_seed_gives_the_same_incident_again(
    name: str, overlay: str, seed: int, hard: bool
) -> None:
    once = generate(name, MECHANISMS[name], CROSSED[overlay], seed, hard=hard)
    again = generate(name, MECHANISMS[name], CROSSED[overlay], seed, hard=hard)

    assert once.load.equals(again.load)
    assert (once.truth, once.deploys) == (again.truth, again.deploys)


def test_other_seeds_and_overlays_give_other_incidents() -> None:
    one = incident("crd-list")

    assert not one.load.equals(incident("crd-list", seed=1).load)
    assert not one.load.equals(incident("crd-list", overlay="waves").load)


@few
@given(names, overlays, seeds, st.booleans())
def test_counts_are_counts(name: str, overlay: str, seed: int, hard: bool) -> None:
    one = incident(name, overlay, seed, hard)
    load = one.load

    assert load.schema == LOAD_SCHEMA
    assert load["requests"].min() > 0
    for part in ("throttled", "failed", "new_node_requests"):
        assert ((load[part] >= 0) & (load[part] <= load["requests"])).all()
    assert (load["throttled"] + load["failed"] <= load["requests"]).all()
    assert load["bin"].is_between(0, len(one.axis.cluster) - 1).all()
    assert (load.filter(pl.col("verb") == "watch")["request_s"] <= 0.0002 * load.height).all()
    assert load["seats"].is_between(1, 100).all()


@few
@given(names, overlays, seeds)
def test_the_axis_has_both_windows_in_every_cluster(name: str, overlay: str, seed: int) -> None:
    axis = incident(name, overlay, seed).axis

    assert not (axis.baseline & axis.overload).any()
    for cluster in np.unique(axis.cluster):
        here = axis.cluster == cluster
        assert (axis.baseline & here).sum() >= 50
        assert 20 <= (axis.overload & here).sum() <= 120
    assert (axis.nodes_joined[axis.baseline] == 0).all()


@few
@given(names.filter(lambda name: name != "none"), seeds)
def test_what_is_planted_grows(name: str, seed: int) -> None:
    one = incident(name, "plain", seed)
    grown = {
        (component, verb, resource): growth_s
        for component, verb, resource, growth_s in growth(one).iter_rows()
    }
    planted = sum(grown[key] for key in one.truth.planted)
    resting_s = _resting_s(one)

    for pattern in one.truth.patterns:
        assert sum(grown[key] for key in one.truth.planted if pattern.matches(key)) > 0
    # At least 0.15 of the load at rest is planted; noise and slower clients take a part of it.
    assert planted > 0.08 * resting_s
    assert planted > 0.4 * sum(growth_s for growth_s in grown.values() if growth_s > 0)


def _resting_s(one: Incident) -> float:
    baseline = pl.Series(np.flatnonzero(one.axis.baseline))
    rows = one.load.filter(pl.col("bin").is_in(baseline.implode()))
    return float((rows["requests"] * rows["unit_cost_s"]).sum()) / int(one.axis.baseline.sum())


@few
@given(names.filter(lambda name: name != "none"), overlays, seeds)
def test_every_pattern_of_the_truth_is_in_the_evidence(name: str, overlay: str, seed: int) -> None:
    one = incident(name, overlay, seed)

    assert one.truth.patterns
    assert one.truth.planted <= set(one.keys())
    for pattern in one.truth.patterns:
        assert expand([pattern], one.truth.planted)


@few
@given(names.filter(lambda name: name != "none"), seeds)
def test_the_onset_is_near_the_begin_of_the_overload(name: str, seed: int) -> None:
    one = incident(name, "plain", seed)
    first = np.flatnonzero(one.axis.overload)[0]

    assert one.truth.onset is not None
    assert abs(one.truth.onset - first) <= 6


@few
@given(overlays, seeds)
def test_no_cause_has_no_truth(overlay: str, seed: int) -> None:
    one = incident("none", overlay, seed)

    assert not one.truth.patterns
    assert one.truth.onset is None
    assert score(one, Prediction()).exact
    assert not score(one, Prediction((Pattern("kubelet", "get", None),))).exact


@few
@given(names, overlays, seeds, st.booleans())
def test_the_truth_itself_has_full_marks(name: str, overlay: str, seed: int, hard: bool) -> None:
    one = incident(name, overlay, seed, hard)
    marks = score(one, truth_of(one))

    assert (marks.exact, marks.top1, marks.top3, marks.f1) == (True, True, True, 1.0)
    assert marks.onset_error_s in (None, 0.0)
    assert not marks.accused


@few
@given(names, seeds)
def test_decoys_are_deployed_and_innocent(name: str, seed: int) -> None:
    one = incident(name, "decoys", seed)

    assert 1 <= len(one.truth.innocents) <= 3
    assert one.truth.innocents <= {deploy.component for deploy in one.deploys}
    assert not one.truth.innocents & {pattern.component for pattern in one.truth.patterns}


def test_new_nodes_bring_requests_only_after_the_baseline() -> None:
    with_nodes, without = incident("crd-list", "nodes"), incident("crd-list")
    last = int(np.flatnonzero(with_nodes.axis.baseline)[-1])
    early = with_nodes.load.filter(pl.col("bin") <= last)

    assert with_nodes.load["new_node_requests"].sum() > 0
    assert early["new_node_requests"].sum() == 0
    assert without.load["new_node_requests"].sum() == 0


def test_nothing_happens_in_the_other_cluster() -> None:
    one = incident("controller-hot-loop", "clusters", seed=3)
    other = one.load.filter(pl.col("bin") >= int((one.axis.cluster == 0).sum()))

    assert other.height > 0
    assert other["throttled"].sum() == 0


def test_an_overloaded_server_refuses_and_is_asked_again() -> None:
    rng = np.random.default_rng(1)
    sheet = lay_out(build(rng), [], rng)
    clients, width_s = temper.clients(sheet, rng), 10.0
    first = np.repeat(sheet.per_s[:, None] * width_s, 20, axis=1)
    nothing = np.zeros_like(first)
    demand_s = float(sheet.cost_s @ first[:, 0])
    tight = replace(temper.idle(), capacity_s=demand_s / 2, refusal=1.0, slowness=1.0)

    def asked(server: Server) -> Response:
        offered = Offered(first, nothing, nothing, sheet.cost_s, 0.0)
        return respond(offered, clients, server, width_s)

    assert np.allclose(asked(temper.idle()).requests, first)
    assert asked(tight).throttled.max() > 0.3
    assert asked(tight).requests.sum() > 1.2 * first.sum()
    assert asked(tight).inflation[-1] > 2.0


KEYS = (
    ("otel-agent", "list", "pods"),
    ("otel-agent", "list", "nodes"),
    ("otel-agent", "watch", "pods"),
    ("kubelet", "get", None),
    ("kubelet", "get", "pods"),
)


def test_a_wildcard_expands_over_the_keys_that_are_there() -> None:
    assert expand([Pattern("otel-agent", "list", None)], KEYS) == set(KEYS[:2])
    assert expand([Pattern(None, None, "pods")], KEYS) == {KEYS[0], KEYS[2], KEYS[4]}
    assert expand([Pattern("kubelet", "get", "")], KEYS) == {KEYS[3]}
    assert expand([Pattern(None, None, None)], KEYS) == set(KEYS)
    assert expand([], KEYS) == frozenset()


@pytest.fixture
def storm() -> Incident:
    """Two LISTs that grew; the watch of the culprit may be named or not; kubelet is a decoy."""
    load = pl.DataFrame(
        {"component": [key[0] for key in KEYS], "verb": [key[1] for key in KEYS],
         "resource": [key[2] for key in KEYS], "requests": [1.0] * len(KEYS)}
    )  # fmt: skip
    truth = Truth(
        frozenset(Pattern(*key) for key in KEYS[:2]), 10.0, frozenset({"kubelet"}),
        frozenset({Pattern("otel-agent", "watch", None)}), frozenset(KEYS[:3]),
    )  # fmt: skip
    return replace(incident("crd-list"), load=load, truth=truth)


@pytest.mark.parametrize(
    ("patterns", "exact", "top1", "f1", "accused"),
    [
        ([Pattern("otel-agent", "list", None)], True, True, 1.0, False),
        ([Pattern("otel-agent", None, None)], True, True, 1.0, False),
        ([Pattern("otel-agent", "list", "pods")], False, True, 2 / 3, False),
        ([Pattern("kubelet", "get", "pods")], False, False, 0.0, True),
        ([Pattern(None, None, None)], False, False, 2 / 3, False),
        ([], False, False, 0.0, False),
    ],
)
def test_marks(
    storm: Incident,
    patterns: list[Pattern],
    exact: bool,
    top1: bool,
    f1: float,
    accused: bool,
) -> None:
    marks = score(storm, Prediction(tuple(patterns), 13.0))

    assert (marks.exact, marks.top1, marks.accused) == (exact, top1, accused)
    assert marks.f1 == pytest.approx(f1)
    assert marks.onset_error_s == 3 * storm.axis.width_s


def test_rank_counts(storm: Incident) -> None:
    wrong, right = Pattern("kubelet", "get", "pods"), Pattern("otel-agent", "list", "pods")
    marks = score(storm, Prediction((wrong, right)))

    assert (marks.top1, marks.top3) == (False, True)


def test_a_summary_is_a_mean(storm: Incident) -> None:
    marks = [score(storm, truth_of(storm)), score(storm, Prediction())]

    assert summary(marks).exact == 0.5
    assert summary(marks).accused == 0.0
    assert summary(marks).onset_median_s == 0.0


def test_the_trivial_answer_finds_a_single_large_cell() -> None:
    one = incident("crd-list")

    assert score(one, top_growth(one)).top1


def test_seeds_of_the_report_are_not_those_of_tuning() -> None:
    assert run.SEEDS["report"] - run.SEEDS["tune"] >= 1_000_000


def test_tables_are_markdown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = run.Table("plain", SCENARIOS[:2], (PLAIN,))
    monkeypatch.setattr(run, "TABLES", (small,))
    argv = ["run", "-n", "1", "--localiser", "top growth"]

    monkeypatch.setattr(sys, "argv", argv)
    run.main()
    monkeypatch.setattr(sys, "argv", [*argv, "--by", "scenario"])
    run.main()

    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert any(row.startswith("| top growth | 2 |") for row in rows)
    assert {"telemetry-list-storm", "cni-polling"} <= {row.split(" | ")[0][2:] for row in rows}
