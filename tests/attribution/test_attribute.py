"""Attribution of planted loads: who is named, who is not, and since when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from kubepostmortem.attribution.attribute import Attribution, attribute
from kubepostmortem.attribution.axis import Axis
from kubepostmortem.attribution.student import student_t
from planted_load import BIN_S, QUIET, Cell, axis, changed, rows, usual

AGENT = [
    Cell("otel-agent", "list", "pods", 0, 6, cost_s=0.3),
    Cell("otel-agent", "list", "nodes", 0, 6, cost_s=0.05),
    Cell("otel-agent", "list", "endpoints", 0, 6, cost_s=0.05),
]
LOOP = Cell("operator", "update", "widgets", 1, 60, cost_s=0.005, kind="controller")

Primary = set[tuple[str | None, str | None, str | None]]


def attributed(*cells: Cell, joined: float = 0.0) -> Attribution:
    return attribute(rows(cells), axis(joined))


def primary(found: Attribution) -> Primary:
    return {(c.pattern.component, c.pattern.verb, c.pattern.resource) for c in found.primary}


def kinds(found: Attribution) -> dict[str | None, str]:
    return {cause.pattern.component: cause.kind for cause in found.causes}


def test_an_agent_that_lists_is_one_cause() -> None:
    found = attributed(*usual(), *AGENT)
    assert primary(found) == {("otel-agent", "list", None)}
    assert found.primary[0].newcomer


def test_few_expensive_requests_outweigh_many_cheap_ones() -> None:
    busy = changed(usual(), ("kubelet", "update", "leases"), after=16.0)
    assert primary(attributed(*busy, *AGENT)) == {("otel-agent", "list", None)}


def test_many_cheap_requests_are_a_cause_as_well() -> None:
    assert primary(attributed(*usual(), LOOP)) == {("operator", "update", "widgets")}


def test_two_causes_are_both_named() -> None:
    found = attributed(*usual(), *AGENT, Cell("scanner", "list", "secrets", 0, 20, cost_s=0.1))
    assert primary(found) == {("otel-agent", "list", None), ("scanner", "list", "secrets")}


def test_a_small_growth_beside_a_large_one_is_no_cause() -> None:
    found = attributed(*usual(), *AGENT, Cell("checkout", "get", "configmaps", 0, 2, 0.02))
    assert primary(found) == {("otel-agent", "list", None)}


def test_where_nothing_grows_there_is_no_cause() -> None:
    assert attributed(*usual()).causes == ()


def test_growth_that_new_nodes_bring_is_no_cause() -> None:
    grown = [
        Cell(
            c.component, c.verb, c.resource, c.before, 1.5 * c.after, c.cost_s, c.kind, joined=1 / 3
        )
        for c in usual()
        if c.kind in ("node-agent", "network")
    ]
    rest = [c for c in usual() if c.kind not in ("node-agent", "network")]
    found = attributed(*grown, *rest, joined=50)
    assert found.primary == ()
    share = {line.kind: line.estimates["requests"].growth for line in found.ledger.lines}
    assert share["cluster growth"] > 0.7 * found.ledger.totals["requests"].growth


def test_retries_of_victims_are_throttling() -> None:
    victims = changed(usual(), ("kubelet", "update", "leases"), after=80.0, refused=0.9)
    found = attributed(*victims, *AGENT)
    assert primary(found) == {("otel-agent", "list", None)}
    lines = {(line.kind, line.component): line for line in found.ledger.lines}
    assert lines["throttling", "kubelet"].estimates["requests"].growth > 60


def test_events_and_controllers_that_follow_are_induced() -> None:
    followers = [
        Cell("kubelet", "create", "events", 0.2, 10, 0.004, "node-agent"),
        Cell("kube-controller-manager", "create", "pods", 0.1, 8, 0.01, "controller"),
    ]
    found = attributed(*usual(), *AGENT, *followers)
    induced = [line for line in found.ledger.lines if line.kind == "induced"]
    assert 16 < sum(line.estimates["requests"].growth for line in induced) < 19
    assert primary(found) == {("otel-agent", "list", None)}


def test_large_growth_that_a_reaction_explains_is_an_induced_cause() -> None:
    followers = Cell("kube-controller-manager", "create", "pods", 0.1, 40, 0.02, "controller")
    assert kinds(attributed(*usual(), *AGENT, followers)) == {
        "otel-agent": "primary",
        "kube-controller-manager": "induced",
    }


def test_growth_that_evidence_does_not_decide_on_is_a_possible_cause() -> None:
    other = Cell("scanner", "list", "secrets", 0, 5, cost_s=0.12)
    assert kinds(attributed(*usual(), *AGENT, other))["scanner"] == "possible"


def test_growth_that_begins_after_the_overload_did_not_start_it() -> None:
    late = Cell("latecomer", "list", "pods", 0, 9, cost_s=0.5, begins=15)
    first = attributed(*usual(), *AGENT, late).causes[0]
    assert first.pattern.component == "otel-agent"


def test_watches_that_break_everywhere_are_one_pattern() -> None:
    again = [
        Cell(f"operator-{i}", verb, f"widgets{i}", 0.2, 4, 0.02)
        for i in range(8)
        for verb in ("list", "watch")
    ]
    found = attributed(*usual(), *again)
    assert primary(found) == {(None, "list", None), (None, "watch", None)}


def test_an_onset_is_found_within_a_bin() -> None:
    late = [Cell(c.component, c.verb, c.resource, 0, c.after, c.cost_s, begins=4) for c in AGENT]
    onset = attributed(*usual(), *late).primary[0].onset
    assert onset is not None
    assert onset.bin == QUIET + 4
    assert onset.began_s == BIN_S * (QUIET + 4)
    assert onset.earliest_s <= onset.began_s <= onset.latest_s


def test_the_trivial_answer_is_the_largest_cell() -> None:
    (first, share), *_ = attributed(*usual(), *AGENT).largest
    assert (first.component, first.resource) == ("otel-agent", "pods")
    assert 0.7 < share < 0.8


def test_load_without_rows_for_empty_bins_is_the_same_load() -> None:
    whole = rows([*usual(), *AGENT])
    thin = whole.filter(pl.col("requests") > 0)
    first, second = attribute(whole, axis()), attribute(thin, axis())
    assert first.ledger.totals == second.ledger.totals
    assert primary(first) == primary(second)


def test_requests_without_verb_are_named_by_their_client() -> None:
    load = rows([*usual(), *AGENT])
    unknown = pl.when(pl.col("component") != "otel-agent").then("verb")
    found = attribute(load.with_columns(verb=unknown), axis())
    assert [cause.pattern.component for cause in found.primary] == ["otel-agent"]
    assert found.primary[0].size.verbs == ()


def test_where_no_cost_is_known_the_number_of_requests_decides() -> None:
    found = attributed(*(replace(cell, cost_s=0.0) for cell in [*usual(), *AGENT]))
    assert primary(found) == {("otel-agent", "list", None)}
    assert found.primary[0].share > 0.9
    assert found.largest[0][0].component == "otel-agent"


def two_clusters(apart_s: float) -> Axis:
    """Twice the bins of axis(), of which the second cluster's are later."""
    one = axis()
    fields = ("width_s", "baseline", "overload", "nodes_before", "nodes_joined")
    return Axis(
        **{name: np.tile(getattr(one, name), 2) for name in fields},
        cluster=np.repeat([0, 1], one.bins),
        begins_s=np.concatenate((one.begins_s, one.begins_s + apart_s)),
    )


@pytest.mark.parametrize("apart_s", [0.0, -7200.0, 7200.0])
def test_an_overload_of_another_cluster_hours_before_precedes_nothing(apart_s: float) -> None:
    small = Cell("scanner", "list", "secrets", 0, 14, cost_s=0.1)
    east, west = rows([*usual(), small]), rows([*usual(), *AGENT])
    load = pl.concat([east, west.with_columns(pl.col("bin") + axis().bins)])
    found = attribute(load, two_clusters(apart_s))
    assert [cause.pattern.component for cause in found.primary] == ["otel-agent", "scanner"]


def test_the_line_of_many_clients_says_what_they_do() -> None:
    again = [Cell(f"operator-{i}", "list", "widgets", 0.2, 9, 0.02) for i in range(8)]
    line = attributed(*usual(), *again).ledger.lines[0]
    assert (line.kind, line.component, line.verb) == ("primary", None, "list")
    assert line.resources == ("widgets",)


@pytest.mark.parametrize(("freedom", "table"), [(1, 12.706), (2, 4.303), (3, 3.182), (9, 2.262)])
def test_the_point_of_students_t_is_that_of_tables(freedom: int, table: float) -> None:
    assert student_t(freedom) == pytest.approx(table, rel=0.01)
