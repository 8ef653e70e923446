"""Listings of the Prometheus HTTP API: names, series, alerts and rules. They hold no samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kubepostmortem.metrics import metrics
from kubepostmortem.sources.content import dig, listed, remarks
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.json_content import documents, excerpt
from kubepostmortem.sources.samples import NOTHING, Samples, load_samples
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target

name = "Prometheus API listing"
describes = "JSON answer of /api/v1/label/*/values, /series, /alerts or /rules: names, no samples"

LISTING = re.compile(
    r'"data"\s*:\s*(?:\[\s*(?:\]|"|\{\s*"__name__"\s*:)|\{\s*"(?:alerts|groups)"\s*:\s*\[)'
)
NO_LISTING = "no list of names, series, alerts or rules"
NOTE = "names, series, alerts and rules are no samples; ask query_range for ALERTS to have them"


def recognises(file: InputFile) -> bool:
    """An answer of the API whose data lists names, label sets, alerts or groups of rules."""
    keys = file.document_keys
    return "data" in keys and "status" in keys and LISTING.search(file.text) is not None


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Count what is listed; the model holds only series with samples."""
    return load_samples(read, batch, target)


def read(file: InputFile, target: Target) -> Samples:
    """Count the names, label sets, alerts and rules."""
    answers, damaged = documents(file)
    counts = {n: _entries(answer) for n, answer in enumerate(answers)}
    told = sum(count for count in counts.values() if count is not None)
    strange = [Rejection(NO_LISTING, excerpt(answers[n])) for n, c in counts.items() if c is None]
    return replace(
        NOTHING,
        rejections=[*strange, *damaged],
        filtered=told,
        notes=remarks(NOTE if told else None, _absent(answers)),
    )


def _absent(answers: Sequence[Any]) -> str | None:
    """Which of the metrics we know are not in a list of names of metrics."""
    lists = [listed(dig(answer, "data")) for answer in answers]
    names = {name for names in lists for name in names if isinstance(name, str)}
    absent = [metric.name for metric in metrics() if names.isdisjoint(metric.series)]
    known = len(absent) < len(metrics())  # else they are values of another label
    return f"metrics that are not there: {', '.join(absent)}" if absent and known else None


def _entries(answer: Any) -> int | None:
    """How many entries an answer lists; None where it is no listing."""
    data = dig(answer, "data")
    if isinstance(data, dict):
        rules = [listed(dig(group, "rules")) for group in listed(data.get("groups"))]
        known = "alerts" in data or "groups" in data
        return len(listed(data.get("alerts"))) + sum(map(len, rules)) if known else None
    return len(data) if isinstance(data, list) else None
