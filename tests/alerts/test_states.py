"""Pending and firing against a state machine that goes step by step."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.alerts.series import Vector
from kubepostmortem.alerts.states import FIRING, PENDING, Spell, moment, spells

STEP_MS = 30_000


def alerts(holds: list[bool], hold_ms: int) -> list[Spell]:
    there = np.array([holds], bool)
    moments_ms = np.arange(len(holds), dtype=np.int64) * STEP_MS
    return spells(Vector([{"__name__": "up", "a": "b"}], there * 1.0, there), moments_ms, hold_ms)


def step_by_step(holds: list[bool], hold_ms: int) -> list[str]:
    states, since = [], None
    for step, true in enumerate(holds):
        now = step * STEP_MS
        since = (now if since is None else since) if true else None
        states.append("" if since is None else FIRING if now - since >= hold_ms else PENDING)
    return states


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.sampled_from([0, 30, 45, 120, 900]))
def test_states_are_those_of_a_state_machine(holds: list[bool], hold_s: int) -> None:
    told = [""] * len(holds)
    for spell in alerts(holds, hold_s * 1000):
        assert spell.labels == {"a": "b"}
        ends = moment(len(holds) * STEP_MS) if spell.ended_at is None else spell.ended_at
        for step in range(len(holds)):
            if spell.began_at <= moment(step * STEP_MS) < ends:
                assert told[step] == ""
                told[step] = spell.state
    assert told == step_by_step(holds, hold_s * 1000)


def test_what_holds_to_the_end_has_no_end() -> None:
    assert [one.ended_at for one in alerts([False, True, True], 30_000)] == [moment(60_000), None]


def test_a_break_begins_the_wait_anew() -> None:
    assert {one.state for one in alerts([True, True, False, True, True], 60_000)} == {PENDING}
