"""Questions of a postmortem, one file each; the tuple gives the order of the report."""

from __future__ import annotations

from kubepostmortem.questions import (
    break_glass,
    inflight_limits,
    priority_and_fairness,
    what_changed,
    which_deploy,
    who_grew,
    why_nodes,
)
from kubepostmortem.questions.question import Question

QUESTIONS: tuple[Question, ...] = (
    who_grew,
    what_changed,
    why_nodes,
    which_deploy,
    inflight_limits,
    priority_and_fairness,
    break_glass,
)
