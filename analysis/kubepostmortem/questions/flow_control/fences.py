"""A fence for the culprit, as the answer holds it: manifest, reasons, hazards, collateral."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl

from kubepostmortem.errors import MissingEvidence, UsageError
from kubepostmortem.flowcontrol.writing import manifest
from kubepostmortem.questions.flow_control.what_if import WhatIf
from kubepostmortem.questions.question import Inquiry, Table
from kubepostmortem.questions.replays import designed_fence
from kubepostmortem.simulation.fencing import TriedFence

NO_BREAK = "\u00a0"  # a page would swallow spaces at the begin of a line


def a_fence(inquiry: Inquiry, cluster: str) -> tuple[TriedFence | None, str]:
    """Design a fence; where there is nobody to fence in, None, and why."""
    try:
        return designed_fence(inquiry, cluster), ""
    except MissingEvidence as lacking:
        return None, lacking.collect
    except UsageError as refused:
        return None, str(refused)


def tried(fence: TriedFence) -> WhatIf:
    """Return the fence among the policies that were tried."""
    return WhatIf(name_of(fence), fence.simulation)


def name_of(fence: TriedFence) -> str:
    """Name it as charts do."""
    return f"a fence of {fence.fence.seats} seats"


def facts(fence: TriedFence) -> dict[str, Any]:
    """Plain data, for machines; manifest: YAML with reasons as comments."""
    built = fence.fence
    return {
        "manifest": manifest(built.priority_level, built.flow_schema, comments=built.comments),
        "seats": built.seats,
        "spares_others": fence.spares,
        "decided": fence.simulation.decided,
        "verdict": fence.simulation.verdict,
        "reasons": list(built.reasons),
        "warnings": list(built.warnings),
        "hazards": list(fence.hazards),
        "held": [asdict(moved) for moved in fence.moved],
    }


def tables(fence: TriedFence) -> list[Table]:
    """Show the manifest line by line, whom it holds, and what to weigh before it is applied."""
    built = fence.fence
    lines = manifest(built.priority_level, built.flow_schema).splitlines()
    text = pl.DataFrame({"manifest": [_indented(line) for line in lines]})
    held = pl.DataFrame([asdict(moved) for moved in fence.moved])
    weigh = pl.DataFrame({"before it is applied": [*built.warnings, *fence.hazards]})
    found = [
        Table(
            "A fence for the culprit, as `kubepostmortem fence` prints it with its reasons", text
        ),
        Table("Whom it holds, of the recorded calls, and where they fell without it", held),
        Table("What to weigh", weigh),
    ]
    return [table for table in found if not table.rows.is_empty()]


def _indented(line: str) -> str:
    text = line.lstrip(" ")
    return NO_BREAK * (len(line) - len(text)) + text
