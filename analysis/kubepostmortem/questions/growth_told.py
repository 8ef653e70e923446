"""The causes of growth in words: a headline, how sure it is, caveats, and a table."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from kubepostmortem.questions.callers import User
from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.coverage import Coverage
from kubepostmortem.questions.growth import Growth
from kubepostmortem.questions.question import Confidence, Table
from kubepostmortem.questions.words import listed, percent, resources, when


def headline(found: Sequence[Cause], callers: Sequence[Sequence[User]]) -> str:
    """Say who started it, since when, and what else may have; callers: the users of each cause."""
    top = found[0]
    started = f"It began at {when(top.onset)}. " if top.onset else ""
    few = "hardly any" if top.baseline_rps else "no"
    before = f"It made {few} such requests before. " if top.newcomer else ""
    return (
        f"{top.name} ({_user(callers[0])}): {top.does} of {resources(top.resources)} is "
        f"{percent(top.share)} of the growth in demand and {percent(top.share_of_requests)} of "
        f"the growth in requests. {started}{before}{_others(found)}"
    ).strip()


def _others(found: Sequence[Cause]) -> str:
    """Name further primary causes, and candidates that the evidence does not decide on."""
    said = [
        f"{_said(cause)} {says} {percent(cause.share)} of the growth in demand."
        for kind, says in (("primary", "is a cause too,"), ("possible", "may be another cause,"))
        for cause in found[1:]
        if cause.kind == kind
    ]
    return " ".join(said)


def _said(cause: Cause) -> str:
    return f"{cause.name}: {cause.does} of {resources(cause.resources)}"


def _user(who: Sequence[User]) -> str:
    if not who:
        return "users unknown"
    first = who[0].username or "user unknown"
    return f"{first} and others" if len(who) > 1 else first


def confidence(grown: Growth) -> Confidence:
    """High needs a dominant cause, sure to have grown, on which all ways of looking agree."""
    top = grown.causes[0]
    line = next(line for line in grown.found.ledger.lines if line.kind == "primary")
    dominant = top.share >= 0.5 and top.onset is not None
    sure = line.estimates["demand"].low > 0
    agree = agrees(grown) and not undecided(grown.causes)
    return ("low", "low", "medium", "high")[dominant + sure + agree]


def caveats(grown: Growth, seen: Coverage) -> list[str]:
    """Say what to keep in mind, above all where other ways of looking name another cause."""
    found = grown.causes
    said = [
        *seen.caveats,
        "Demand is requests times the uncongested cost of their class (unit_costs): measured "
        "latency would charge victims for the queues that they wait in.",
    ]
    if grown.found.largest and not agrees(grown):
        cell = grown.found.largest[0][0]
        said.append(
            f"The cell that grew most in demand is another one: {cell.component} {cell.verb} of "
            f"{cell.resource or resources(())}; no primary cause holds it."
        )
    most = max(found, key=lambda cause: cause.share_of_requests)
    if most is not found[0]:
        said.append(
            f"By the number of requests alone {most.name} ({most.does}) grew most, "
            f"{percent(most.share_of_requests)}; {_they(most.why)}."
        )
    return said


def _they(why: str) -> str:
    """Let a reason speak of the requests that grew: some reasons are said of several."""
    return f"these {why}" if why.startswith("are ") else f"that {why}"


def agrees(grown: Growth) -> bool:
    """Tell whether the cell that grew most is part of a primary cause."""
    if not grown.found.largest:
        return False
    cell = grown.found.largest[0][0]
    parts = ("component", "verb", "resource")
    return any(
        all(getattr(pattern, part) in (None, getattr(cell, part)) for part in parts)
        for cause in grown.found.primary
        for pattern in cause.named.exactly
    )


def undecided(found: Sequence[Cause]) -> bool:
    """Tell whether the evidence leaves open which growth was the cause.

    Either one candidate leads in demand and another in requests, or one is almost large enough.
    """
    primary = [cause for cause in found if cause.kind == "primary"]
    by_demand = max(primary, key=lambda cause: cause.share)
    by_requests = max(primary, key=lambda cause: cause.share_of_requests)
    return by_demand is not by_requests or any(cause.kind == "possible" for cause in found)


def causes_table(found: Sequence[Cause]) -> Table:
    """One row per cause."""
    rows = [
        {
            "component": cause.name,
            "verb": cause.does,
            "resources": listed(cause.resources, 6),
            "kind": cause.kind,
            "share_of_demand": cause.share,
            "share_of_requests": cause.share_of_requests,
            "onset": cause.onset,
            "why": cause.why,
        }
        for cause in found
    ]
    return Table("Patterns of growth: what started it, and what followed", pl.DataFrame(rows))
