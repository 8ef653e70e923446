"""A folder for what must be unpacked or fetched before it is read; gone when the work is done."""

from __future__ import annotations

import fcntl
import io
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import IO, Any, BinaryIO

from kubepostmortem.errors import CannotWrite
from kubepostmortem.sources.packing import PIECE, TooLarge

EXPANSION = 250  # times its own size that an input may unpack to, where the user sets no limit
SMALL = 1 << 30  # bytes that any input may unpack to
PREFIX = "kubepostmortem-"
YOUNG_S = 60  # a folder that was just made may not be locked yet

_open: set[Path] = set()


@dataclass(frozen=True)
class Spool:
    """A folder of files with made-up names: those of an archive never become paths.

    expansion: how many times its own size an input may unpack to.
    """

    folder: Path
    expansion: int = EXPANSION
    _numbers: Iterator[int] = field(default_factory=count, compare=False)

    def place(self) -> Path:
        """Return the path of a file that does not exist yet."""
        return self.folder / f"{next(self._numbers)}"

    def keep(self, content: BinaryIO | IO[bytes], most: int) -> Path:
        """Write what a stream holds to a file of its own.

        Raises TooLarge beyond `most` bytes, CannotWrite, and what reading the stream raises.
        """
        path = self.place()
        try:
            with appending(path) as copy:
                while piece := content.read(PIECE):
                    if copy.tell() + len(piece) > most:
                        raise TooLarge
                    copy.write(piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def keep_part(self, source: Path, begin: int, end: int) -> Path:
        """Copy these bytes of a file to a file of their own. Raises CannotWrite, OSError."""
        path = self.place()
        with source.open("rb") as original, appending(path) as copy:
            original.seek(begin)
            while begin < end and (piece := original.read(min(PIECE, end - begin))):
                copy.write(piece)
                begin += len(piece)
        return path

    def most(self, size: int) -> int:
        """Return how many bytes an input of this size may unpack to."""
        return max(SMALL, size * self.expansion)

    def release(self, path: Path) -> None:
        """Remove a file if it lies in this folder."""
        if path.parent == self.folder:
            path.unlink(missing_ok=True)


@contextmanager
def appending(path: Path) -> Iterator[BinaryIO]:
    """Open a file of the spool to write at its end. A full disk is CannotWrite.

    Unlike an OSError, it is never taken for damage of the input that is being read.
    """
    with io.BufferedWriter(_Raw(path), PIECE) as file:
        yield file


@contextmanager
def spool(expansion: int = EXPANSION) -> Iterator[Spool]:
    """Give a folder below TMPDIR, and remove it with all that is in it at the end.

    What a program leaves that was killed, the next one removes. Raises CannotWrite.
    """
    _remove_abandoned()
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as failed:
        raise CannotWrite.because(failed.filename or tempfile.tempdir, failed) from failed
    held = _lock(folder)
    _open.add(folder)
    try:
        yield Spool(folder, expansion)
    finally:
        rmtree(folder, ignore_errors=True)
        _open.discard(folder)
        if held is not None:
            os.close(held)


def remove_spools() -> None:
    """Remove the folders of this process, which is about to end in mid-work."""
    for folder in tuple(_open):
        with suppress(OSError):  # under another name, no thread puts new files there
            rmtree(folder.rename(f"{folder}-gone"), ignore_errors=True)


class _Raw(io.FileIO):
    """A file whose writing fails as CannotWrite."""

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(path, "ab")
        except OSError as failed:
            raise CannotWrite.because(path, failed) from failed

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as failed:
            raise CannotWrite.because(self.name, failed) from failed


def _lock(folder: Path) -> int | None:
    """Lock a folder until the process ends or closes what this returns; None: it is locked.

    Process numbers would not do: containers that share a folder have their own.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # also where a network file system has no locks
        os.close(held)
        return None
    return held


def _remove_abandoned() -> None:
    """Remove the folders whose process was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < YOUNG_S:
                continue
            if (held := _lock(folder)) is not None:
                rmtree(folder, ignore_errors=True)
                os.close(held)
