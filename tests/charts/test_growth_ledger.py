"""The chart of the ledger: bars that stand on one another, and few enough to read."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from charts.examples import EXAMPLES
from kubepostmortem.charts import CHARTS

LINES = EXAMPLES["growth_ledger"].fill_nan(0.0)


def bars(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """What is drawn, in order."""
    (drawn,) = CHARTS["growth_ledger"](rows).to_dict()["datasets"].values()
    return list(drawn)


def many(count: int, demand: float) -> pl.DataFrame:
    line = pl.DataFrame({"kind": "drift", "what": "", "demand": demand, "why": "noise"})
    return pl.concat([line.with_columns(low=demand, high=demand, share=0.01)] * count)


def test_each_bar_begins_where_the_one_before_ended() -> None:
    *lines, total = bars(LINES)
    assert [line["begins"] for line in lines] == pytest.approx(
        [0.0, *(line["ends"] for line in lines[:-1])]
    )
    assert total["begins"] == 0
    assert total["ends"] == pytest.approx(lines[-1]["ends"]) == pytest.approx(4.2)


def test_what_moved_no_demand_is_not_drawn() -> None:
    assert "latency" not in {bar["kind"] for bar in bars(LINES)}


def test_small_lines_become_one_that_keeps_their_sum() -> None:
    rows = pl.concat([LINES, many(20, 0.2).select(LINES.columns)])
    drawn = bars(rows)
    assert len(drawn) == 10 + 2
    assert drawn[-2]["kind"] == "others"
    assert drawn[-1]["growth"] == pytest.approx(4.2 + 20 * 0.2)
    assert drawn[-2]["ends"] == pytest.approx(drawn[-1]["ends"])


def test_lines_of_one_name_stay_apart() -> None:
    drawn = bars(many(3, 1.0))
    assert len({bar["who"] for bar in drawn}) == 4


def test_growth_without_a_share_is_drawn() -> None:
    drawn = bars(LINES.with_columns(share=pl.lit(None)))
    assert {bar["share"] for bar in drawn} == {None}
