"""Operators on numbers: arithmetic, and comparisons that keep or drop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
SETS = ("and", "or", "unless")


def applied(op: str, left: Any, right: Any) -> Any:
    """Apply an operator; comparisons give truths. Division by zero is infinite or NaN."""
    with np.errstate(all="ignore"):
        return (ARITHMETIC.get(op) or COMPARISONS[op])(left, right)
