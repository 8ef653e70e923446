"""Charts of flow control: which panels, cells and bars are drawn, and in which order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from charts.examples import BEGIN, EXAMPLES, moments
from kubepostmortem.charts import CHARTS


def values(name: str, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """All rows of data in a drawing, in order."""
    specification = CHARTS[name](rows).to_dict()
    return [row for rows in specification["datasets"].values() for row in rows]


def headings(name: str, rows: pl.DataFrame) -> list[tuple[str, str]]:
    """Name and fact of each panel, from the top."""
    rows_of = [row for row in values(name, rows) if "fact" in row]
    return [(row["name"], row["fact"]) for row in rows_of]


def level(name: str, **numbers: float | None) -> pl.DataFrame:
    """Two samples of a level whose numbers do not change."""
    columns = ("seats_in_use", "limit_seats", "requests_waiting", "refused_per_s")
    return pl.DataFrame(
        {
            "priority_level": [name] * 2,
            "sampled_at": moments(2),
            **{
                column: pl.Series([numbers.get(column)] * 2, dtype=pl.Float64) for column in columns
            },
        }
    )


def test_levels_that_refused_come_first_and_unused_ones_are_left_out() -> None:
    rows = pl.concat(
        [
            level("calm", seats_in_use=99),
            level("unused", limit_seats=5),
            level("queueing", seats_in_use=3, requests_waiting=1200),
            level("refusing", seats_in_use=1, refused_per_s=0.5),
        ]
    )
    assert headings("seats_per_level", rows) == [
        ("refusing", "up to 0.5 refused/s"),
        ("queueing", "up to 1\u202f200 waiting"),
        ("calm", ""),
    ]


def test_a_level_without_a_limit_shows_none() -> None:
    panels = CHARTS["seats_per_level"](level("exempt", seats_in_use=1)).to_dict()
    assert headings("seats_per_level", level("exempt", seats_in_use=1)) == [("exempt", "no limit")]
    assert "limit_seats:Q" not in str(panels["vconcat"][0]["layer"][0])


def test_no_level_in_use_is_nothing_to_draw() -> None:
    drawn = CHARTS["seats_per_level"](level("calm", limit_seats=5)).to_dict()
    assert "nothing to draw" in str(drawn)


def test_seats_of_several_servers_are_added_up() -> None:
    rows = pl.concat(
        [
            level("low", seats_in_use=seats, limit_seats=10).with_columns(instance=pl.lit(name))
            for name, seats in (("a", 3), ("b", 4))
        ]
    )
    drawn = [row for row in values("seats_per_level", rows) if "limit_seats" in row]
    assert {(row["seats_in_use"], row["limit_seats"]) for row in drawn} == {(7, 20)}


def test_long_spans_are_drawn_in_few_steps_that_keep_the_peaks() -> None:
    count = 4000
    rows = pl.DataFrame(
        {
            "priority_level": ["low"] * count,
            "sampled_at": moments(count),
            "seats_in_use": [77.0 if i == 2000 else 1.0 for i in range(count)],
            "limit_seats": [80.0] * count,
            "requests_waiting": [0.0] * count,
            "refused_per_s": [0.0] * count,
        }
    )
    drawn = [row for row in values("seats_per_level", rows) if "limit_seats" in row]
    assert len(drawn) < 160
    assert max(row["seats_in_use"] for row in drawn) == 77


def test_shares_are_those_of_the_flow_and_refused_flows_come_first() -> None:
    cells = values("flow_outcomes", EXAMPLES["flow_outcomes"].head(3))
    found = [(cell["flow"], cell["outcome"], cell["share"]) for cell in cells]
    assert found == [
        ("otel-agent", "executed", 0.3),
        ("otel-agent", "time-out", 0.7),
        ("system-nodes", "executed", 1.0),
    ]


def test_without_flow_schemas_the_kinds_of_requests_are_rows() -> None:
    (cell,) = values("flow_outcomes", EXAMPLES["flow_outcomes"].tail(1))
    assert cell["who"] == "read-only requests"


def test_many_flow_schemas_are_lumped_and_keep_their_sum() -> None:
    names = [f"schema-{i:02}" for i in range(40)]
    rows = pl.DataFrame({"flow_schema": names, "priority_level": "low", "outcome": "executed"})
    cells = values("flow_outcomes", rows.with_columns(requests=pl.int_range(1, 41)))
    assert len(cells) == 16
    assert cells[-1]["who"] == "other flow schemas"
    assert sum(cell["requests"] for cell in cells) == sum(range(1, 41))


def test_groups_and_policies_keep_their_order() -> None:
    specification = CHARTS["actual_against_what_if"](EXAMPLES["actual_against_what_if"]).to_dict()
    encoding = specification["layer"][0]["encoding"]
    assert encoding["y"]["scale"]["domain"] == ["admins\n1 request", "list\n12\u202f000 requests"]
    assert encoding["color"]["scale"]["domain"] == ["as it was", "otel-agent"]


@pytest.mark.parametrize("letters", [10, 40])
def test_the_names_of_policies_are_not_cut_off(letters: int) -> None:
    rows = EXAMPLES["actual_against_what_if"].with_columns(policy=pl.lit("p" * letters))
    specification = CHARTS["actual_against_what_if"](rows).to_dict()
    legend = specification["layer"][0]["encoding"]["color"]["legend"]
    assert legend["labelLimit"] >= 320
    assert legend["columns"] == (2 if letters == 10 else 1)


def test_attempts_stand_on_one_another() -> None:
    rows = pl.DataFrame(
        {
            "minute": [BEGIN] * 3 + [BEGIN + timedelta(minutes=1)],
            "group": ["admins"] * 4,
            "outcome": ["refused (429)", "answered", "slow", "refused (429)"],
            "requests": [5, 2, 1, 4],
        }
    )
    bars = [row for row in values("admin_attempts", rows) if "top" in row]
    assert [(bar["outcome"], bar["bottom"], bar["top"]) for bar in bars] == [
        ("answered", 0, 2),
        ("slow", 2, 3),
        ("refused (429)", 3, 8),
        ("refused (429)", 0, 4),
    ]
    assert headings("admin_attempts", rows) == [("admins", "2 of 12 answered in time")]
