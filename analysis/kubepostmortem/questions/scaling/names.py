"""Nodes and clusters as sentences write them."""

from __future__ import annotations

from kubepostmortem.questions.scaling.points import Point


def about(nodes: float) -> str:
    """Write a number of nodes to two digits, as an extrapolation deserves."""
    digits = max(0, len(str(round(nodes))) - 2)
    return f"{round(nodes / 10**digits) * 10**digits:,}"


def named(one: Point) -> str:
    """Write a cluster with its size."""
    return f"{one.cluster} ({one.nodes:,} nodes)"
