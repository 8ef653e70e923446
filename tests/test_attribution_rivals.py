"""Localisers of the literature find what their papers say they find; shapes are reproducible."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent.parent))

from bench.attribution.incident import (
    LOAD_SCHEMA,
    Axis,
    Incident,
    Pattern,
    Truth,
)
from bench.attribution.rivals import RIVALS
from bench.attribution.rivals.adapter import means
from bench.attribution.rivals.adtributor import adtributor, surprises
from bench.attribution.rivals.riskloc import riskloc
from bench.attribution.rivals.squeeze import squeeze
from bench.attribution.rivals.table import Element, Leaves, Localiser
from bench.attribution.run_shapes import measured
from bench.attribution.shapes import Shape, grid, matched, shapes
from bench.attribution.shapes_ours import ours_on_leaves

few = settings(max_examples=25, derandomize=True, deadline=None)

DIMS = (6, 8, 5)

layers = st.sets(st.integers(0, 2), min_size=1, max_size=2)


def table(*planted: tuple[Element, float], seed: int = 1) -> Leaves:
    """A cube whose leaves come as expected, but for the planted elements: those by their ratio."""
    codes = grid(DIMS)
    forecast = np.random.default_rng(seed).uniform(50, 150, len(codes))
    real = forecast.copy()
    for element, ratio in planted:
        real[matched(codes, element)] *= ratio
    return Leaves(("a", "b", "c"), codes, real, forecast)


def as_set(elements: list[Element]) -> set[frozenset[tuple[str, int]]]:
    return {frozenset(element.items()) for element in elements}


@st.composite
def elements(draw: st.DrawFn) -> Element:
    return {"abc"[dim]: draw(st.integers(0, DIMS[dim] - 1)) for dim in sorted(draw(layers))}


@pytest.mark.parametrize("localise", [riskloc, squeeze, ours_on_leaves])
@pytest.mark.parametrize("ratio", [0.3, 3.0])
@few
@given(element=elements())
def test_one_element_without_noise_is_found_exactly(
    localise: Localiser, ratio: float, element: Element
) -> None:
    assert localise(table((element, ratio))) == [element]


@pytest.mark.parametrize("localise", [riskloc, squeeze, ours_on_leaves])
@pytest.mark.parametrize("ratios", [(0.2, 0.6), (0.6, 0.2)])
@few
@given(values=st.permutations(range(5)))
def test_two_elements_of_different_cuboids_are_found_exactly(
    localise: Localiser, ratios: tuple[float, float], values: list[int]
) -> None:
    one, two = {"a": values[0], "b": values[1]}, {"b": values[2], "c": values[3]}
    leaves = table((one, ratios[0]), (two, ratios[1]))
    assert as_set(localise(leaves)) == as_set([one, two])


@pytest.mark.parametrize("localise", [riskloc, squeeze, ours_on_leaves])
@few
@given(values=st.permutations(range(5)))
def test_two_elements_of_one_cuboid_that_change_alike_are_found_exactly(
    localise: Localiser, values: list[int]
) -> None:
    one, two = {"a": values[0], "b": values[1]}, {"a": values[2], "b": values[3]}
    assert as_set(localise(table((one, 0.4), (two, 0.4)))) == as_set([one, two])


@few
@given(dim=st.sampled_from("abc"), value=st.integers(0, 4))
def test_adtributor_finds_a_cause_of_one_dimension(dim: str, value: int) -> None:
    assert adtributor(table(({dim: value}, 2.5))) == [{dim: value}]


def test_adtributor_names_all_values_that_explain_much() -> None:
    leaves = table(({"b": 2}, 2.5), ({"b": 6}, 2.5))
    assert as_set(adtributor(leaves)) == as_set([{"b": 2}, {"b": 6}])


@pytest.mark.parametrize("localise", [adtributor, riskloc, squeeze])
def test_nothing_is_found_where_all_comes_as_expected(localise: Localiser) -> None:
    assert localise(table()) == []


def test_surprise_sums_to_the_jensen_shannon_divergence() -> None:
    apart = surprises(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert apart.sum() == pytest.approx(np.log(2))
    assert surprises(np.array([2.0, 6.0]), np.array([1.0, 3.0])) == pytest.approx(0)


@pytest.mark.parametrize("name", ["B0", "S", "L"])
def test_a_seed_gives_the_same_shapes(name: str) -> None:
    (first, second), (again, _) = shapes(name, 2, 7), shapes(name, 2, 7)
    (other,) = shapes(name, 1, 8)
    assert first.truth == again.truth
    assert (first.leaves.real == again.leaves.real).all()
    assert not np.array_equal(first.leaves.real, second.leaves.real)
    assert not np.array_equal(first.leaves.real, other.leaves.real)


@pytest.mark.parametrize("name", ["B0", "S", "L"])
def test_planted_leaves_deviate_and_the_truth_is_a_set(name: str) -> None:
    for shape in shapes(name, 5, 3):
        leaves = shape.leaves
        assert len(as_set(list(shape.truth))) == len(shape.truth)
        for element in shape.truth:
            rows = leaves.covered(element)
            changed = np.abs(leaves.real - leaves.forecast)[rows].sum()
            assert changed > 0.1 * np.maximum(leaves.real, leaves.forecast)[rows].sum()


def test_an_answer_that_comes_late_counts_as_none() -> None:
    def endless(leaves: Leaves) -> list[Element]:
        while True:
            pass

    element = {"a": 1}
    outcome = measured(endless, Shape(table((element, 0.2)), (element,)), 0.05)
    assert (outcome.hits, outcome.missed, outcome.given_up) == (0, 1, True)


def incident(*growth: tuple[Pattern, float]) -> Incident:
    """Five components that ask alike for 20 bins, then 10 bins of overload."""
    keys = [
        (component, verb, resource)
        for component in ("argocd", "cilium", "coredns", "kubelet", "otel")
        for verb in ("get", "list", "watch")
        for resource in ("nodes", "pods", "secrets", None)
    ]
    rows = []
    for component, verb, resource in keys:
        key = (component, verb, resource)
        factors = [factor for pattern, factor in growth if pattern.matches(key)]
        for number in range(30):
            requests = 10 * (np.prod(factors) if number >= 20 else 1)
            row = {"bin": number, "component": component, "verb": verb, "resource": resource}
            rows.append(row | {"requests": float(requests), "unit_cost_s": 0.01})
    late = np.arange(30) >= 20
    axis = Axis(10, np.zeros(30, dtype=int), ~late, late, np.full(30, 9.0), np.zeros(30))
    load = pl.DataFrame(rows, schema=LOAD_SCHEMA, strict=False)
    return Incident(load, axis, (), Truth(), "planted", 1)


@pytest.mark.parametrize("name", ["RiskLoc", "Squeeze"])
@pytest.mark.parametrize(
    "pattern",
    [Pattern("otel", "list", "pods"), Pattern("cilium", "get", None), Pattern("otel", "get", "")],
)
def test_rivals_find_a_pattern_that_grew(name: str, pattern: Pattern) -> None:
    localise = dict(RIVALS)[name]
    assert localise(incident((pattern, 6))).patterns == (pattern,)


def test_adtributor_finds_a_component_that_grew() -> None:
    pattern = Pattern("otel", None, None)
    assert dict(RIVALS)["Adtributor"](incident((pattern, 6))).patterns == (pattern,)


@pytest.mark.parametrize("localise", [localise for _, localise in RIVALS])
def test_what_declined_is_no_cause(localise: Localiser) -> None:
    assert localise(incident((Pattern("otel", "list", None), 0.1))).patterns == ()


def test_each_cluster_has_its_own_windows() -> None:
    cluster, overload = np.array([0, 0, 0, 1, 1]), np.array([False, True, True, True, False])
    axis = Axis(10, cluster, ~overload, overload, np.ones(5), np.zeros(5))
    assert means(overload, axis).tolist() == [0, 0.5, 0.5, 1, 0]


def test_noise_alone_is_no_element_of_ours() -> None:
    forecast = table().forecast
    noise = np.random.default_rng(5).normal(1, 0.1, len(forecast))
    leaves = Leaves(("a", "b", "c"), grid(DIMS), forecast * noise, forecast)
    assert ours_on_leaves(leaves) == []


def test_ours_refuses_what_does_not_fit_in_memory() -> None:
    codes = np.array([[0, 0, 0], [200, 200, 200]])
    leaves = Leaves(("a", "b", "c"), codes, np.array([1.0, 5.0]), np.ones(2))
    with pytest.raises(MemoryError, match="8120601"):
        ours_on_leaves(leaves)
