"""The notebook of the report: every question has its ask, and nothing else is in it."""

from __future__ import annotations

import json
from pathlib import Path

from kubepostmortem.questions import QUESTIONS

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "postmortem.ipynb"


def cells() -> list[dict[str, object]]:
    return json.loads(NOTEBOOK.read_text("utf-8"))["cells"]


def code() -> list[str]:
    return ["".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code"]


def test_every_question_is_asked_in_the_order_of_the_report() -> None:
    asked = [line for line in code() if line.startswith("report.ask(")]
    assert asked == [f'report.ask("{question.id}")' for question in QUESTIONS]


def test_no_cell_has_outputs() -> None:
    assert not any(cell.get("outputs") for cell in cells())


def test_one_cell_holds_the_parameters() -> None:
    tagged = [cell for cell in cells() if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1


def test_sections_are_one_line_each() -> None:
    sections = [line for line in code() if line.startswith("report.")]
    assert all(len(line.splitlines()) == 1 for line in sections)
