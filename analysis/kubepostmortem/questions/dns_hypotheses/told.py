"""The words, the chart and the tables of the answer about DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.questions.dns_hypotheses.cliffs import Fitted, first_fall
from kubepostmortem.questions.dns_hypotheses.facts import Facts
from kubepostmortem.questions.dns_hypotheses.load import Added
from kubepostmortem.questions.dns_hypotheses.order import Moment
from kubepostmortem.questions.dns_hypotheses.role import Part, failed_since
from kubepostmortem.questions.dns_hypotheses.servers import survivors
from kubepostmortem.questions.dns_hypotheses.verdict import Verdict
from kubepostmortem.questions.question import Table
from kubepostmortem.questions.words import number, percent, span

ROLES = {
    "cause": "DNS was the cause",
    "amplifier": "DNS amplified the overload",
    "victim": "DNS was a victim, not the cause",
    "not involved": "DNS played no part in the overload",
}
RANK = tuple(ROLES)
MOST_EVENTS = 20
PLAIN = ("One ", "The ", "Hits ", "Of ")  # findings that begin with a common word


@dataclass(frozen=True)
class Judged:
    """Everything that is known of the DNS of one cluster."""

    facts: Facts
    fits: Sequence[Fitted]
    verdicts: Mapping[str, Verdict]
    load: Added
    part: Part
    order: Sequence[Moment]

    @property
    def failed_after_s(self) -> float | None:
        """Seconds from the beginning of the overload to the first failure; None: none failed."""
        since = failed_since(self.facts, first_fall(self.fits))
        return None if since is None else (since - self.facts.overload_at).total_seconds()

    @property
    def hidden_s(self) -> float | None:
        """Seconds for which caches hid the overload, until they began to run out; None: not so."""
        fall = first_fall(self.fits)
        if fall is None or fall.began_at is None or self.verdicts["H5"].status != "supported":
            return None
        return (fall.began_at - self.facts.overload_at).total_seconds()

    @property
    def evidence(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "cluster": self.facts.cluster,
            "role": self.part.role,
            "in_its_use": self.part.in_its_use,
            "failed_after_s": self.failed_after_s,
            "hidden_s": self.hidden_s,
            "hypotheses": [one.facts for one in self.verdicts.values()],
            "falls": [one.facts for one in self.fits],
            "order": [one.facts for one in self.order],
            "load": self.load.facts,
            "servers": list(self.facts.lookups),
            "outages": list(self.facts.outages),
            "pods": list(self.facts.pods),
        }


def worst(all_of_them: Sequence[Judged]) -> Judged:
    """Return the cluster where DNS played the largest part."""
    return min(all_of_them, key=lambda one: (RANK.index(one.part.role), one.facts.cluster))


def headline(one: Judged, clusters: int) -> str:
    """Say what part DNS played, when it failed, and what it added."""
    where = f" in {one.facts.cluster} (of {clusters} clusters the worst)" if clusters > 1 else ""
    return f"{ROLES[one.part.role]}{where}: {_what(one)}. {_added(one.load)}"


def _what(one: Judged) -> str:
    if one.part.role in ("victim", "not involved"):
        for name in ("H5", "H1", "H3", "H4", "H6"):
            if one.verdicts[name].status == "supported":
                return f"{_plain(one.verdicts[name].finding)}{_kept(one)}"
    if one.part.role == "not involved" and one.facts.deleted:
        return f"{_plain(one.verdicts['H1'].finding)}{_kept(one)}"
    if one.failed_after_s is None:
        return "nothing of it failed, as far as the evidence shows"
    return f"lookups began to fail {span(round(one.failed_after_s))} after the overload began"


def _plain(finding: str) -> str:
    """A finding as a part of a sentence."""
    first = finding.removesuffix(".")
    return f"{first[0].lower()}{first[1:]}" if first.startswith(PLAIN) else first


def _kept(one: Judged) -> str:
    """Say how servers that were left alone fared."""
    good = survivors(one.facts)
    lookups = sum(row["lookups"] - row["lookups_before"] for row in good)
    failures = sum(row["failures"] - row["failures_before"] for row in good)
    if not lookups or len(good) == len(one.facts.lookups):
        return ""
    answered = f"{percent(1 - failures / lookups)} of lookups" if failures else "every lookup"
    return f"; DNS servers that kept running answered {answered}"


def _added(load: Added) -> str:
    if load.share_of_requests is None:
        return f"It sent {number(load.overload_rps)} requests per second to the API server."
    share = max(load.share_of_requests, 0.0)
    said = "less than 0.1%" if share < 0.001 else percent(share)
    return f"It added {said} of the growth in requests."


def tables(all_of_them: Sequence[Judged]) -> list[Table]:
    """Tabulate the hypotheses and the order of events."""
    many = len(all_of_them) > 1
    hypotheses = [
        ({"cluster": one.facts.cluster} if many else {})
        | {"": v.id, "hypothesis": v.says, "verdict": v.status, "finding": v.finding}
        for one in all_of_them
        for v in one.verdicts.values()
    ]
    events = [
        ({"cluster": one.facts.cluster} if many else {})
        | {
            "time (UTC)": f"{m.not_after_at:%H:%M:%S}",
            "event": m.event,
            "where": m.where,
            "after the overload began": span(round(m.lag_s, 1)) if m.lag_s >= 0 else "before",
            "known to within": span(round((m.not_after_at - m.not_before_at).total_seconds(), 1)),
        }
        for one in all_of_them
        for m in one.order[:MOST_EVENTS]
    ]
    return [
        Table("What could have happened to DNS, and what the evidence says", _frame(hypotheses)),
        Table("Order of events", _frame(events)),
    ]


def _frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


def plain(value: Any) -> Any:
    """Turn times into ISO 8601 all the way down: evidence is plain data."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
