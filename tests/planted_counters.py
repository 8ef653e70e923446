"""Counters of the API server that tell the truth about planted audit events."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from planted import BEGIN, Event, at

VERBS = {"create": "POST", "update": "PUT"}
LABELS = ("verb", "resource", "subresource", "code")

Labels = tuple[tuple[str, str], ...]
Series = dict[Labels, list[tuple[float, float]]]  # samples: seconds after the beginning, value


def seconds(event: Event) -> float:
    """When the stage of an event was, in seconds after the beginning."""
    stamp = datetime.fromisoformat(event["stageTimestamp"]).replace(tzinfo=None)
    return (stamp - BEGIN).total_seconds()


def labels_of(event: Event, by: Sequence[str] = LABELS) -> Labels:
    """Labels of the request counter for an event; empty ones are no labels."""
    reference = event.get("objectRef") or {}
    every = {
        "verb": VERBS.get(event["verb"], event["verb"].upper()),
        "resource": reference.get("resource", ""),
        "subresource": reference.get("subresource", ""),
        "code": str(event["responseStatus"]["code"]),
    }
    return tuple((name, every[name]) for name in by if every[name])


def request_counter(
    events: Iterable[Event],
    *,
    every: float = 15.0,
    until: float = 540.0,
    by: Sequence[str] = LABELS,
    start: float = 1000.0,
) -> Series:
    """Count requests that ended, scraped at a pace; series exist and stand high from the start."""
    ended: dict[Labels, list[float]] = {}
    for event in events:
        if event["stage"] == "ResponseComplete":
            ended.setdefault(labels_of(event, by), []).append(seconds(event))
    scrapes = [i * every for i in range(int(until / every) + 1)]
    return {
        labels: [(when, start + bisect_right(times, when)) for when in scrapes]
        for labels, times in ((labels, sorted(times)) for labels, times in ended.items())
    }


def steady(values: Mapping[str, float], *, name: str = "", until: float = 540.0) -> Series:
    """Count evenly up to a total, one series per value of a label."""
    return {
        ((name, label),) if name else (): [
            (when, round(total * when / until)) for when in range(0, int(until) + 1, 15)
        ]
        for label, total in values.items()
    }


def reset(samples: Sequence[tuple[float, float]], when: float) -> list[tuple[float, float]]:
    """The same gains, counted from zero since a restart at this time."""
    gains = [(later, max(value - before, 0.0)) for (_, before), (later, value) in pairwise(samples)]
    found, total = [samples[0]], samples[0][1]
    for moment, gain in gains:
        restarted = found[-1][0] < when <= moment
        total = gain if restarted else total + gain
        found.append((moment, total))
    return found


def write_query_range(path: Path, metric: str, series: Series, **labels: str) -> Path:
    """Write series as the API of Prometheus answers query_range; return the path."""
    result = [
        {
            "metric": {"__name__": metric, **labels, **dict(own)},
            "values": [[at(t).replace(tzinfo=UTC).timestamp(), str(value)] for t, value in samples],
        }
        for own, samples in series.items()
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    path.write_text(json.dumps(answer))
    return path
