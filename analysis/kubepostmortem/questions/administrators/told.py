"""The words, the chart and the tables of break-glass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kubepostmortem.questions.administrators.attempts import Fared, over_time
from kubepostmortem.questions.administrators.checklist import Facts, Item
from kubepostmortem.questions.administrators.identities import MASTERS, Identity
from kubepostmortem.questions.question import Figure, Inquiry, Table
from kubepostmortem.questions.words import listed, span

LOCKED_OUT_S = 60
SHOWN = 12  # rows of the table of identities; the evidence holds all


def ways_in(facts: Facts) -> str:
    """Say what let administrators in, as far as an API server can tell."""
    masters = [one for one in facts.administrators if MASTERS in one.groups and one.overload]
    names = listed(list(dict.fromkeys(one.identity for one in masters)))
    off = [cluster for cluster, found in facts.in_force.items() if not found.apf]
    if off:
        used = f"{names} used it" if masters else "nobody used it"
        return (
            "API Priority and Fairness was off, so the only break-glass was to be in "
            f"system:masters, which passes full in-flight limits: {used}."
        )
    if masters:
        return (
            "The log shows no break-glass but API Priority and Fairness: of the administrators "
            f"only {names} was exempt, as a member of system:masters."
        )
    return (
        "The log shows no break-glass at all: nobody used an identity that API Priority and "
        "Fairness exempts."
    )


def how_they_fared(groups: Sequence[Fared]) -> str:
    """Say for each group how many operations were answered in time, and the longest gap."""
    if not groups:
        return "No administrator's request reached the API server in the overload."
    said = "; ".join(_group_fared(one) for one in groups)
    return f"{said[0].upper()}{said[1:]}."


def _group_fared(one: Fared) -> str:
    name = "system:masters" if one.group == MASTERS else "other administrators"
    of = f"{one.operations_in_time} of {one.operations} operations within 10 s"
    if one.operations_in_time == one.operations:
        return f"{name} got answers to all {one.operations} operations within 10 s"
    gap = f"for up to {span(one.longest_gap_s)} they asked without an answer"
    if one.longest_gap_s >= LOCKED_OUT_S:
        gap = f"they were locked out for up to {span(one.longest_gap_s)}"
    return f"{name} got answers to {of}, and {gap}"


def figures(inquiry: Inquiry, facts: Facts) -> list[Figure]:
    """Draw the attempts of each group over time."""
    worst = min(facts.groups, key=lambda one: one.share_in_time, default=None)
    says = how_they_fared([worst]).rstrip(".") if worst else "Requests over time"
    return [Figure("admin_attempts", says, over_time(inquiry))]


def tables(facts: Facts, items: Sequence[Item], tried: Sequence[dict[str, Any]]) -> list[Table]:
    """Tabulate identities, overloads and the checklist."""
    found = [
        Table(
            "Who was exempt, and how they fared in the overload", _who(facts.administrators, tried)
        ),
        Table(
            "What API Priority and Fairness cannot save",
            pl.DataFrame(
                [{"what": o.what, "status": o.status, "why": o.says} for o in facts.overloads]
            ),
        ),
        Table("What break-glass needs here", pl.DataFrame([item.facts for item in items])),
    ]
    return [table for table in found if not table.rows.is_empty()]


def _who(administrators: Sequence[Identity], tried: Sequence[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {
            "identity": one.identity,
            "exempt": one.exempt,
            "flow schema": one.flow_schema,
            "priority level": one.priority_level,
            "requests": one.overload,
            "answered": one.answered,
            "refused": one.refused,
        }
        for one in administrators[:SHOWN]
    ]
    rows += [
        {
            "identity": "health probes",
            "exempt": one["exempt"],
            **{"requests": one["overload"], "answered": one["answered"], "refused": one["refused"]},
        }
        for one in tried
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
