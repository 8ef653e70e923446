"""However events come - order, files, packing, batches, damage - rows are the same, and counted."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from unittest.mock import patch

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepostmortem.ingest import Outcome, ingest
from kubepostmortem.model import TABLES
from kubepostmortem.store import Store
from planted import KUBELET, lines, request

STAGES = (
    ("RequestReceived", "ResponseComplete"),
    ("RequestReceived", "ResponseStarted", "ResponseComplete"),
    ("ResponseComplete",),
    ("RequestReceived", "Panic"),
    ("RequestReceived",),
)
LINES = [
    line
    for number in range(12)
    for line in lines(
        request(
            f"00000000-0000-4000-8000-{number // 2:012x}",
            stages=STAGES[number % len(STAGES)],
            received=number * 5,
            took=float(number),
            user=["ann", f"system:node:node-{number}"][number % 2],
            agent=[KUBELET, "curl/8.0"][number % 3 == 0],
            ip=f"10.0.0.{number // 4}",
        )
    )
]
GARBAGE = (
    b"no event\n",
    b"\xff\0\xfe\n",
    b'{"kind":"Event"}\n',
    b"[1, 2]\n",
    LINES[0][:77] + b"\n",
)
BLANK = (b"\n", b" \t \r\n")
SMALL = (1, 700, 1 << 28)

few = settings(
    max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
Counts = tuple[int, int, int]  # lines, events (loaded or duplicates), rejected


@dataclass(frozen=True)
class Sizes:
    """Where batches, pieces of files and reads end, in bytes."""

    batch: int
    piece: int
    read: int


WHOLE = Sizes(1 << 28, 1 << 28, 1 << 20)
sizes = st.builds(Sizes, *[st.sampled_from(SMALL)] * 2, st.sampled_from((300, 5000)))
cuts = st.lists(st.integers(0, len(LINES)), max_size=4)


@cache
def scratch() -> Store:
    """A database for many examples, since making one takes its time."""
    return Store.create(Path(tempfile.mkdtemp()) / "incident.duckdb")


@contextmanager
def fresh(given: Sizes) -> Iterator[Store]:
    """The scratch database without a row, and other sizes for a while."""
    for table in TABLES[1:]:
        scratch().run(f'delete from "{table}"')
    sources = "kubepostmortem.sources"
    with ExitStack() as stack:
        stack.enter_context(patch("kubepostmortem.ingest.BATCH_BYTES", given.batch))
        stack.enter_context(patch(f"{sources}.audit_events.PIECE_BYTES", given.piece))
        stack.enter_context(patch(f"{sources}.audit_pieces.PIECE_BYTES", given.piece))
        stack.enter_context(patch(f"{sources}.audit_staging.FOLD_BYTES", 2 * given.piece))
        stack.enter_context(patch(f"{sources}.audit_pieces.BLOCK", given.read))
        yield scratch()


def read(
    contents: Sequence[bytes], given: Sizes, runs: int = 1
) -> tuple[list[Outcome], pl.DataFrame]:
    """Ingest files with these contents; return what became of each, and the requests."""
    with tempfile.TemporaryDirectory() as folder, fresh(given) as store:
        paths = [Path(folder) / f"{number}.log" for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        bounds = [len(paths) * run // runs for run in range(runs + 1)]
        parts = [paths[begin:end] for begin, end in pairwise(bounds)]
        outcomes = [o for part in parts if part for o in ingest(store, part, "prod")]
        rows = store.frame("from requests order by all")
        ledger = store.frame("select lines, loaded, duplicates, filtered, rejected from ledger")
        kept = store.value("select count(*) from rejected_lines")
    assert (ledger["lines"] == ledger.drop("lines").sum_horizontal()).all()
    assert kept == ledger["rejected"].sum()
    return outcomes, rows


@cache
def plain() -> pl.DataFrame:
    return read([b"".join(LINES)], WHOLE)[1].drop("ingest_id")


def expected(text: bytes) -> Counts:
    """What a file holds, told line by line. Without an event it is one record of no format."""
    found = [line for line in text.splitlines(keepends=True) if line.strip()]
    events = sum(line.rstrip() + b"\n" in LINES for line in found)
    rejected = len(found) - events if events else min(len(found), 1)
    return events + rejected, events, rejected


def counted(outcome: Outcome) -> Counts:
    reading = outcome.reading
    events = reading.loaded + reading.duplicates
    return reading.lines, events, sum(reading.rejected.values())


def pack(text: bytes, how: int) -> bytes:
    """Plain, in one gzip member, or in two that part in the middle of a line."""
    middle = len(text) // 2
    members = [[], [text], [text[:middle], text[middle:]]][how]
    return b"".join(map(gzip.compress, members)) if how else text


@few
@given(
    seed=st.integers(0, 999),
    extra=st.lists(st.sampled_from([*LINES, *GARBAGE, *BLANK]), max_size=25),
    cuts=cuts,
    packings=st.lists(st.integers(0, 2), min_size=5, max_size=5),
    sizes=sizes,
    runs=st.integers(1, 3),
)
def test_the_same_rows_come_of_events_in_any_mixture(
    seed: int, extra: list[bytes], cuts: list[int], packings: list[int], sizes: Sizes, runs: int
) -> None:
    mixed = [*LINES, *extra]
    Random(seed).shuffle(mixed)
    bounds = [0, *sorted(cuts), len(mixed)]
    texts = [b"".join(mixed[begin:end]) for begin, end in pairwise(bounds) if any(mixed[begin:end])]
    # A run of nothing but junk is refused, which is no matter of counts.
    texts = [texts[0] + LINES[0], *texts[1:]] if runs == 1 else [text + LINES[0] for text in texts]
    outcomes, rows = read(
        [pack(text, how) for text, how in zip(texts, packings, strict=False)], sizes, runs
    )
    assert rows.drop("ingest_id").equals(plain())
    assert [counted(outcome) for outcome in outcomes] == [expected(text) for text in texts]
    assert sum(outcome.reading.loaded for outcome in outcomes) == len(set(LINES))


@few
@given(places=st.lists(st.integers(0, len(LINES)), min_size=2, max_size=6), sizes=sizes)
def test_it_does_not_matter_where_batches_and_pieces_end(places: list[int], sizes: Sizes) -> None:
    """Files overlap: each event counts for the first one, and so does its request."""
    texts = [b"".join(LINES[place : place + len(LINES) // 2]) + LINES[-1] for place in places]
    outcomes, rows = read(texts, sizes)
    in_one, same = read(texts, WHOLE)
    assert rows.equals(same)
    assert list(map(counted, outcomes)) == list(map(counted, in_one))
    assert [o.reading.loaded for o in outcomes] == [o.reading.loaded for o in in_one]


@few
@given(length=st.integers(0, len(b"".join(LINES))), sizes=sizes)
def test_a_log_that_was_cut_gives_its_whole_lines(length: int, sizes: Sizes) -> None:
    text = b"".join(LINES)[:length]
    (outcome, _), rows = read([text, LINES[0]], sizes)
    assert counted(outcome) == expected(text)
    assert rows.height <= plain().height


@few
@given(share=st.floats(0.0, 1.0), how=st.integers(1, 2), sizes=sizes)
def test_a_packed_log_that_was_cut_gives_whole_lines(share: float, how: int, sizes: Sizes) -> None:
    packed = pack(b"".join(LINES), how)
    (outcome, _), _ = read([packed[: int(len(packed) * share)], LINES[0]], sizes)
    lines_, events, rejected = counted(outcome)
    assert lines_ == events + rejected and rejected <= 2
    assert events <= len(LINES) and (events == len(LINES)) == (share == 1.0)
