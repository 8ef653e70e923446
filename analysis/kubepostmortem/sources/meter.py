"""How much of what was given is read: in bytes where all sizes are known, else in files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

Progress = Callable[[int, int, bool, str], None]  # done, in all, whether these are bytes, name


class Meter:
    """Adds up what is read of the inputs, and tells `show`."""

    def __init__(self, given: Sequence[object], show: Progress | None) -> None:
        sizes = [_size(one) for one in given]
        self._in_bytes = None not in sizes
        self._total = sum(filter(None, sizes)) if self._in_bytes else len(sizes)
        self._show = show
        self._done = self._size = self._heard = 0
        self._unpacked = 1
        self._name = ""

    def skip(self, size: int) -> None:
        """Take note that a file of so many bytes needs no reading."""
        self._done += size if self._in_bytes else 1

    def begin(self, name: str, size: int, unpacked: int) -> None:
        """Begin with a part of the inputs: its bytes, and about how many they unpack to."""
        self._name, self._size, self._unpacked, self._heard = name, size, max(unpacked, 1), 0
        self._tell()

    def hear(self, unpacked: int) -> None:
        """Take note that so many bytes more of the part were read."""
        self._heard += unpacked
        self._tell()

    def finish(self, files: int) -> None:
        """Take note that the part, so many files, is read."""
        self._done += self._size if self._in_bytes else files
        self._size = 0

    def _tell(self) -> None:
        if self._show:
            part = min(self._heard / self._unpacked, 1.0) * self._size if self._in_bytes else 0
            done = min(self._done + round(part), self._total)
            self._show(done, self._total, self._in_bytes, self._name)


def _size(one: object) -> int | None:
    """Bytes of a file; None for a pipe, a URL and what is fetched."""
    path = Path(one) if isinstance(one, str) else None
    try:
        return path.stat().st_size if path and path.is_file() else None
    except OSError:
        return None
