"""The verdict on each release, and their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.suspects.lookups import Known
from kubepostmortem.questions.suspects.signs import Sign, signs, weight

ORDER = {"cause": 0, "possible": 1, "innocent": 2}
COPIED = ("service", "namespace", "cluster")
TOLD = ("version", "kind", "actor", "actions", "reported_by")


def judged(rows: Sequence[dict[str, Any]], known: Known) -> list[dict[str, Any]]:
    """Return the suspects in order; a known cause rules the other releases out."""
    reached: dict[tuple[str | None, str], set[str]] = defaultdict(set)
    for row in rows:
        reached[row["namespace"], row["service"]].add(row["cluster"])
    suspects = [_suspect(row, reached[row["namespace"], row["service"]], known) for row in rows]
    return _rank(_demoted(suspects))


def _suspect(row: dict[str, Any], reached: set[str], known: Known) -> dict[str, Any]:
    onset = known.onsets.get(row["cluster"])
    lag = (onset - row["applied_at"]).total_seconds() if onset else None
    found = signs(row, lag, reached, known)
    verdict, reason = _verdict({sign.kind: sign for sign in found})
    return {
        **{key: row[key] for key in COPIED},
        "at": iso(row["applied_at"]),
        "last_step_at": iso(row["last_step_at"]),
        **{key: row[key] for key in TOLD},
        "lag_s": lag,
        "share": float(row["share"] or 0),
        "verdict": verdict,
        "reason": reason,
        "weight": weight(found),
        "signs": [asdict(sign) for sign in found],
    }


def _verdict(found: dict[str, Sign]) -> tuple[str, str]:
    """Judge one release: a cause precedes its effect, and its own clients carry the growth."""
    onset, own = found.get("onset"), found["own calls"]
    if onset and onset.supports is False:
        return "innocent", onset.says
    if own.supports is not True:
        return ("possible" if own.supports is None else "innocent"), own.says
    if onset is None:
        return "possible", f"{own.says}; no onset is known"
    return "cause", f"{own.says}, and it was {onset.says}"


def _demoted(suspects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rule out what grew beside the cause, and what nothing but time ties to it."""
    causes = [one for one in suspects if one["verdict"] == "cause"]
    matching = any(_makes_the_calls(one) for one in causes)
    if not causes:
        return list(suspects)
    return [_ruled_out(one, matching) for one in suspects]


def _ruled_out(suspect: dict[str, Any], matching: bool) -> dict[str, Any]:
    beside = matching and suspect["verdict"] == "cause" and not _makes_the_calls(suspect)
    if not beside and suspect["verdict"] != "possible":
        return suspect
    but = ", but are not those that caused it" if beside else ""
    own = next(sign["says"] for sign in suspect["signs"] if sign["kind"] == "own calls")
    reason = f"{own}{but}; another release explains the growth"
    return {**suspect, "verdict": "innocent", "reason": reason}


def _makes_the_calls(suspect: dict[str, Any]) -> bool:
    return any(sign["kind"] == "component" and sign["supports"] for sign in suspect["signs"])


def _rank(suspects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order by verdict, share and nearness."""
    ranked = sorted(
        suspects,
        key=lambda s: (ORDER[s["verdict"]], -s["share"], abs(s["lag_s"] or 0), _name(s)),
    )
    return [{"rank": place, **suspect} for place, suspect in enumerate(ranked, start=1)]


def _name(suspect: dict[str, Any]) -> tuple[str, str, str]:
    return suspect["service"], suspect["namespace"] or "", suspect["cluster"]
