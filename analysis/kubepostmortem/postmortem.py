"""The facade that notebooks and the command line use: one incident, its questions and relations."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kubepostmortem.errors import UsageError
from kubepostmortem.questions import QUESTIONS
from kubepostmortem.questions.question import Answer, Inquiry, Question, ask
from kubepostmortem.questions.replays import designed_fence, replay, simulation
from kubepostmortem.simulation.fencing import TriedFence
from kubepostmortem.simulation.policies import Wish
from kubepostmortem.simulation.replaying import Replayable
from kubepostmortem.simulation.simulation import Simulation
from kubepostmortem.store import Store

REJECTED = """
select cluster, path as file, reason, line, byte_offset as "offset", excerpt
from rejected_lines
join ingests using (ingest_id)
order by ingest_id, line, byte_offset
"""


class Postmortem:
    """One incident database, opened for reading."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._answers: dict[str, Answer] = {}

    @classmethod
    def open(cls, database: str | Path) -> Postmortem:
        """Open a database read-only. Raises DatabaseUnavailable."""
        return cls(Store.open(Path(database)))

    def ask(self, question: str) -> Answer:
        """Answer one question by its id; asked again, the answer is the same object.

        Raises UsageError for an id that is no question.
        """
        if question not in self._answers:
            self._answers[question] = ask(_find(question), self.store)
        return self._answers[question]

    def answers(self) -> list[Answer]:
        """Answer all questions, in the order of the report."""
        return [self.ask(question.id) for question in QUESTIONS]

    def simulate(self, wish: Wish | None = None, cluster: str | None = None) -> Simulation:
        """Replay the recorded load under a policy; the one that was in force if none is given.

        Raises UsageError for a policy that makes no sense, MissingEvidence without an overload.
        """
        return simulation(Inquiry(self.store), wish or Wish(), cluster)

    def fence(self, cluster: str | None = None, seats: int | None = None) -> TriedFence:
        """Design a FlowSchema and a priority level for the culprit, and try them on its load.

        seats: of the level; None: as many as spare all others. Raises MissingEvidence.
        """
        return designed_fence(Inquiry(self.store), cluster, seats)

    def replayed(self, cluster: str | None = None) -> Replayable:
        """Return what replays start from: what was in force, the load, the fit, assumptions."""
        return replay(Inquiry(self.store), cluster)

    def timeline(self) -> pl.DataFrame:
        """What happened, in order: the timeline view."""
        return self.store.frame("from timeline")

    def ledger(self) -> pl.DataFrame:
        """What became of the records of every input file: the ledger view."""
        return self.store.frame("from ledger")

    def coverage(self) -> pl.DataFrame:
        """Requests in the audit log against the API server's own counter: the coverage view."""
        return self.store.frame("from coverage")

    def limits(self) -> pl.DataFrame:
        """What the evidence could not have shown: the evidence_limits view."""
        return self.store.frame("from evidence_limits")

    def rejected(self) -> pl.DataFrame:
        """Every record that could not be used, with its file, reason and place."""
        return self.store.frame(REJECTED)

    def sql(self, statement: str) -> pl.DataFrame:
        """Run a statement of the user's own, read-only. Raises QueryFailed."""
        return self.store.frame(statement)


def _find(question: str) -> Question:
    for known in QUESTIONS:
        if known.id == question:
            return known
    ids = ", ".join(known.id for known in QUESTIONS)
    raise UsageError(f"no question {question!r}; ask one of: {ids}")
