"""Student's t: how much wider an interval is for its few observations."""

from __future__ import annotations

NORMAL = 1.959964  # two-sided 95 % point of the normal distribution
FEW = {1: 12.706205, 2: 4.302653}  # where the expansion is too rough


def student_t(freedom: int) -> float:
    """Return the two-sided 95 % point of Student's t; freedom: at least 1.

    Source: Abramowitz & Stegun (1964), Handbook of Mathematical Functions, 26.7.5; within 1 %.
    """
    z = NORMAL
    corrections = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    terms = (c / float(freedom**power) for power, c in enumerate(corrections, start=1))
    return FEW.get(freedom, z + sum(terms))
