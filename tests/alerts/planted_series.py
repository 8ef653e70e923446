"""Series that every rule finds something in: resets, gaps, late beginnings, odd values."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from kubepostmortem.alerts.rules import Rule
from kubepostmortem.alerts.series import NAME, Labels, Samples
from kubepostmortem.alerts.syntax import Matcher
from kubepostmortem.alerts.walking import selectors

BEGIN_MS = 1_733_956_200_000
EVERY_MS = 15_000
COUNTER = re.compile(r".*_(total|count|sum|bucket)")
BOUNDS = ("0.1", "1", "5", "30", "+Inf")
# Labels that tell series apart which no rule selects by.
APART = {"instance": ("a", "b"), "name": ("x",), "namespace": ("n",)}


def planted(rules: Sequence[Rule], samples: int = 400, seed: int = 1) -> Samples:
    """Series of all metrics that the rules read, some of which match and some of which do not."""
    chance = random.Random(seed)
    matchers: dict[str, set[Matcher]] = {}
    for rule in rules:
        for one in selectors(rule.expression) if rule.expression else ():
            matchers.setdefault(one.metric, set()).update(one.matchers)
    return Samples.of(
        one
        for metric in sorted(matchers)
        for labels in _labels(metric, matchers[metric])
        for one in _samples(labels, samples, chance)
    )


def _labels(metric: str, matchers: set[Matcher]) -> Iterator[Labels]:
    texts: dict[str, set[str]] = {}
    for one in matchers:
        texts.setdefault(one.label, set()).update(_fitting(one))
    texts |= {name: set(values) for name, values in APART.items() if name not in texts}
    if metric.endswith("_bucket"):
        texts["le"] = set(BOUNDS)
    if metric.startswith("kube_node_"):
        texts = texts | {"node": {"n1", "n2"}, "instance": {"a"}}
    if metric == "kube_node_spec_taint":
        texts["value"] = {"v"}
    names = sorted(texts)
    for values in product(*(sorted(texts[name])[:3] for name in names)):
        yield {NAME: metric, **{k: v for k, v in zip(names, values, strict=True) if v}}


def _fitting(matcher: Matcher) -> list[str]:
    """Texts that match, and one that does not; of patterns their first alternatives."""
    if matcher.op in ("=", "!="):
        return [matcher.value, "other"] if matcher.label != "job" else [matcher.value]
    if matcher.label == "le":
        return []
    plain = [one.replace("5..", "503").replace(".+", "kube") for one in matcher.value.split("|")]
    return [*plain[:2], "other"]


def _samples(
    labels: Labels, count: int, chance: random.Random
) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    """One series: regular scrapes some of which are missing; maybe it begins late or ends early."""
    begin = chance.choice([0, 0, 0, chance.randrange(count // 2)])
    end = chance.choice([count, count, chance.randrange(count // 2, count)])
    offset = chance.randrange(EVERY_MS)
    hole = chance.randrange(count)
    kept = [
        step
        for step in range(begin, end)
        if chance.random() > 0.05 and not hole <= step < hole + 25
    ]
    if not kept:
        return
    at_ms = np.array([BEGIN_MS + offset + step * EVERY_MS for step in kept], np.int64)
    yield labels, at_ms, _values(labels, len(kept), chance)


def _values(labels: Labels, count: int, chance: random.Random) -> np.ndarray:
    if not COUNTER.fullmatch(labels[NAME]):
        scale = chance.choice([1, 1, 1, 1e8])
        return np.array([scale * (chance.random() < 0.7) for _ in range(count)], float)
    rank = 1 + BOUNDS.index(labels["le"]) if "le" in labels else chance.choice([0, 1, 50])
    value, values = 0.0, []
    for _ in range(count):
        value = 0.0 if chance.random() < 0.01 else value + rank * chance.choice([0, 1, 7, 0.25])
        values.append(value)
    return np.array(values)
