"""Pipes: read so that a signal is heard while nothing comes."""

from __future__ import annotations

import io
from select import select
from typing import BinaryIO, cast

PATIENCE_S = 0.5


def awake(pipe: BinaryIO) -> BinaryIO:
    """Return a pipe's content as a stream that looks up twice a second.

    Why: Python hears a signal between two steps of its own; one that comes just before a read
    begins to wait would be heard when something arrives, which may be never.
    """
    try:
        pipe.fileno()
    except (OSError, ValueError):  # a stand-in for a pipe, which never waits
        return pipe
    return cast(BinaryIO, io.BufferedReader(_Awake(pipe)))


class _Awake(io.RawIOBase):
    """The raw side of a pipe."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray, /) -> int:  # type: ignore[override]
        while not select([self._pipe], [], [], PATIENCE_S)[0]:
            pass
        piece: bytes = getattr(self._pipe, "raw", self._pipe).read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._pipe.close()
        super().close()
