"""Policies of flow control that are tried on the recorded load, and what they would have done."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.errors import UsageError
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.in_flight import InFlightLimits
from kubepostmortem.questions.flow_control.callers import named
from kubepostmortem.questions.flow_control.what_if import WhatIf, between, share
from kubepostmortem.questions.words import listed
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.policies import Wish, tried

KEPT = 0.95  # share of the calls of every other group that is answered, by all models
LITTLE = 0.005  # difference of such shares

NAMES = {
    "defaults": "the default objects",
    "off": "Priority and Fairness off",
}


def wishes(known: Effective) -> dict[str, Wish]:
    """Return what was in force, the defaults, and flow control off; what is the same only once."""
    found = {"as it was": Wish()}
    for policy, name in NAMES.items():
        if _differs(policy, known):
            found[name] = Wish(policy)
    return found


def left_out(known: Effective) -> list[str]:
    """Say that the defaults were in force, where they were."""
    if not known.apf or _differs("defaults", known):
        return []
    return ["What was in force are the default objects: they are not tried once more."]


def verdict(what: Sequence[WhatIf]) -> str:
    """Say how the others would have fared under each policy that there is a verdict on."""
    told = [one for one in what if one.worst]
    decided = [one for one in told if one.simulated.decided]
    if not told:
        return "No group but the culprit called often enough to tell what would have helped."
    if not decided:
        why = told[0].simulated.verdict
        return f"On other policies {why[0].lower()}{why[1:]}"
    open_ones = [one.name for one in told if not one.simulated.decided]
    rest = [f"no verdict on {listed(open_ones)}"] if open_ones else []
    return f"Simulated, {'; '.join([*_of_decided(decided), *rest])}."


def _of_decided(what: Sequence[WhatIf]) -> list[str]:
    kept = [one for one in what if _low(one) >= KEPT]
    lost = [one for one in what if _low(one) < KEPT]
    if not lost and len(kept) > 1 and max(map(_low, kept)) - min(map(_low, kept)) < LITTLE:
        least = share(min(map(_low, kept)))
        return [f"no policy makes a difference: {_at_least(least)}, whichever it is"]
    return [*_kept(kept), *map(_lost, lost)]


def _kept(kept: Sequence[WhatIf]) -> list[str]:
    if not kept:
        return []
    first, *more = [f"{share(_low(one))} {_under(one)}" for one in kept]
    least, _, under = first.partition(" ")
    return [listed([f"{_at_least(least)} {under}", *more])]


def _at_least(least: str) -> str:
    part = "all" if least == "100%" else f"at least {least}"
    return f"{part} of the calls of every other group are answered in time"


def _lost(one: WhatIf) -> str:
    low, high = between(one.worst.answered) if one.worst else ("", "")
    of = f"{low} to {high}" if low != high else low
    return f"{_under(one)} only {of} of those of {named(one.worst.group) if one.worst else ''}"


def _under(one: WhatIf) -> str:
    return one.name if one.name == "as it was" else f"with {one.name}"


def _low(one: WhatIf) -> float:
    return one.worst.answered.low if one.worst else 1.0


def _differs(policy: str, known: Effective) -> bool:
    try:
        theirs = tried(Wish(policy), known)
    except UsageError:
        return False
    return _parts(theirs.policy) != _parts(tried(Wish(), known).policy)


def _parts(policy: Configuration | InFlightLimits) -> object:
    """What tells policies apart, whatever holds it."""
    if isinstance(policy, InFlightLimits):
        return policy
    return dict(policy.priority_levels), policy.flow_schemas
