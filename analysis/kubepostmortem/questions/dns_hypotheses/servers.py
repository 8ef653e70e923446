"""Hypotheses about the DNS servers: restarted ones, ones out of reach, and stale addresses."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.questions.dns_hypotheses.facts import Facts, Row
from kubepostmortem.questions.dns_hypotheses.verdict import METRICS, PROBES, Verdict, clock
from kubepostmortem.questions.question import Missing
from kubepostmortem.questions.words import number, percent, span

RESTARTED = "DNS pods were restarted while the API server was overloaded, and could not come back"
STALE = "DNS answered with stale addresses: endpoints moved, and it did not learn of it"
UNREACHABLE = "DNS pods that ran were out of reach or overloaded"
AFTER_S = 60  # an outage that begins so soon after a pod was deleted is its outage
BEFORE_S = 10  # a pod may stop answering before its deletion is logged as accepted
LATE_S = 30  # endpoints are written within a second or so
BACK_S = 30.0  # a replacement that takes longer than this could not come back
SILENT = 0.1  # of the scrapes, or of the lookups of a server


def restarted(one: Facts) -> Verdict:
    """H1: a new process needs the API server before it can answer."""
    gone, started = one.deleted, one.restarted
    if not gone and not started:
        known = bool(one.pods or one.restarts)
        finding = (
            "No DNS pod was deleted and no DNS process started in the overload."
            if known
            else "Neither the audit log nor metrics show the DNS pods."
        )
        status = "contradicted" if known else "not testable"
        return Verdict("H1", RESTARTED, status, finding, missing=() if known else [METRICS])  # type: ignore[arg-type]
    numbers = {
        "deleted": len(gone),
        "replacements_placed": len(one.placed),
        "replacements_synchronized": len(_synced(one)),
        "outage_s": outage_s(one),
        "process_starts": len(started),
        "failed_calls": one.total("failed API requests")
        + sum(pod["failed_calls"] for pod in one.placed),
    }
    told, unsynced = _told(one), _unsynced(one)
    if never_replaced(one) or outage_s(one) > BACK_S or unsynced:
        if unsynced:
            told += f" {len(unsynced)} of them answered SERVFAIL, as one does that has no data yet."
        return Verdict("H1", RESTARTED, "supported", told, numbers)
    if not one.lookups and not one.counts("SERVFAIL answers", "other answers"):
        return Verdict("H1", RESTARTED, "not testable", told, numbers, [PROBES, METRICS])
    return Verdict("H1", RESTARTED, "contradicted", told, numbers)


def _unsynced(one: Facts) -> set[str]:
    """Servers that started in the overload and answered SERVFAIL in it.

    CoreDNS does so until it has read its objects from the API; SERVFAIL of a server that never
    restarted has another cause.
    """
    failing = {
        host(row["server"])
        for row in one.counted
        if row["counted"] == "SERVFAIL answers" and row["during"]
    }
    return failing & {host(row["server"]) for row in one.restarted}


def never_replaced(one: Facts) -> bool:
    """Tell whether DNS pods went and fewer came: the audit log shows placing where there is any."""
    return bool(one.deleted) and len(_synced(one)) < len(one.deleted)


def _synced(one: Facts) -> list[Row]:
    return [pod for pod in one.placed if pod["synced_at"]]


def outages_of_pods(one: Facts) -> list[Row]:
    """Outages that began when a DNS pod was deleted."""
    return [
        out
        for out in one.outages
        if any(
            -BEFORE_S <= (out["began_at"] - pod["deleted_at"]).total_seconds() <= AFTER_S
            for pod in one.deleted
        )
    ]


def outage_s(one: Facts) -> float:
    """Longest time from the deletion of a DNS pod to its replacement that had read the API.

    0.0 where none was deleted; where none came, until the overload ended.
    """
    longest = 0.0
    ready = [pod["synced_at"] for pod in _synced(one)]
    for pod in one.deleted:
        later = [moment for moment in ready if moment >= pod["deleted_at"]]
        end = min(later, default=one.ends_at)
        longest = max(longest, (end - pod["deleted_at"]).total_seconds())
    return longest


def _told(one: Facts) -> str:
    if not one.deleted:
        first = one.restarted[0]["not_after_at"]
        return f"{len(one.restarted)} DNS processes started in the overload, from {clock(first)}."
    first = one.deleted[0]["deleted_at"]
    went = f"{_pods(len(one.deleted))} deleted at {clock(first)}"
    if not one.placed:
        return f"{went}; no replacement was placed on a node until the log ends."
    came = _synced(one)
    if not came:
        return f"{went}; a replacement was placed, but never read its objects from the API."
    return (
        f"{went}; a replacement had read its objects from the API "
        f"{span(round(outage_s(one), 1))} later."
    )


def _pods(count: int) -> str:
    return "One DNS pod was" if count == 1 else f"{count} DNS pods were"


def stale(one: Facts) -> Verdict:
    """H2: endpoints of deleted pods that nobody removed."""
    if not one.late and not one.late_before:
        return Verdict(
            "H2",
            STALE,
            "not testable",
            "The log shows no deleted pods with endpoints: nothing could be stale, or the policy "
            "drops these requests.",
            missing=[Missing("writes of EndpointSlices and deletions of pods", "audit them")],
        )
    waited = [row for row in one.late if row["stale_s"] > LATE_S]
    usual = max((row["stale_s"] for row in one.late_before), default=None)
    longest = max((row["stale_s"] for row in one.late), default=0.0)
    numbers = {
        "deleted": len(one.late),
        "not_written_within_30_s": len(waited),
        "longest_s": longest,
        "longest_in_the_baseline_s": usual,
    }
    if not waited:
        finding = (
            f"{len(one.late)} pods were deleted; the endpoints of their namespace were written "
            f"at most {span(round(longest, 2))} later."
        )
        return Verdict("H2", STALE, "contradicted", finding, numbers)
    finding = (
        f"Of {len(one.late)} deleted pods, for {len(waited)} no endpoints were written for "
        f"{span(round(longest))}: names could lead to pods that were gone. Whether clients "
        "were hurt needs the errors of applications."
    )
    return Verdict("H2", STALE, "supported", finding, numbers)


def unreachable(one: Facts) -> Verdict:
    """H3: time-outs at servers whose pods were not deleted; scrapes that fail; self-checks."""
    if not one.lookups and not one.scrapes:
        return Verdict("H3", UNREACHABLE, "not testable", "No probes.", missing=[PROBES, METRICS])
    gone = {host(out["server"]) for out in outages_of_pods(one)}
    others = [out for out in one.outages if host(out["server"]) not in gone]
    silent = [
        row
        for row in one.scrapes
        if host(row["server"]) not in gone and row["failed"] > SILENT * row["scrapes"]
    ]
    time_outs = sum(out["time_outs"] for out in others)
    asked = sum(row["lookups"] for row in one.lookups if host(row["server"]) not in gone)
    refused = one.total("queries refused") + one.total("failed self-checks")
    numbers = {
        "time_outs": time_outs,
        "lookups": asked,
        "silent_servers": len(silent),
        "refused": refused,
        "servers_of_deleted_pods": len(gone),
    }
    if silent or refused > 0 or time_outs > max(0.02 * asked, 2):
        finding = (
            f"{time_outs} of {number(asked)} lookups at servers whose pods were not deleted timed "
            f"out; {len(silent)} of them failed scrapes; {number(refused)} queries refused or "
            "self-checks failed."
        )
        return Verdict("H3", UNREACHABLE, "supported", finding, numbers)
    if gone and not asked and not one.scrapes:
        finding = "Every server that was probed lost its pod."
        return Verdict("H3", UNREACHABLE, "not testable", finding, numbers, [METRICS])
    return Verdict("H3", UNREACHABLE, "contradicted", _reachable(one, gone, numbers), numbers)


def _reachable(one: Facts, gone: set[str], numbers: dict[str, float]) -> str:
    asked, lost = numbers["lookups"], numbers["time_outs"]
    if not one.lookups:
        return f"All {len(one.scrapes)} DNS servers were scraped through the overload."
    rest = "the others" if gone else "the DNS servers"
    good = f"{rest} answered {percent(1 - lost / asked) if asked else 'none'} of "
    good += f"{number(asked)} lookups without a time-out"
    if not gone:
        return f"{good[0].upper()}{good[1:]}."
    return f"Time-outs are those of the server whose pod was deleted; {good}."


def host(server: str) -> str:
    """The address of a server without its port: metrics and queries use different ones."""
    bare, colon, port = server.rpartition(":")
    return bare.strip("[]") if colon and port.isdigit() and bare else server


def survivors(one: Facts) -> Sequence[Row]:
    """Probed servers whose pods were not deleted."""
    gone = {host(out["server"]) for out in outages_of_pods(one)}
    return [row for row in one.lookups if host(row["server"]) not in gone]
