"""The scanner finds the records of any JSON text, however it is cut into blocks."""

from __future__ import annotations

import io
import json
from itertools import chain, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import json_scan
from kubepostmortem.sources.json_scan import TOO_LONG, records

KEY = "items"

many = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


class Dribble(io.BytesIO):
    """A stream that gives only a few bytes at once."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.size = size

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(self.size)


@pytest.fixture(autouse=True, scope="module")
def no_gathering():
    """Scan each piece by itself, as small as it comes."""
    before, json_scan.BLOCK = json_scan.BLOCK, 1
    yield
    json_scan.BLOCK = before


def spans(text: bytes, by_line: bool, size: int = 1 << 20) -> list[tuple[int, bytes]]:
    """Offset and text of each record."""
    parts = list(records(Dribble(text, size), KEY, by_line=by_line))
    return [
        (part.offset + begin, part.data[begin:end])
        for part in parts
        for begin, end in zip(part.begins.tolist(), part.ends.tolist(), strict=True)
    ]


def found(text: bytes, by_line: bool, size: int = 1 << 20) -> list:
    """The values of all records; each must stand where its offset says."""
    told = spans(text, by_line, size)
    assert all(text[at:].startswith(record) for at, record in told)
    return [json.loads(record) for _, record in told]


# What a text is made of

letters = st.text(alphabet='{}[]",:\\/ \n\té日😀\ud83dab', max_size=12)
keys = st.sampled_from([KEY, "item", "items ", "", '"items":[', "a"]) | letters
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | letters
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=4)
beside = st.dictionaries(keys.filter(lambda key: key != KEY), values, max_size=2)


def wrapping(inner: st.SearchStrategy) -> st.SearchStrategy:
    """Objects that hold such records, and whatever else before and after these."""
    return st.builds(
        lambda before, held, after: before | {KEY: held} | after,
        beside,
        st.lists(inner, max_size=4),
        beside,
    )


either = objects | wrapping(values)
documents = either | st.lists(either | scalars | st.lists(values), max_size=4)
# Per line, whatever is no object or array runs to the end of its line.
one_line = beside | wrapping(objects) | st.lists(beside | wrapping(objects), max_size=4)
broken = st.sampled_from([b'{"a', b'[{"', b"}", b'"', b"]}", b"[", b'{"items":[{'])
styles = st.sampled_from(
    [{"separators": (",", ":")}, {}, {"indent": 1}, {"separators": (" ,\r", " :\n")}]
)


def unwrapped(document) -> list:
    """The records of a document, as the scanner's own words define them."""
    if isinstance(document, list):
        return list(chain.from_iterable(_held(element) for element in document))
    return _held(document)


def _held(value) -> list:
    held = value.get(KEY) if isinstance(value, dict) else None
    return held if isinstance(held, list) else [value]


def written(document, **style) -> bytes:
    text = json.dumps(document, ensure_ascii=False, **style)
    return text.encode("utf-8", errors="replace")


def as_written(document):
    """A document without what UTF-8 cannot hold."""
    return json.loads(written(document))


@many
@given(
    st.lists(st.tuples(documents, styles), max_size=4),
    st.sampled_from(["", "\n", " , ", "\r\n\r\n"]),
    st.integers(1, 40),
)
def test_records_are_found_in_any_wrapping(parts, between, size):
    text = between.encode().join(written(document, **style) for document, style in parts)

    expected = [record for document, _ in parts for record in unwrapped(as_written(document))]
    assert found(text, False, size) == expected


@many
@given(
    st.lists(one_line | broken, max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\n\n \n"]),
    st.integers(1, 40),
)
def test_a_damaged_line_spoils_only_itself(parts, end, size):
    lines = [part if isinstance(part, bytes) else written(part) for part in parts]
    offsets = [sum(len(line) + len(end) for line in lines[:n]) for n in range(len(lines) + 1)]
    told = spans(end.join(lines), True, size)

    for n, part in enumerate(parts):
        if not isinstance(part, bytes):
            here = [json.loads(text) for at, text in told if offsets[n] <= at < offsets[n + 1]]
            assert here == unwrapped(as_written(part))


@many
@given(
    st.binary(max_size=80) | st.text(alphabet='{}[]",:\\ \nia', max_size=80).map(str.encode),
    st.booleans(),
    st.integers(1, 9),
)
def test_any_bytes_give_the_same_records_whatever_the_blocks(text, by_line, size):
    told = spans(text, by_line)

    assert told == spans(text, by_line, size)
    ends = [(at, at + len(record)) for at, record in told]
    assert all(begin < end for begin, end in ends)
    assert all(before[1] <= after[0] for before, after in pairwise(ends))


@pytest.mark.parametrize("by_line", [True, False])
@pytest.mark.parametrize("text", [b"1 1", b"1 1 1", b"{}{}{", b"1]1]1", b"1\n1\n1", b"a"])
def test_the_smallest_records_have_room(text, by_line):
    assert sum(len(record) for _, record in spans(text, by_line)) <= len(text)


@pytest.mark.parametrize("by_line", [True, False])
def test_a_byte_order_mark_is_no_record(by_line):
    assert spans(b'\xef\xbb\xbf{"a":1}\n', by_line) == [(3, b'{"a":1}')]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_zeros_between_records_are_blanks(size):
    assert found(b'{"a":1}\n' + b"\0" * 4096 + b'{"a":2}\n', True, size) == [{"a": 1}, {"a": 2}]


def test_a_text_that_was_cut_gives_the_records_before_the_cut():
    text = written({"kind": "List", KEY: [{"n": n} for n in range(9)]})
    for size in range(len(text)):
        told = [record for _, record in spans(text[:size], False)]
        whole = [n for n in range(9) if text.find(b'{"n": %d}' % n) + len('{"n": 1}') <= size]
        assert [json.loads(record)["n"] for record in told[: len(whole)]] == whole
        assert len(told) <= len(whole) + 1


def test_a_record_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(json_scan, "LONGEST", 1000)

    parts = list(records(Dribble(b'[{"a":1},"' + b"x" * 9000, 100), KEY, by_line=False))

    assert parts[-1] == TOO_LONG
    assert sum(len(part.begins) for part in parts[:-1]) == 1
