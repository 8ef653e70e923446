"""What the sources of deploys share: which records count, and what they are about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from kubepostmortem.sources.content import Record, Unusable, dig, plain, remarks, tabulate
from kubepostmortem.sources.documents import Contents
from kubepostmortem.sources.source import Rejection
from kubepostmortem.sources.times import moment

NO_SERVICE = "no service named"
NO_TIME = "no time given"

DOING = re.compile(
    r"(?i)(?:deploy(?:ment)?|release|roll ?-?out|ship|publish|promote|upgrade|update|apply|"
    r"roll ?-?back)(?:ing)?(?:[\s:_/-]+of)?[\s:_/-]+"
)
WHERETO = re.compile(r"\s+(?:to|in|into|on|onto|for|from|with|via)\s.*|\s*\(.*", re.IGNORECASE)
LONGEST = 300  # characters of a title that may name a thing
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
PLACES = re.compile(
    r"(?i)prod(?:uction)?|live|sta?ge?|staging|pre-?prod|dev(?:elopment)?|test(?:ing)?|qa|uat|canary|"
    r"all|main|master|k8s|kubernetes|cluster|apps?|applications?"
)

WORKLOADS = frozenset({"DaemonSet", "Deployment", "StatefulSet"})

Fields = Mapping[str, Any]
Change = dict[str, Any]


def deploys(
    records: Iterable[Record | Rejection],
    change: Callable[[Fields], Change],
    left_out: Callable[[Fields], str | None] = lambda fields: None,
) -> Contents:
    """Make one row of deploys of each record, except those with a reason to be left out."""
    reasons: Counter[str] = Counter()
    kept: list[Record | Rejection] = []
    for record in records:
        reason = left_out(record.fields) if isinstance(record, Record) else None
        if reason:
            reasons[reason] += 1
        else:
            kept.append(record)
    contents = tabulate(kept, "deploys", change, dated_by="applied_at")
    contents.filtered = reasons.total()
    contents.records += contents.filtered
    contents.notes = remarks(*(f"{number} left out: {why}" for why, number in reasons.items()))
    return contents


def begun_at(*stamps: Any, zone: str | None = None) -> datetime:
    """Read the first of these times that is there; zone is that of one that shows none.

    Raises Unusable.
    """
    said = first_plain(*stamps)
    if said is None:
        raise Unusable(NO_TIME)
    return moment(said, zone)


def ended_at(stamp: Any, zone: str | None = None) -> datetime | None:
    """Read the time of an end; None where it is not told, or not as a time with its zone."""
    try:
        return moment(plain(stamp) or "", zone)
    except Unusable:
        return None


def first_plain(*values: Any) -> str | None:
    """Return the first of these that says anything."""
    return next(filter(None, map(plain, values)), None)


def is_deploy(title: str | None) -> bool:
    """Tell whether a title (of a job, stage or workflow) speaks of a deploy."""
    return bool(
        title and re.search(r"(?i)deploy|releas|roll ?-?(?:out|back)|promot|publish", title)
    )


def thing_in(title: str | None) -> str | None:
    """Return what a title says is deployed: node-agent of "Deploy node-agent to prod"."""
    doing = DOING.match(title or "")
    if title is None or doing is None:
        return None
    thing = WHERETO.sub("", title[doing.end() :][:LONGEST]).strip()
    return thing if NAME.fullmatch(thing) and not PLACES.fullmatch(thing) else None


def only_workload(name: str, resources: list[Any]) -> Any:
    """Return the workload among the resources of a release; of several, the one of its name."""
    workloads = [
        one for one in resources if plain(dig(one, "kind")) in WORKLOADS and plain(dig(one, "name"))
    ]
    namesakes = (one for one in workloads if plain(dig(one, "name")) == name)
    return workloads[0] if len(workloads) == 1 else next(namesakes, None)
