"""What the user gave - files, folders, patterns, archives, pipes, URLs - as files to read."""

from __future__ import annotations

import glob
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.sources import remote
from kubepostmortem.sources.archives import TROUBLE, is_archive, members
from kubepostmortem.sources.fetching import Fetch, Known
from kubepostmortem.sources.files import NO_LIMIT, InputFile
from kubepostmortem.sources.packing import TOO_LARGE, pieces
from kubepostmortem.sources.pipes import awake
from kubepostmortem.sources.spool import Spool, appending

STDIN = "-"
DEEPEST = 5  # archives within archives
TOO_DEEP = f"more than {DEEPEST} archives within one another"
UNLISTED = "cannot be read: the folder may not be listed"
MEMBER_PIECE = 1 << 14  # bytes of a damaged archive that may be lost


def listed(given: Sequence[Path | str]) -> list[str]:
    """Name every file that is meant: folders walked, patterns expanded, sorted within each.

    URLs and - (standard input) stay as they are. Raises NoUsableInput where nothing is there.
    """
    found: dict[str, None] = {}
    for one in map(str, given):
        found.update(dict.fromkeys(_meant(one)))
    return list(found)


def find(given: Sequence[str | Fetch], spool: Spool, known: Known) -> Iterator[InputFile]:
    """Yield every file to read, what archives hold included; what is known is not fetched."""
    for one in given:
        for file in _opened(one, spool, known):
            yield from _within(file, spool, DEEPEST)


def _meant(one: str) -> list[str]:
    path = Path(one)
    if one == STDIN or remote.is_remote(one):
        return [one]
    if path.is_dir():
        return sorted(map(str, _files_under(path, set())))
    if path.exists():
        return [one]
    if fitting := sorted(filter(os.path.exists, glob.glob(one, recursive=True))):  # noqa: PTH207
        return [name for fit in fitting for name in _meant(fit)]
    raise NoUsableInput(f"no such file or folder: {one}")


def _files_under(folder: Path, seen: set[str]) -> Iterator[Path]:
    """Walk a folder and what its links lead to, each folder once however links go round."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        entries = list(folder.iterdir())
    except OSError:
        yield folder  # so that the ledger says that it could not be read
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files_under(entry, seen)
        elif entry.is_file():
            yield entry


def _opened(one: str | Fetch, spool: Spool, known: Known) -> Iterator[InputFile]:
    if not isinstance(one, str):
        yield from one.files(spool, known)
    elif remote.is_remote(one):
        yield from _fetched(one, spool, known)
    elif one == STDIN or not Path(one).is_file():
        yield _from_pipe(one, spool)
    else:
        path = Path(one)
        yield _look(path, one, spool)


def _look(path: Path, label: str, spool: Spool) -> InputFile:
    label = _readable(label)
    try:
        return InputFile.look(path, label=label, most=spool.most(path.stat().st_size))
    except OSError as wrong:
        return _unreadable(path, label, wrong)


def _readable(name: str) -> str:
    r"""Show the bytes of a file name that are no UTF-8 as \xff: nothing else can hold them."""
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def _unreadable(path: Path, label: str, wrong: OSError) -> InputFile:
    reason = UNLISTED if path.is_dir() else f"cannot be read: {wrong.strerror}"
    return InputFile.refuse(path, label, reason)


def _from_pipe(one: str, spool: Spool) -> InputFile:
    try:
        pipe = sys.stdin.buffer if one == STDIN else Path(one).open("rb")  # noqa: SIM115
    except OSError as wrong:
        return _unreadable(Path(one), one, wrong)
    with awake(pipe) as content:
        stored = spool.keep(content, NO_LIMIT)
    size = stored.stat().st_size
    return InputFile.look(
        Path(one), stored=stored, modified_ns=time.time_ns(), most=spool.most(size)
    )


def _fetched(url: str, spool: Spool, known: Known) -> Iterator[InputFile]:
    for there in remote.listing(url):
        if format_ := known(there.url, there.size, there.modified_ns):
            yield InputFile.read_before(there.url, format_)
            continue
        stored = spool.place()
        remote.download(there, stored)
        yield InputFile.look(
            Path(there.url),
            label=there.url,
            stored=stored,
            modified_ns=there.modified_ns,
            most=spool.most(there.size),
        )


def _within(file: InputFile, spool: Spool, deeper: int) -> Iterator[InputFile]:
    """Yield the file itself, or what the archive holds that it is."""
    if not is_archive(file):
        yield file
        return
    if not deeper:
        spool.release(file.stored)
        yield InputFile.refuse(file.path, file.label, TOO_DEEP)
        return
    left = file.most  # for all that the archive holds together
    for member in members(file, spool):
        path, label = file.path / member.name, f"{file.label}/{member.name}".rstrip("/")
        if member.content is None:
            yield InputFile.refuse(path, label, str(member.refused))
            continue
        stored, wrong = _copied(member.content, spool, left)
        left -= stored.stat().st_size
        if wrong == TOO_LARGE:
            spool.release(stored)
        else:
            inner = InputFile.look(
                path, label=label, stored=stored, modified_ns=file.modified_ns, most=left
            )
            yield from _within(inner, spool, deeper - 1)
        if wrong:
            yield InputFile.refuse(path, label, wrong)
    spool.release(file.stored)


def _copied(content: BinaryIO | IO[bytes], spool: Spool, most: int) -> tuple[Path, str | None]:
    """Copy a file out of an archive; also tell why the copy is not whole."""
    path = spool.place()
    with appending(path) as copy:
        for piece in pieces(content, MEMBER_PIECE, TROUBLE):
            if isinstance(piece, str):
                return path, piece
            if copy.tell() + len(piece) > most:
                return path, TOO_LARGE
            copy.write(piece)
    return path, None
