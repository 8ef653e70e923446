"""What a real Prometheus says of the same samples."""

from __future__ import annotations

import json
import math
import struct
from collections import defaultdict
from collections.abc import Iterator

import httpx
import numpy as np
import pyarrow as pa

from kubepostmortem.alerts.evaluating import evaluate
from kubepostmortem.alerts.printing import promql
from kubepostmortem.alerts.series import NAME, Integers, Labels, Samples, Vector, key
from kubepostmortem.alerts.states import Spell, spells
from kubepostmortem.alerts.syntax import Expression
from remote_write import _message

STALE = struct.pack("<Q", 0x7FF0000000000002)
Values = dict[tuple[tuple[str, str], ...], dict[int, float]]


def openmetrics(samples: Samples) -> str:
    """All samples as OpenMetrics; it takes no marks of ended series."""
    lines = [
        f"{labels[NAME]}{_braces(labels)} {value!r} {at_ms / 1000!r}"
        for labels, at_ms, value in _each(samples)
        if not math.isnan(value)
    ]
    return "\n".join([*lines, "# EOF\n"])


def send(url: str, samples: Samples) -> None:
    """Write all samples remotely, marks of ended series too."""
    series: dict[int, list[bytes]] = defaultdict(list)
    for place in range(len(samples.labels)):
        own = slice(samples.begins[place], samples.begins[place + 1])
        for at_ms, value in zip(samples.at_ms[own], samples.values[own], strict=True):
            number = STALE if math.isnan(value) else struct.pack("<d", value)
            series[place].append(bytes([1 << 3 | 1]) + number + _message((2, int(at_ms))))
    body = _message(
        *(
            (1, _message(*(_pairs(samples.labels[place])), *((2, one) for one in found)))
            for place, found in series.items()
        )
    )
    headers = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    packed = pa.compress(body, codec="snappy", asbytes=True)
    answer = httpx.post(
        f"{url}/api/v1/write", content=packed, headers=headers, trust_env=False, timeout=60
    )
    answer.raise_for_status()


def theirs(url: str, expression: Expression, moments_ms: Integers) -> Values:
    """Values of Prometheus by labels and moment."""
    step_s = int(moments_ms[1] - moments_ms[0]) / 1000
    asked = {
        "query": promql(expression),
        "start": str(moments_ms[0] / 1000),
        "end": str(moments_ms[-1] / 1000),
        "step": str(step_s),
    }
    answer = httpx.post(f"{url}/api/v1/query_range", data=asked, trust_env=False, timeout=60)
    told = answer.json()
    assert told["status"] == "success", told
    return {
        key(one["metric"]): {round(t * 1000): float(value) for t, value in one["values"]}
        for one in told["data"]["result"]
    }


def ours(samples: Samples, expression: Expression, moments_ms: Integers) -> Values:
    """Our values, in the same form."""
    found = evaluate(expression, samples, moments_ms)
    return {
        key(labels): dict(zip(moments_ms[there].tolist(), values[there].tolist(), strict=True))
        for labels, values, there in zip(found.labels, found.values, found.there, strict=True)
    }


def assert_equal(mine: Values, real: Values) -> None:
    """The same series, at the same moments, with the same values."""
    assert mine.keys() == real.keys()
    for labels, values in real.items():
        assert mine[labels].keys() == values.keys(), labels
        found = [mine[labels][moment] for moment in values]
        np.testing.assert_allclose(found, list(values.values()), rtol=1e-9, err_msg=str(labels))


def intervals(values: Values, moments_ms: Integers, hold_ms: int) -> list[Spell]:
    """Pending and firing, told from values at moments."""
    rows = [np.isin(moments_ms, list(found)) for found in values.values()]
    there = np.array(rows, bool).reshape(len(rows), len(moments_ms))
    return spells(Vector([dict(one) for one in values], there * 1.0, there), moments_ms, hold_ms)


def _each(samples: Samples) -> Iterator[tuple[Labels, int, float]]:
    for place, labels in enumerate(samples.labels):
        own = slice(samples.begins[place], samples.begins[place + 1])
        for at_ms, value in zip(samples.at_ms[own], samples.values[own], strict=True):
            yield labels, int(at_ms), float(value)


def _braces(labels: Labels) -> str:
    said = ",".join(f"{name}={json.dumps(text)}" for name, text in labels.items() if name != NAME)
    return f"{{{said}}}" if said else ""


def _pairs(labels: Labels) -> list[tuple[int, bytes]]:
    named = sorted(labels.items())
    return [(1, _message((1, name.encode()), (2, text.encode()))) for name, text in named]
