"""Rows of flow_schemas and priority_levels, made the objects again that they were read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kubepostmortem.flowcontrol.parsing import Document

QUEUING = {"queues": "queues", "handSize": "hand_size", "queueLengthLimit": "queue_length_limit"}


def level_document(row: Mapping[str, Any]) -> Document:
    """Return a row of priority_levels as a PriorityLevelConfiguration."""
    seats = {
        "nominalConcurrencyShares": row["nominal_shares"],
        "lendablePercent": row["lendable_percent"],
    }
    spec: dict[str, Any] = {"type": row["type"]}
    if row["type"] == "Exempt":
        spec["exempt"] = seats
    elif row["type"] == "Limited":
        spec["limited"] = seats | {
            "borrowingLimitPercent": row["borrowing_limit_percent"],
            "limitResponse": _response(row),
        }
    return {"metadata": {"name": row["name"]}, "spec": spec}


def schema_document(row: Mapping[str, Any]) -> Document:
    """Return a row of flow_schemas as a FlowSchema."""
    level = {} if row["priority_level"] is None else {"name": row["priority_level"]}
    by = {} if row["distinguisher"] is None else {"type": row["distinguisher"]}
    spec = {
        "priorityLevelConfiguration": level,
        "matchingPrecedence": row["precedence"],
        "distinguisherMethod": by,
        "rules": json.loads(row["rules"] or "[]"),
    }
    return {"metadata": {"name": row["name"]}, "spec": spec}


def _response(row: Mapping[str, Any]) -> dict[str, Any]:
    queuing = {name: row[column] for name, column in QUEUING.items()}
    response: dict[str, Any] = {"type": row["limit_response"]}
    if row["limit_response"] == "Queue" or any(value is not None for value in queuing.values()):
        response["queuing"] = queuing
    return response
