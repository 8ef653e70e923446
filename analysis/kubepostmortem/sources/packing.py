"""Compression: told by the first bytes, undone while reading, and limited against bombs."""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

import zstandard
from isal import igzip_lib

PIECE = 1 << 20
WIDEST_WINDOW = 1 << 31  # bytes; what `zstd --long=31` needs
MAGIC = {
    "gzip": b"\x1f\x8b",
    "zstd": b"\x28\xb5\x2f\xfd",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\x00",
}
UNPACKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP),
    "zstd": lambda: _Zstd(),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}
# Bytes to unpack at once. A bomb must not burst before anybody has counted: zstd, which cannot be
# told how much to give, makes 128 KiB of 4 bytes.
MOUTHFUL = {"gzip": 1 << 16, "zstd": 1 << 9, "bzip2": 1 << 14, "xz": 1 << 14}


CUT_OFF = "cut off: the compressed file ends early"
TOO_LARGE = "unpacks to more than the limit; if it is no bomb, raise --max-expansion"


class TooLarge(EOFError):
    """A file unpacks to more than it may: a decompression bomb, or a limit set too low."""


# What reading a damaged packed file raises; bzip2 reports damage as OSError or ValueError.
DAMAGED: tuple[type[Exception], ...] = (
    EOFError,
    igzip_lib.error,  # type: ignore[assignment]  # its stub calls the class an instance
    lzma.LZMAError,
    zstandard.ZstdError,
    OSError,
    ValueError,
)


def packing_of(head: bytes) -> str | None:
    """Name the compression that these first bytes tell of; None: not compressed."""
    return next((name for name, magic in MAGIC.items() if head.startswith(magic)), None)


def unpacked(path: Path, packings: tuple[str, ...], most: int) -> BinaryIO:
    """Open a file under these packings, outermost first; more than `most` bytes are TooLarge.

    What a damaged file still gives comes out before the error does.
    """
    stream: BinaryIO = path.open("rb")
    for packing in packings:
        stream = io.BufferedReader(_Unpacked(stream, packing, most), PIECE)
    return stream


def pieces(
    stream: BinaryIO | IO[bytes],
    size: int = PIECE,
    trouble: tuple[type[Exception], ...] = DAMAGED,
) -> Iterator[bytes | str]:
    """Yield content in pieces, and last of all the reason, where a packed file breaks off.

    trouble: what reading raises where the file is damaged.
    """
    while True:
        try:
            piece = stream.read1(size)  # type: ignore[union-attr]
        except TooLarge:
            yield TOO_LARGE
            return
        except trouble:
            yield CUT_OFF
            return
        if not piece:
            return
        yield piece


class _Unpacked(io.RawIOBase):
    """One packing undone, as a raw stream."""

    def __init__(self, below: BinaryIO, packing: str, most: int) -> None:
        self._below = below
        self._content = _unpack(below, packing)
        self._waiting = memoryview(b"")
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._waiting and self._left >= 0:
            self._waiting = memoryview(next(self._content, b""))
            self._left -= len(self._waiting)
        if self._left < 0:  # whoever reads on after the error gets it again
            raise TooLarge
        taken = self._waiting[: len(buffer)]
        buffer[: len(taken)] = taken
        self._waiting = self._waiting[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self._below.close()
        super().close()


def _unpack(below: BinaryIO, packing: str) -> Iterator[bytes]:
    """Yield what is in the packed members of a stream, one after another."""
    unpacker = None
    rest = b""
    while data := rest or below.read(MOUTHFUL[packing]):
        rest = b""
        if unpacker is None:
            data = data.lstrip(b"\0")  # tapes and disks pad with zeros
            if not data:
                continue
            unpacker = UNPACKERS[packing]()
        yield from _contents(unpacker, data)
        if unpacker.eof:
            rest, unpacker = unpacker.unused_data, None
    if unpacker is not None:
        raise EOFError(f"the {packing} data ends early")


def _contents(unpacker: Any, data: bytes) -> Iterator[bytes]:
    """Yield what these packed bytes hold, in pieces of bounded size."""
    while True:
        if content := unpacker.decompress(data, PIECE):
            yield content
        if unpacker.eof or unpacker.needs_input:
            return
        data = b""


class _Zstd:
    """zstd behind the interface of the other unpackers."""

    needs_input = True

    def __init__(self) -> None:
        unpacker = zstandard.ZstdDecompressor(max_window_size=WIDEST_WINDOW)
        self._unpacker = unpacker.decompressobj()

    def decompress(self, data: bytes, _: int) -> bytes:
        return self._unpacker.decompress(data)

    @property
    def eof(self) -> bool:
        return self._unpacker.eof

    @property
    def unused_data(self) -> bytes:
        return self._unpacker.unused_data
