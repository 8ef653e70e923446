"""Questions of a postmortem, one file each; the tuple gives the order of the report."""

from __future__ import annotations

from kubepostmortem.questions import (
    blast_radius,
    break_glass,
    cost_scaling,
    dns,
    inflight_limits,
    priority_and_fairness,
    recovery,
    what_changed,
    when_visible,
    which_deploy,
    which_version,
    who_grew,
    why_nodes,
)
from kubepostmortem.questions.question import Question

QUESTIONS: tuple[Question, ...] = (
    who_grew,
    what_changed,
    why_nodes,
    which_deploy,
    cost_scaling,
    dns,
    when_visible,
    inflight_limits,
    priority_and_fairness,
    break_glass,
    which_version,
    blast_radius,
    recovery,
)
