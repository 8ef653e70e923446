"""Objects of API Priority and Fairness in short."""

from __future__ import annotations

from kubepostmortem.flowcontrol.objects import FlowSchema, PriorityLevel

FLOWS = {"ByUser": "flows by user", "ByNamespace": "flows by namespace"}


def level_words(level: PriorityLevel) -> str:
    """Say what a priority level is like: type, shares, lending, borrowing, queues."""
    parts = [f"{'exempt' if level.exempt else 'limited'}, {level.shares} shares"]
    if level.lendable_percent:
        parts.append(f"lends up to {level.lendable_percent} %")
    if level.borrowing_limit_percent is not None:
        parts.append(f"borrows up to {level.borrowing_limit_percent} %")
    if level.queuing is not None:
        queuing = level.queuing
        parts.append(
            f"{queuing.queues} queues of up to {queuing.queue_length_limit} requests, "
            f"{queuing.hand_size} per flow"
        )
    elif not level.exempt:
        parts.append("rejects what does not fit")
    return ", ".join(parts)


def schema_words(schema: FlowSchema) -> str:
    """Say what a FlowSchema does: its level, its precedence, how it tells flows apart."""
    flows = FLOWS.get(schema.distinguisher, "one flow")
    return f"to {schema.priority_level}, precedence {schema.precedence}, {flows}"
