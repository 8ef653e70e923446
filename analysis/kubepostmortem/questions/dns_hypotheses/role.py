"""The part that DNS played, and what in its use was at fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kubepostmortem.questions.dns_hypotheses.cliffs import Fitted
from kubepostmortem.questions.dns_hypotheses.facts import Facts
from kubepostmortem.questions.dns_hypotheses.load import Added
from kubepostmortem.questions.dns_hypotheses.servers import (
    LATE_S,
    never_replaced,
    outage_s,
    outages_of_pods,
)
from kubepostmortem.questions.dns_hypotheses.verdict import Verdict
from kubepostmortem.questions.words import span

Role = Literal["cause", "amplifier", "victim", "not involved"]
CAUSE, AMPLIFIER = 0.5, 0.1  # of the growth


@dataclass(frozen=True)
class Part:
    """The role of DNS in one cluster, and a sentence on what in its use was at fault."""

    role: Role
    in_its_use: str


def failed_since(one: Facts, fall: Fitted | None) -> datetime | None:
    """Return when DNS began to fail in the overload or after it; None: it did not."""
    times = [out["began_at"] for out in one.outages]
    times += [
        row["first_at"]
        for row in one.counted
        if row["counted"] == "SERVFAIL answers" and row["first_at"]
    ]
    if fall is not None and fall.began_at is not None:
        times.append(fall.began_at)
    return min(times, default=None)


def part(one: Facts, verdicts: Mapping[str, Verdict], load: Added, fall: Fitted | None) -> Part:
    """Judge: a cause or amplifier by its load, a victim by failures that the overload made."""
    said = _in_its_use(one, verdicts, fall)
    if load.share >= CAUSE:
        return Part("cause", f"Its own requests were the load. {said}")
    if load.share >= AMPLIFIER:
        return Part("amplifier", f"Its own requests added to the load. {said}")
    held = any(verdicts[name].status == "supported" for name in ("H1", "H3", "H4", "H5", "H6"))
    if failed_since(one, fall) is not None and held:
        return Part("victim", said)
    return Part("not involved", said)


def _in_its_use(one: Facts, verdicts: Mapping[str, Verdict], fall: Fitted | None) -> str:
    if verdicts["H5"].status == "supported" and fall is not None:
        return (
            "Fresh answers needed the control plane and old ones expired: let resolvers serve "
            "stale answers (CoreDNS: serve_stale) or keep them longer than an overload lasts."
        )
    if verdicts["H1"].status == "supported":
        return _needs_the_api(one)
    if verdicts["H3"].status == "supported":
        return "Too few DNS servers that clients could reach: add replicas, or caches on the nodes."
    if lost := [out for out in outages_of_pods(one) if _went_on(one, out["next_answer_at"])]:
        return (
            f"A replacement was ready {span(round(outage_s(one), 1))} after its pod was deleted, "
            f"and lookups at {lost[0]['server']} failed on: an address of a pod was asked, which "
            "is gone with it; ask the address of the DNS service."
        )
    memory = "DNS servers that run answer from memory, and need no API server for that."
    if outages_of_pods(one):
        return (
            f"Only that a DNS pod was deleted, and asked until its replacement was ready. {memory}"
        )
    return f"Nothing that the evidence shows. {memory}"


def _went_on(one: Facts, next_answer_at: datetime | None) -> bool:
    ready = [pod["synced_at"] for pod in one.placed if pod["synced_at"]]
    if not ready:
        return False
    return next_answer_at is None or (next_answer_at - max(ready)).total_seconds() > 30


def _needs_the_api(one: Facts) -> str:
    stays = "DNS servers that run answer from memory, but a new one needs the API server"
    if never_replaced(one):
        gone = {pod["pod"] for pod in one.deleted}
        left = any(row["pod"] in gone and row["stale_s"] > LATE_S for row in one.late)
        kept = " No controller took the deleted pod out of the endpoints, either." if left else ""
        return (
            f"{stays}, controllers and the scheduler to start: do not restart or scale DNS in an "
            f"overload, run more replicas than are needed, and let clients ask several.{kept}"
        )
    return (
        f"{stays} to start: restart or scale DNS before or after an overload, and give its "
        "service account a priority level of its own."
    )
