"""The page opens with what its evidence could not have shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.report import coverage
from kubepostmortem.report.section import Section
from kubepostmortem.store import Store

LIMIT = {"cluster": "prod", "limit_kind": "x", "severity": "info", "subject": "", "says": "A <b>."}


class Evidence(Inquiry):
    """Limits and coverage as a test wants them."""

    def __init__(self, limits: list[dict[str, Any]], shares: list[float]) -> None:
        self.limits, self.shares = limits, shares

    def frame(self, shows: str, sql: str, **_: Any) -> pl.DataFrame:
        if "evidence_limits" in sql:
            return pl.DataFrame(self.limits or [LIMIT]).head(len(self.limits))
        rows = {"cluster": "prod", "verb": "list", "time_window": "baseline"}
        counts = [
            {**rows, "counted_requests": 100.0, "audited_requests": 100 * share}
            for share in self.shares
        ]
        return pl.DataFrame(counts or [{**rows, "counted_requests": 0.0, "audited_requests": 0}])


def section(*severities: str, shares: list[float]) -> str:
    limits = [LIMIT | {"severity": severity} for severity in severities]
    return Section("coverage.html.j2", "", coverage.values(Evidence(limits, shares))).html()


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ((), coverage.VERDICTS["info"]),
        (("info",), coverage.VERDICTS["info"]),
        (("weakens", "info"), coverage.VERDICTS["weakens"]),
        (("blinds", "weakens"), coverage.VERDICTS["blinds"]),
    ],
)
def test_the_gravest_limit_makes_the_verdict(severities: tuple[str, ...], verdict: str) -> None:
    assert f"<strong>{verdict}</strong>" in section(*severities, shares=[1.0])


def test_sentences_of_limits_are_escaped() -> None:
    assert "A &lt;b&gt;." in section("weakens", shares=[1.0])


@pytest.mark.parametrize(("share", "shown"), [(0.87, "87%"), (1.02, "100%")])
def test_it_says_how_much_the_log_shows(share: float, shown: str) -> None:
    text = section(shares=[share])
    assert f"the audit log shows {shown}, {shown} in the baseline." in text


def test_without_a_counter_it_names_no_share() -> None:
    assert "the audit log shows" not in section("weakens", shares=[])


def test_the_page_has_it_after_the_summary_with_every_limit(page: Path, overloaded: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r'<h[12] id="([^"]+)"', text)
    assert headings.index("evidence-coverage") == headings.index("timeline") - 1
    with Store.open(overloaded) as store:
        limits = Postmortem(store).limits()["says"].to_list()
    assert limits
    assert all(says in text for says in limits)
