"""Every notebook: one parameters cell, prose and one-line asks, nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kubepostmortem.questions import QUESTIONS

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
ASK = re.compile(r'report\.ask\("([a-z-]+)"\)')


def notebook(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8")))


def code(name: str) -> list[str]:
    cells = notebook(name)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def asked(name: str) -> list[str]:
    return [found[1] for line in code(name) if (found := ASK.fullmatch(line))]


@pytest.mark.parametrize("name", NAMES)
def test_one_cell_holds_the_parameters_and_none_has_outputs(name: str) -> None:
    cells = notebook(name)["cells"]
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]

    assert len(tagged) == 1
    assert "database = " in "".join(tagged[0]["source"])
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("name", NAMES)
def test_sections_are_one_line_each(name: str) -> None:
    sections = [line for line in code(name) if line.startswith("report.")]

    assert sections
    assert all(len(line.splitlines()) == 1 for line in sections)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_with_a_kernel_that_is_named(name: str) -> None:
    assert {"kernelspec", "language_info"} <= notebook(name)["metadata"].keys()


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_questions_that_exist(name: str) -> None:
    assert set(asked(name)) <= {question.id for question in QUESTIONS}


def test_each_question_has_a_notebook_besides_the_postmortem() -> None:
    others = [name for name in NAMES if name not in ("postmortem", "openai_2024_12_11")]
    questions = [question for name in others for question in asked(name)]

    assert sorted(questions) == sorted(question.id for question in QUESTIONS)


def test_the_public_outage_is_asked_every_question() -> None:
    assert set(asked("openai_2024_12_11")) == {question.id for question in QUESTIONS}
