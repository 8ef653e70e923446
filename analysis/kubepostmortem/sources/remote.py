"""Input by URL: object storage (s3://, gs://, az://, abfs://) and single files over https://.

Nothing here touches the network before such a URL is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.sources.remote_file import RemoteFile, public_name

__all__ = ["RemoteFile", "download", "is_remote", "listing"]

URL = re.compile(r"(s3a?|gs|az|abfss?|https?)://", re.IGNORECASE)
NO_TLS = "http:// is not read, since anybody on the way could change it; use https://"


def is_remote(given: str) -> bool:
    """Tell whether this names something elsewhere, and not a path."""
    return URL.match(given) is not None


def listing(given: str) -> Iterator[RemoteFile]:
    """List one object, everything under a prefix, or the one file of an https URL; by url.

    A prefix ends where a name in the key ends: `logs/a` covers `logs/a/x`, not `logs/ab`.
    Raises NoUsableInput where it is not there, not allowed, or out of reach.
    """
    scheme = given.partition(":")[0].lower()
    if scheme == "http":
        raise NoUsableInput(f"{NO_TLS}: {public_name('https' + given[4:])[8:]}")
    if scheme == "https":
        from kubepostmortem.sources import web_file

        return iter([web_file.look(given)])
    from kubepostmortem.sources import object_storage

    return iter(sorted(object_storage.files_under(given), key=lambda file: file.url))


def download(remote: RemoteFile, to: Path) -> None:
    """Write a copy, piece by piece. Raises NoUsableInput, and then leaves no file behind."""
    try:
        with to.open("wb") as copy:
            for piece in _pieces(remote):
                copy.write(piece)
    except OSError as failed:
        _forget(to)
        reason = f"cannot keep a copy of {remote.url}: {failed.strerror}"
        raise NoUsableInput(reason) from failed
    except BaseException:
        _forget(to)
        raise


def _pieces(remote: RemoteFile) -> Iterator[bytes]:
    if remote.address[:6].lower() == "https:":
        from kubepostmortem.sources import web_file

        return web_file.pieces(remote)
    from kubepostmortem.sources import object_storage

    return object_storage.pieces(remote)


def _forget(copy: Path) -> None:
    with suppress(OSError):
        copy.unlink(missing_ok=True)
