"""What cannot be evaluated, and why."""

from __future__ import annotations

from kubepostmortem.errors import KubepostmortemError


class CannotEvaluate(KubepostmortemError):
    """An expression is no PromQL, or uses a part of it that we do not know."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(f"{expression}: {reason}")


class Ambiguous(KubepostmortemError):
    """Series of two sides match in more than one way; Prometheus refuses it, too."""

    def __init__(self, labels: object) -> None:
        super().__init__(f"several series match for {labels}")
