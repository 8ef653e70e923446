"""Where the records of a JSON text begin and end, without building their values.

Wrapped audit logs come as arrays, as objects that hold an array, as such objects one per line or
one right after another, gigabytes of them, pretty or compact. One pass over the bytes finds the
records whatever the wrapping; its loop is inherent (every byte depends on the one before) and
compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kubepostmortem.sources.packing import pieces

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLOCK = 1 << 24  # bytes scanned at once
LONGEST = 1 << 28  # bytes of a record; beyond it, nothing tells where another one begins
TOO_LONG = f"a record of more than {LONGEST >> 20} MiB: it and what follows were not read"
QUOTE, BACKSLASH, NEWLINE = ord('"'), ord("\\"), ord("\n")
OPEN_OBJECT, CLOSE_OBJECT = ord("{"), ord("}")
OPEN_ARRAY, CLOSE_ARRAY = ord("["), ord("]")
COMMA, COLON, SPACE = ord(","), ord(":"), ord(" ")
# What the scanner knows at a place outside of all strings and records.
DEPTH, IN_TOP_ARRAY, IN_RECORDS, HAD_RECORDS = range(4)


@dataclass(frozen=True)
class Records:
    """Part of a text, where it begins in the content, and its records as half-open spans."""

    data: bytes
    offset: int
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]


def records(stream: BinaryIO, key: str, *, by_line: bool) -> Iterator[Records | str]:
    """Yield the records of a JSON text, in parts; at last why they end early, if so.

    A record is an element of the array under `key` of a top-level object; a top-level object
    without such an array is a record itself. A top-level array is looked through. by_line: no
    value goes on after a line's end, so what is damaged spoils its own line only.
    """
    name = np.frombuffer(f'"{key}"'.encode(), dtype=np.uint8)
    state = np.zeros(4, dtype=np.int64)
    waiting, offset = b"", 0
    for block in _blocks(stream):
        if isinstance(block, str):
            yield from _last(waiting, offset, name, state, by_line)
            yield block
            return
        data = waiting + block
        if not offset and data.startswith(BYTE_ORDER_MARK):
            data = b"   " + data[3:]  # blanks, so that offsets stay
        begins, ends, done = _spans(data, name, state, by_line, last=False)
        yield Records(data, offset, begins, ends)
        waiting, offset = data[done:], offset + done
        if len(waiting) > LONGEST:
            yield TOO_LONG
            return
    yield from _last(waiting, offset, name, state, by_line)


def _blocks(stream: BinaryIO) -> Iterator[bytes | str]:
    """Gather pieces to blocks, so that a long record is not scanned again for each piece."""
    block: list[bytes] = []
    size = 0
    for piece in pieces(stream):
        if isinstance(piece, str):
            yield b"".join(block)
            yield piece
            return
        block.append(piece)
        size += len(piece)
        if size >= BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


def _last(
    waiting: bytes, offset: int, name: NDArray[np.uint8], state: NDArray[np.int64], by_line: bool
) -> Iterator[Records]:
    begins, ends, _ = _spans(waiting, name, state, by_line, last=True)
    yield Records(waiting, offset, begins, ends)


def _spans(
    data: bytes,
    name: NDArray[np.uint8],
    state: NDArray[np.int64],
    by_line: bool,
    *,
    last: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the spans of records, and how far the text is done with; updates the state."""
    text = np.frombuffer(data, dtype=np.uint8)
    begins = np.empty(len(data) // 2 + 1, dtype=np.int64)
    ends = np.empty_like(begins)
    found, done = _scan(text, name, state, by_line, last, begins, ends)
    return begins[:found].copy(), ends[:found].copy(), done


@njit(cache=True, nogil=True)
def _scan(text, name, state, by_line, last, begins, ends):  # type: ignore[no-untyped-def]
    depth, in_top = state[DEPTH], state[IN_TOP_ARRAY]
    in_records, had_records = state[IN_RECORDS], state[HAD_RECORDS]
    found = 0
    anchor = 0  # all before it is done with; the state was kept there
    begin = -1  # of the record that is open
    junk = False  # the open record is no object: it ends at a comma or blank
    in_string = False
    escaped = False
    string_begin = 0
    named = False  # the last string is the key
    i = 0
    size = len(text)
    while i < size:
        c = text[i]
        level = depth - in_top - 2 * in_records
        if in_string:
            # Most bytes are inside of strings: a short way for them.
            while i < size and not escaped and c != BACKSLASH and c != QUOTE and c != NEWLINE:
                i += 1
                if i < size:
                    c = text[i]
            if i == size:
                break
            if escaped:
                escaped = False
            elif c == BACKSLASH:
                escaped = True
            elif c == QUOTE:
                in_string = False
                if begin < 0 or (level == 1 and not in_records):
                    named = i + 1 - string_begin == len(name)
                    if named:
                        for k in range(len(name)):
                            if text[string_begin + k] != name[k]:
                                named = False
                                break
            elif c == NEWLINE and by_line:
                in_string = False
                i -= 1  # the line's end is looked at again, outside of the string
        elif c == NEWLINE and by_line:
            if begin >= 0:
                begins[found], ends[found] = begin, i
                found += 1
            begin, junk = -1, False
            depth = in_top = in_records = had_records = 0
        elif begin >= 0 and junk and (c in (COMMA, CLOSE_ARRAY) or c <= SPACE) and not by_line:
            begins[found], ends[found] = begin, i
            found += 1
            begin, junk = -1, False
            continue
        elif junk:
            pass
        elif c == QUOTE:
            in_string, escaped, string_begin = True, False, i
            if begin < 0 and level == 0:
                begin, junk = i, True
        elif c == OPEN_OBJECT:
            if begin < 0 and level == 0:
                begin = i
                had_records = 0
            depth += 1
        elif c == OPEN_ARRAY:
            if depth == 0 and begin < 0:
                in_top = 1
            elif level == 1 and named and not in_records and not had_records:
                # The object holds records, so it is none itself.
                in_records, had_records = 1, 1
                begin = -1
            elif begin < 0 and level == 0:
                begin = i
            depth += 1
        elif c in (CLOSE_OBJECT, CLOSE_ARRAY):
            if depth > 0:
                depth -= 1
            if in_records and depth == in_top + 1:
                in_records = 0
            elif depth == 0 and in_top and begin < 0:
                in_top = 0
            elif depth == in_top + 2 * in_records:
                if begin >= 0:
                    begins[found], ends[found] = begin, i + 1
                    found += 1
                begin = -1
                had_records = 0
        elif c > SPACE and c != COMMA and c != COLON and begin < 0 and level == 0:
            begin, junk = i, True
        if c != COLON and c > SPACE and not in_string and c != QUOTE:
            named = False
        i += 1
        if begin < 0 and not in_string and not named:
            anchor = i
            state[DEPTH], state[IN_TOP_ARRAY] = depth, in_top
            state[IN_RECORDS], state[HAD_RECORDS] = in_records, had_records
    if last and begin >= 0:
        begins[found], ends[found] = begin, size
        found += 1
        anchor = size
    return found, anchor
