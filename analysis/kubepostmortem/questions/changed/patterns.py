"""What is unlike a well-behaved client, which lists once and watches from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubepostmortem.questions.cause import Cause
from kubepostmortem.questions.reading import Pace, Shape
from kubepostmortem.questions.retries import Retrying

POLLS = "polls instead of watching"
REPEATS = "lists again and again instead of watching"
RELISTS = "lists again though it watches"
COSTLY = (
    ("cluster_wide", "reads the whole cluster"),
    ("without_selector", "without a selector"),
    ("without_limit", "without limit"),
    ("without_resource_version", "without resourceVersion"),
)


def patterns(
    top: Cause,
    shapes: Sequence[Shape],
    paces: Sequence[Pace],
    also_watch: Mapping[str, float],
    retrying: Retrying,
) -> list[str]:
    """Name what its requests have in common, in words that follow 'it'."""
    named = []
    if top.verb == "list":
        named += [*_repeats(paces, also_watch), *_costly(shapes)]
    if retrying.retries > 0.2 * retrying.requests:
        named.append("retries what was refused")
    if retrying.after_429 >= 10 and (retrying.obeyed_share or 0) < 0.5:
        named.append("does not wait after a 429")
    return named


def _repeats(paces: Sequence[Pace], also_watch: Mapping[str, float]) -> list[str]:
    """Tell a poll from a list that follows a broken watch, by the watches and by the clock."""
    repeated = [pace for pace in paces if pace.intervals >= pace.clients]
    if not repeated:
        return []
    most = max(repeated, key=lambda pace: pace.intervals)
    if also_watch.get(most.resource or "", 0.0) >= 0.5:
        return [RELISTS]
    return [REPEATS if most.periodic is False else POLLS]


def _costly(shapes: Sequence[Shape]) -> list[str]:
    total = sum(shape.requests for shape in shapes)
    return [
        text
        for key, text in COSTLY
        if sum(getattr(shape, key) * shape.requests for shape in shapes) > 0.5 * total
    ]
