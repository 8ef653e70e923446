"""Answers are as sure as the evidence allows."""

from __future__ import annotations

from typing import Any

import pytest

from kubepostmortem.incident import Window
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions.coverage import Coverage
from kubepostmortem.store import Store
from kubepostmortem.windows import set_window
from planted import Event, at
from planted_counters import Series
from planted_evidence import (
    COUNTER,
    EVENTS,
    REQUESTS,
    Ingest,
    is_read,
    silent,
)

WEAK = {"severity": "weakens", "limit_kind": "log gap", "says": "a gap."}
BLIND = WEAK | {"severity": "blinds", "says": "a hole."}
UNKNOWN = WEAK | {"limit_kind": "no request counter", "says": "not known."}


@pytest.mark.parametrize(
    ("found", "before", "after", "compared"),
    [
        ([], "high", "high", "high"),
        ([WEAK], "high", "medium", "medium"),
        ([WEAK, WEAK], "high", "medium", "medium"),
        ([WEAK], "medium", "low", "low"),
        ([WEAK], "low", "low", "low"),
        ([WEAK, BLIND], "high", "low", "low"),
        ([BLIND], "none", "none", "none"),
        ([UNKNOWN], "high", "high", "medium"),
    ],
)
def test_limits_lower_confidence(found: Any, before: Any, after: str, compared: str) -> None:
    seen = Coverage(1.0, found)
    assert (seen.weaken(before), seen.weaken(before, compares=True)) == (after, compared)


def test_caveats_spell_out_the_gravest_limits_only() -> None:
    caveats = Coverage(0.87, [BLIND, *[WEAK] * 6]).caveats
    assert caveats[0].startswith("The audit log shows 87% of the requests")
    assert caveats[1:] == ["a hole.", "a gap.", "a gap.", "a gap.", caveats[-1]]
    assert caveats[-1].startswith("3 more limits")


@pytest.mark.parametrize(
    ("events", "counter", "confidence"),
    [
        (EVENTS, COUNTER, "high"),
        (silent(EVENTS, 100, 160), COUNTER, "medium"),
        ([e for e in EVENTS if not is_read(e, "get", "list")], COUNTER, "low"),
        (EVENTS, {}, "medium"),
    ],
    ids=["clean", "a gap", "no reads", "no counter"],
)
def test_answers_are_as_sure_as_the_evidence_allows(
    store: Store, plant: Ingest, events: list[Event], counter: Series, confidence: str
) -> None:
    plant(events, **({REQUESTS: counter} if counter else {}))
    store.close()
    postmortem = Postmortem.open(store.path)
    grave = postmortem.limits().filter(postmortem.limits()["severity"] != "info")["says"].to_list()
    answer = postmortem.ask("who-grew")
    assert answer.confidence == confidence
    assert [said for said in answer.caveats if said in grave] == grave[:4]
    postmortem.store.close()


def test_a_gap_outside_of_the_windows_concerns_no_answer(store: Store, plant: Ingest) -> None:
    plant(silent(EVENTS, 60, 130), **{REQUESTS: COUNTER})
    set_window(store, "prod", "baseline", Window(at(140), at(300)))
    store.close()
    postmortem = Postmortem.open(store.path)
    assert postmortem.limits()["limit_kind"].to_list() == ["log gap"]
    assert postmortem.ask("who-grew").confidence == "high"
    postmortem.store.close()
