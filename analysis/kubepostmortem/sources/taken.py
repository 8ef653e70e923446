"""When evidence that carries no time of its own was taken."""

from __future__ import annotations

from datetime import UTC, datetime

from kubepostmortem.incident import iso
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Target


def taken_at(file: InputFile, target: Target) -> datetime:
    """When a file was taken, naive UTC: as given, else when it was last written."""
    modified = datetime.fromtimestamp(file.modified_ns / 1e9, UTC).replace(tzinfo=None)
    return target.taken_at or modified


def told_taken(file: InputFile, target: Target) -> str:
    """The time of taken_at and whence it is, for a note."""
    whence = "as given" if target.taken_at else "the file's modification time"
    return f"{iso(taken_at(file, target))}, {whence}"
