"""Files within tar and zip archives, one after another, however the archive is packed."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, BinaryIO

from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.packing import DAMAGED, TOO_LARGE, TooLarge
from kubepostmortem.sources.spool import Spool

TAR_MAGIC = b"ustar"
TAR_MAGIC_AT = 257
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
ENCRYPTED = 1  # bit of a zip entry's flags

LEADS_OUT = "its name leads out of the archive"
NO_FILE = "a link or a device, no file"
LOCKED = "encrypted"
DAMAGED_MEMBER = "damaged, or packed in a way that is not known"
DAMAGED_ARCHIVE = "the archive is damaged from here on"
TROUBLE: tuple[type[Exception], ...] = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    *DAMAGED,
)


@dataclass(frozen=True)
class Member:
    """A file of an archive, or why it cannot be read; content is valid until the next one."""

    name: str
    content: BinaryIO | IO[bytes] | None = None
    refused: str | None = None


def is_archive(file: InputFile) -> bool:
    """Tell whether this is a tar (packed or not) or a zip archive."""
    return _is_tar(file.head) or file.head.startswith(ZIP_MAGIC)


def members(file: InputFile, spool: Spool) -> Iterator[Member]:
    """Yield the files of an archive in order; damage ends it with a refusal, not an error."""
    try:
        yield from _tar_members(file) if _is_tar(file.head) else _zip_members(file, spool)
    except TooLarge:
        yield Member("", refused=TOO_LARGE)
    except TROUBLE:
        yield Member("", refused=DAMAGED_ARCHIVE)


def _is_tar(head: bytes) -> bool:
    return head[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)] == TAR_MAGIC


def _tar_members(file: InputFile) -> Iterator[Member]:
    """A stream is enough: nothing is sought, so an archive is unpacked once."""
    with file.open() as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            if entry.isdir():
                continue
            refused = _refusal(entry.name) or (None if entry.isfile() else NO_FILE)
            content = None if refused else archive.extractfile(entry)
            yield Member(entry.name, content, refused)


def _zip_members(file: InputFile, spool: Spool) -> Iterator[Member]:
    """Its directory stands at the end of a zip file, so a packed one must be unpacked first."""
    stored = spool.keep(file.open(), file.most) if file.packed else file.stored
    with zipfile.ZipFile(stored) as archive:
        for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
            if entry.is_dir():
                continue
            locked = LOCKED if entry.flag_bits & ENCRYPTED else None
            if refused := _refusal(entry.filename) or locked:
                yield Member(entry.filename, refused=refused)
            else:
                yield from _zip_member(archive, entry)


def _zip_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[Member]:
    """Give one file; a damaged one costs only itself, since the directory names all places."""
    try:
        content = archive.open(entry)
    except TROUBLE:
        yield Member(entry.filename, refused=DAMAGED_MEMBER)
        return
    with content:
        yield Member(entry.filename, content)


def _refusal(name: str) -> str | None:
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive
    return LEADS_OUT if outside else None
