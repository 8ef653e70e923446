"""What an answer of the Prometheus HTTP API says: its series, or why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubepostmortem.sources.json_content import excerpt
from kubepostmortem.sources.source import Rejection

NO_SERIES = "not a series: labels and pairs of time and value"


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer; stamps are seconds since 1970, values texts."""

    labels: dict[str, str]
    stamps: Sequence[float]
    values: Sequence[str]
    histograms: Sequence[Native]


@dataclass(frozen=True, slots=True)
class Native:
    """A native histogram; buckets are pairs of the upper bound and the count within."""

    stamp: float
    count: float
    sum: float
    buckets: Sequence[tuple[float, float]]


def read_answer(answer: Any) -> Iterator[Series | Rejection]:
    """Yield the series of a matrix or vector, and what cannot be used."""
    data = answer.get("data") if isinstance(answer, dict) else None
    results = data.get("result") if isinstance(data, dict) else None
    if reason := _refused(answer, data, results):
        yield Rejection(reason, excerpt(answer))
    else:
        yield from map(_series, results or ())


def _refused(answer: Any, data: Any, results: Any) -> str | None:
    """Why an answer holds no series, where it holds none."""
    if isinstance(answer, dict) and answer.get("status") == "error":
        return f"the API answered {answer.get('errorType')}: {answer.get('error')}"
    if isinstance(data, dict) and data.get("resultType") in ("scalar", "string"):
        return f"a {data['resultType']}: the answer does not tell of which series"
    return None if isinstance(results, list) else "no query results"


def _series(result: Any) -> Series | Rejection:
    """One entry of a matrix (`values`) or a vector (`value`)."""
    try:
        labels = {key: str(value) for key, value in result["metric"].items()}
        pairs = result.get("values") or ([result["value"]] if "value" in result else [])
        stamps, values = zip(*pairs, strict=True) if pairs else ((), ())
        native = result.get("histograms") or (
            [result["histogram"]] if "histogram" in result else []
        )
        histograms = [_histogram(*pair) for pair in native]
        return Series(labels, [*map(float, stamps)], [*map(str, values)], histograms)
    except (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError):
        return Rejection(NO_SERIES, excerpt(result))


def _histogram(stamp: Any, told: Any) -> Native:
    """Read what the API tells: {count, sum, buckets: [[rule, lower, upper, count], ...]}."""
    buckets = [(float(upper), float(count)) for _, _, upper, count in told.get("buckets") or ()]
    return Native(float(stamp), float(told["count"]), float(told["sum"]), buckets)
