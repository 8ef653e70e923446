"""The report as a notebook writes it: one line per section."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions import QUESTIONS
from kubepostmortem.questions.question import Answer, Figure, Inquiry
from kubepostmortem.report import cells, coverage, ledger, load, summary, timeline
from kubepostmortem.report.drawing import Drawing
from kubepostmortem.report.section import Section
from kubepostmortem.report.statements import Statements


class Report:
    """An incident database, section by section; every statement it runs goes to the appendix."""

    def __init__(self, database: str | Path, title: str = "") -> None:
        self.postmortem = Postmortem.open(database)
        self.title = title or f"Postmortem: {Path(database).stem}"
        self._inquiry = Inquiry(self.postmortem.store)

    def summary(self) -> Section:
        """What a reader with one minute should know."""
        answers = self.postmortem.answers()
        values = summary.values(self._inquiry, answers)
        return Section("summary.html.j2", values["lede"], {"title": self.title, **values})

    def coverage(self) -> Section:
        """Whether this evidence could have shown the cause, and what it cannot show."""
        values = coverage.values(self._inquiry)
        return Section("coverage.html.j2", values["verdict"], values)

    def timeline(self) -> Section:
        """What happened, in order: a drawing and a table."""
        rows = self._inquiry.frame("timeline", "from timeline")
        during = timeline.shortened(rows.filter(pl.col("in_incident")))
        every = timeline.shortened(rows.drop("in_incident"))
        says = "Windows, releases, throttling and refused people over time"
        values = {
            "drawing": _drawing("timeline_lanes", says, during),
            "moments": timeline.folded(during),
            "every": cells.grid("The whole timeline", every),
            "hidden": rows.height - every.height,
        }
        return Section("timeline.html.j2", f"{rows.height} entries", values)

    def load(self) -> Section:
        """Load before and during the overload, by component and verb."""
        return Section("load.html.j2", "Load before and after", load.values(self._inquiry))

    def ask(self, question: str) -> Section:
        """One question and its answer."""
        return self._cards([self.postmortem.ask(question)])

    def answers(self) -> Section:
        """All questions and their answers."""
        return self._cards(self.postmortem.answers())

    def ledger(self) -> Section:
        """What became of every record of every file."""
        return Section("ledger.html.j2", "Evidence ledger", ledger.values(self._inquiry))

    def appendix(self) -> Section:
        """Every SQL statement behind the numbers of the report so far."""
        statements = self._statements()
        says = f"{len(statements.listed)} SQL statements"
        return Section("appendix.html.j2", says, {"statements": statements.listed})

    def _statements(self) -> Statements:
        statements = Statements()
        for answer in self.postmortem.answers():
            statements.add(answer.sql)
        statements.add(self._inquiry.statements)
        return statements

    def _cards(self, answers: Sequence[Answer]) -> Section:
        statements = self._statements()
        cards = [_card(answer, statements) for answer in answers]
        says = "\n".join(answer.headline for answer in answers)
        return Section("cards.html.j2", says, {"cards": cards})


def _card(answer: Answer, statements: Statements) -> dict[str, Any]:
    texts = {question.id: question.text["en"] for question in QUESTIONS}
    return {
        "answer": answer,
        "question": texts.get(answer.question, answer.question),
        "drawings": [Drawing(figure) for figure in answer.figures],
        "grids": [cells.grid(table.says, table.rows) for table in answer.tables],
        "statements": statements.numbered(answer.sql),
    }


def _drawing(chart: str, says: str, rows: pl.DataFrame) -> Drawing | None:
    return None if rows.is_empty() else Drawing(Figure(chart, says, rows))
