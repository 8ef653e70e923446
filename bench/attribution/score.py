"""How far a prediction is from the truth.

Both are sets of patterns; they are compared by the keys (component, verb, resource) of the incident
that they match. Keys that a pattern of the truth matches but that the cause did not touch, or not
so that it shows, and side effects of the culprit itself, count neither for nor against:
`(otel-agent, list, *)` and its three LISTs are the same answer if it LISTs nothing else that grew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .incident import Incident, Key, Pattern, Prediction

Keys = frozenset[Key]
SIMILAR = 0.5  # the Jaccard index from which a pattern counts as that of the truth


@dataclass(frozen=True)
class Score:
    """The marks of one prediction.

    `f1` is over keys; `onset_error_s` is None without an onset on both sides, `accused` (a decoy is
    named) without decoys.
    """

    exact: bool
    top1: bool
    top3: bool
    f1: float
    onset_error_s: float | None
    accused: bool | None
    seconds: float = 0.0


@dataclass(frozen=True)
class Summary:
    """Marks of many predictions: shares, the mean F1, onset errors in seconds, mean seconds."""

    incidents: int
    exact: float
    top1: float
    top3: float
    f1: float
    onset_median_s: float
    onset_p90_s: float
    accused: float
    seconds: float


def score(incident: Incident, prediction: Prediction, seconds: float = 0.0) -> Score:
    """Hold one prediction against the truth of its incident."""
    truth = incident.truth
    if not truth.patterns:
        silent = not prediction.patterns
        return Score(
            silent, silent, silent, float(silent), None, _accused(incident, prediction), seconds
        )
    keys = incident.keys()
    matched = expand(truth.patterns, keys)
    wanted = matched & truth.planted
    ignored = (matched | expand(truth.optional, keys)) - wanted
    named = expand(prediction.patterns, keys) - ignored
    parts = [expand([pattern], keys) & wanted for pattern in truth.patterns]
    ranked = [expand([pattern], keys) - ignored for pattern in prediction.patterns]
    hits = [_hit(cells, wanted, parts) for cells in ranked if cells][:3]
    return Score(
        named == wanted,
        any(hits[:1]),
        any(hits),
        f1(named, wanted),
        _onset_error_s(incident, prediction),
        _accused(incident, prediction),
        seconds,
    )


def expand(patterns: Iterable[Pattern], keys: Iterable[Key]) -> Keys:
    """The keys that one of the patterns matches."""
    patterns = tuple(patterns)
    return frozenset(key for key in keys if any(one.matches(key) for one in patterns))


def f1(named: Keys, wanted: Keys) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * len(named & wanted) / max(len(named) + len(wanted), 1)


def summary(scores: Sequence[Score]) -> Summary:
    """The marks of many; NaN where no incident has the mark."""
    onsets = [one.onset_error_s for one in scores if one.onset_error_s is not None]
    return Summary(
        len(scores),
        _mean([one.exact for one in scores]),
        _mean([one.top1 for one in scores]),
        _mean([one.top3 for one in scores]),
        _mean([one.f1 for one in scores]),
        float(np.median(onsets)) if onsets else float("nan"),
        float(np.quantile(onsets, 0.9)) if onsets else float("nan"),
        _mean([one.accused for one in scores if one.accused is not None]),
        _mean([one.seconds for one in scores]),
    )


def _hit(named: Keys, wanted: Keys, parts: Sequence[Keys]) -> bool:
    """Whether a pattern lies within the truth, or is much the same as one of its patterns."""
    return named <= wanted or any(len(named & p) >= SIMILAR * len(named | p) for p in parts)


def _onset_error_s(incident: Incident, prediction: Prediction) -> float | None:
    if incident.truth.onset is None or prediction.onset is None:
        return None
    return abs(prediction.onset - incident.truth.onset) * incident.axis.width_s


def _accused(incident: Incident, prediction: Prediction) -> bool | None:
    if not incident.truth.innocents:
        return None
    return any(one.component in incident.truth.innocents for one in prediction.patterns)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
