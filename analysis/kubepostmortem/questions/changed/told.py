"""The facts of what-changed in words and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.changed.before import Change
from kubepostmortem.questions.changed.cycle import Cycle
from kubepostmortem.questions.question import Table
from kubepostmortem.questions.reading import Pace, Shape
from kubepostmortem.questions.retries import Retrying
from kubepostmortem.questions.words import listed, number, percent, resources, span

SHARES = ("cluster_wide", "without_resource_version", "without_limit", "without_selector")


@dataclass(frozen=True)
class Facts:
    """What is known of the requests of a cause."""

    shapes: Sequence[Shape]
    paces: Sequence[Pace]
    changes: Sequence[Change]
    retrying: Retrying
    cycle: Cycle
    patterns: Sequence[str]
    served_from: str
    scrape_share: float


def headline(top: Cause, facts: Facts) -> str:
    """One or two sentences: who asks for what, how often, how, and what it costs."""
    clients = facts.cycle.clients
    by = f"{number(clients)} clients" if clients != 1 else "1 client"
    pace = facts.cycle.interval_s
    every = f", {'each ' if clients != 1 else ''}about every {span(pace)}" if pace else ""
    how = f"it {listed(facts.patterns, 7)}" if facts.patterns else "their shape is not unusual"
    served = f" Served from: {facts.served_from}." if top.verb == "list" else ""
    return (
        f"{'New' if top.newcomer else 'More'} requests of {top.name}: {top.does} of "
        f"{resources(top.resources)} by {by}{every}; {how}.{_round(facts.cycle)}{served}"
    )


def _round(cycle: Cycle) -> str:
    if cycle.objects is None:
        return ""
    sent = f", {size(cycle.sent_bytes)} as sent" if cycle.sent_bytes else ""
    return f" One round of one client asks for {number(cycle.objects)} objects{sent}."


def size(count: float) -> str:
    """Write bytes with their unit, in powers of ten."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= least:
            return f"{count / least:.3g} {unit}"
    return f"{count:.0f} bytes"


def caveats(top: Cause, facts: Facts) -> list[str]:
    """What must be known to read the numbers."""
    return [
        "The interval of a client is the time between two of its requests for one resource of "
        "which the first was answered; queueing in the API server lengthens it.",
        *_jitter(facts.paces),
        *_retries(facts.retrying),
        *_scrapes(top, facts.scrape_share),
    ]


def _jitter(paces: Sequence[Pace]) -> list[str]:
    if not paces or paces[0].jitter is None or paces[0].periodic is None:
        return []
    first = paces[0]
    if not first.periodic:
        return ["Its clients call at no fixed interval."]
    return [
        f"Its clients call by the clock: half of the intervals lie between "
        f"{span(first.interval_p25_s)} and {span(first.interval_p75_s)}; jitter is about "
        f"{percent(first.jitter or 0.0)} of the interval."
    ]


def _retries(retrying: Retrying) -> list[str]:
    said = []
    if retrying.after_429 and retrying.pause_after_429_s is not None:
        kept = percent(retrying.obeyed_share or 0.0)
        said.append(
            f"After a 429 its clients wait {span(retrying.pause_after_429_s)} (median); {kept} of "
            "these retries waited 1 s or more, the least that Retry-After asks for."
        )
    if retrying.after_5xx and retrying.pause_after_5xx_s is not None:
        said.append(_after_failure(retrying.pause_after_5xx_s))
    return said


def _after_failure(pause_s: float) -> str:
    if pause_s == 0:
        return (
            "After a 5xx the next request mostly comes before the API server has ended the one "
            "before: the client had given up."
        )
    return f"After a 5xx its clients wait {span(pause_s)} (median)."


def _scrapes(top: Cause, share: float) -> list[str]:
    return [
        f"{percent(share)} of the calls of {top.name} read metrics from or through the API server; "
        "scrapes that go straight to another process are not in the "
        "audit log."
    ]


def tables(facts: Facts) -> list[Table]:
    """Shapes, pace, and the change from the baseline."""
    shapes = pl.DataFrame(facts.shapes)
    named = [pl.col(share).alias(f"{share}_share") for share in (*SHARES, "throttled")]
    found = []
    if not shapes.is_empty():
        by_resource = shapes.select("resource", "requests", "objects", *named)
        found.append(Table("Its requests by resource", by_resource))
    if facts.changes:
        found.append(Table("Before and after, requests per second", pl.DataFrame(facts.changes)))
    if facts.paces:
        found.append(Table("Pace of one client", pl.DataFrame(facts.paces)))
    return found
