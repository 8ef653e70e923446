"""Why a fence is as it is, and what its design could not rule out, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from kubepostmortem.flowcontrol.culprit import Culprit
from kubepostmortem.flowcontrol.fence_level import LENT_PERCENT
from kubepostmortem.flowcontrol.fence_schema import Place, asks_for_all, subjects_of
from kubepostmortem.flowcontrol.identities import NODE
from kubepostmortem.flowcontrol.objects import PriorityLevel, Queuing
from kubepostmortem.flowcontrol.spelling import printable
from kubepostmortem.flowcontrol.validation import VERBS, can_spell_path

ISSUE = "kubernetes issue 115409"


def reasons_of(
    culprit: Culprit,
    level: PriorityLevel,
    seats: int,
    server_limit: int,
    place: Place,
    widest: int,
) -> dict[str, str]:
    """Return comments by the field that they explain."""
    who = _who(culprit)
    assert level.queuing is not None
    return {
        "PriorityLevelConfiguration": (
            f"A level for {who} alone: at most {seats} of the {server_limit} seats of each API"
            " server, whatever it asks for. Delete both objects when it is repaired."
        ),
        "nominalConcurrencyShares": (
            f"Worth {seats} seats beside the shares of the other levels as they are now; another"
            " limit of the server, or other shares, change that."
        ),
        "lendablePercent": _why_lent(level, who),
        "borrowingLimitPercent": (
            "Without this limit the level could borrow all that others lend, as levels do by"
            " default: it would be no fence."
        ),
        "limitResponse": _why_queue(level.queuing),
        "queuing": _why_queues(level.queuing, seats, widest),
        "FlowSchema": f"What goes to that level: requests of {who}, told by identity.",
        "matchingPrecedence": _why_here(place),
        "resourceRules": _why_these(culprit),
    }


def warnings_of(
    culprit: Culprit, level: PriorityLevel, seats: int, wanted: int, place: Place, widest: int
) -> tuple[str, ...]:
    """Return what to know before such a fence is applied."""
    return (
        *_warnings_of_identity(culprit),
        *_warnings_of_seats(level, seats, wanted, widest),
        *_warnings_of_place(place),
        *_warnings_of_spelling(culprit),
    )


def _who(culprit: Culprit) -> str:
    return printable(culprit.component or culprit.nickname)


def _why_lent(level: PriorityLevel, who: str) -> str:
    if not level.lendable_percent:
        return "A level of one seat that lends it could start nothing."
    return (
        f"{LENT_PERCENT} % serve other levels while {who} asks for little; seats that it uses or"
        " waits for are its own again within 10 seconds."
    )


def _why_queue(queuing: Queuing) -> str:
    waiting = queuing.hand_size * queuing.queue_length_limit
    return (
        f"Requests beyond the limit wait in a queue, at most {waiting} of a flow. Refused at once,"
        " they would come back as retries; one that waits paces its client."
    )


def _why_queues(queuing: Queuing, seats: int, widest: int) -> str:
    if queuing.queues == 1:
        return (
            "One identity is one flow, however many clients share it: one queue, in order, and no"
            f" other flow that its wide requests could starve ({ISSUE})."
        )
    product = queuing.hand_size * widest
    return (
        f"Each user is a flow. Hand size {queuing.hand_size} x widest request {widest} = {product}"
        f" seats of {seats}: what one flow may take of the level at once ({ISSUE})."
    )


def _why_here(place: Place) -> str:
    text = f"Before {place.before.name} ({place.before.precedence}), which has these requests now"
    if place.after is None:
        return f"{text}."
    return f"{text}, and after {place.after.name} ({place.after.precedence}), which keeps its own."


def _why_these(culprit: Culprit) -> str:
    if asks_for_all(culprit):
        return "All requests of this identity."
    return "What it asked for in the incident; its other requests go where they went before."


def _warnings_of_identity(culprit: Culprit) -> Iterator[str]:
    who = _who(culprit)
    if any(user.startswith(NODE) for user in culprit.users):
        yield (
            f"{who} calls as the nodes: the fence also holds the kubelets' own requests of this"
            " kind. Give it a service account of its own instead."
        )
    if culprit.shared_with:
        others = printable(", ".join(culprit.shared_with))
        yield f"{others} call as the same users: the fence also holds their requests of this kind."
    if not all(subjects_of([user]) for user in culprit.users):
        yield "Some of its user names cannot stand in a FlowSchema; their requests are not held."


def _warnings_of_seats(level: PriorityLevel, seats: int, wanted: int, widest: int) -> Iterator[str]:
    if seats != wanted:
        yield (
            f"{wanted} seats cannot be had in whole shares: with shares of {level.shares} it is"
            f" {seats}."
        )
    if widest >= seats:
        yield (
            f"Its widest request takes {widest} seats, all of the level: before Kubernetes 1.28 it"
            " runs alone, since then it counts for fewer seats than it costs."
        )


def _warnings_of_place(place: Place) -> Iterator[str]:
    if place.kept:
        names = ", ".join(schema.name for schema in place.kept)
        yield f"Requests that match {names} are not held: these schemas come first, to be safe."
    if not place.fits:
        after = f" after {place.after.name}" if place.after else ""
        yield (
            f"There is no precedence{after} and before {place.before.name}: matchingPrecedence is a"
            " guess, set it by hand."
        )


def _warnings_of_spelling(culprit: Culprit) -> Iterator[str]:
    lost = [path for path in culprit.paths if not can_spell_path(path)]
    if lost:
        yield f"{len(lost)} of its paths cannot stand in a FlowSchema; they are not held."
    odd = sorted({verb for verb in culprit.verbs if verb not in (*VERBS, "*")})
    if odd and not culprit.paths:
        yield f"Rules know no verb {printable(', '.join(odd))}; such requests are not held."
