"""The notebook of flow control: its three questions, one line each, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "flow_control.ipynb"
ASKED = ("inflight-limits", "priority-and-fairness", "break-glass")


def cells() -> list[dict[str, Any]]:
    return list(json.loads(NOTEBOOK.read_text("utf-8"))["cells"])


def code() -> list[str]:
    return ["".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code"]


def test_its_questions_are_asked() -> None:
    asked = [line for line in code() if line.startswith("report.ask(")]
    assert asked == [f'report.ask("{question}")' for question in ASKED]


def test_no_cell_has_outputs_and_one_holds_the_parameters() -> None:
    tagged = [cell for cell in cells() if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    assert not any(cell.get("outputs") for cell in cells())


def test_sections_are_one_line_each() -> None:
    sections = [line for line in code() if line.startswith("report.")]
    assert all(len(line.splitlines()) == 1 for line in sections)


def test_it_runs_with_a_kernel_that_is_named() -> None:
    known = json.loads(NOTEBOOK.read_text("utf-8"))["metadata"]
    assert {"kernelspec", "language_info"} <= known.keys()
