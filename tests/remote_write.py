"""Native histograms sent to a real Prometheus: remote write, which wants Protobuf and Snappy."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import httpx
import pyarrow as pa


@dataclass(frozen=True)
class Native:
    """A native histogram: counts of buckets (index to count), index i up to 2^i (schema 0)."""

    at_ms: int
    sum: float
    positive: dict[int, int]
    negative: dict[int, int]
    zero: int = 0

    @property
    def count(self) -> int:
        return sum(self.positive.values()) + sum(self.negative.values()) + self.zero


def send(url: str, metric: str, histograms: Sequence[Native]) -> None:
    """Write samples of one series, in order of time."""
    label = _message((1, b"__name__"), (2, metric.encode()))
    series = _message((1, label), *((4, _histogram(histogram)) for histogram in histograms))
    body = pa.compress(_message((1, series)), codec="snappy", asbytes=True)
    headers = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    answer = httpx.post(f"{url}/api/v1/write", content=body, headers=headers, trust_env=False)
    answer.raise_for_status()


def _histogram(told: Native) -> bytes:
    return _message(
        (1, told.count),
        (3, told.sum),
        (5, 0.001),
        (6, told.zero),
        *_buckets(8, told.negative),
        *_buckets(11, told.positive),
        (15, told.at_ms),
    )


def _buckets(field: int, counts: dict[int, int]) -> Iterable[tuple[int, bytes]]:
    """One span of a single bucket each; counts as differences."""
    before, following = 0, 0
    deltas = b""
    for index, count in sorted(counts.items()):
        yield field, _message((1, _zigzag(index - following)), (2, 1))
        deltas += _varint(_zigzag(count - before))
        before, following = count, index + 1
    yield field + 1, deltas


def _message(*fields: tuple[int, int | float | bytes]) -> bytes:
    return b"".join(_field(number, value) for number, value in fields)


def _field(number: int, value: int | float | bytes) -> bytes:
    if isinstance(value, bytes):
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1
