"""Questions: one file each. The order of the tuple is the order of the report."""

from __future__ import annotations

from kubepostmortem.questions import break_glass, what_changed, which_deploy, who_grew, why_nodes
from kubepostmortem.questions.question import Question

QUESTIONS: tuple[Question, ...] = (who_grew, what_changed, why_nodes, which_deploy, break_glass)
