"""One file over https://, signed URLs of object storage included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.sources.remote_file import (
    CONNECT_SECONDS,
    PIECE,
    SILENCE_SECONDS,
    RemoteFile,
    public_name,
    refusal,
)

if TYPE_CHECKING:
    import httpx

SIGNED = "a signed URL has an end; make a new one"
AS_IT_LIES = {"Accept-Encoding": "identity"}  # a .gz stays one, and its length is the file's


def look(address: str) -> RemoteFile:
    """Ask for size and modification time. Raises NoUsableInput.

    With a GET that is broken off: a signed URL is good for one method only. What has a query, or
    no time, may be another content at each asking: it counts as modified now.
    """
    with _answer(address) as answer:
        size = answer.headers.get("Content-Length", "")
        modified = None if "?" in address else _modified_ns(answer)
    length = int(size) if size.isascii() and size.isdigit() else 0
    return RemoteFile(public_name(address), length, modified or time.time_ns(), address)


def pieces(remote: RemoteFile) -> Iterator[bytes]:
    """Yield the content as it lies on the server. Raises NoUsableInput."""
    with _answer(remote.address) as answer:
        yield from answer.iter_raw(PIECE)


@contextmanager
def _answer(address: str) -> Iterator[httpx.Response]:
    """Open the URL; what httpx says about failures goes without the URL, which may be secret."""
    import httpx

    name = public_name(address)
    waits = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
    hooks = {"request": [_stay_encrypted]}
    try:
        if not httpx.URL(address).host:
            raise NoUsableInput(f"names no host: {name}")
        with (
            httpx.Client(timeout=waits, follow_redirects=True, event_hooks=hooks) as client,
            client.stream("GET", address, headers=AS_IT_LIES) as answer,
        ):
            if not answer.is_success:
                raise refusal(name, answer.status_code, answer.reason_phrase, SIGNED)
            yield answer
    except (httpx.HTTPError, httpx.InvalidURL) as failed:
        raise refusal(name, None, type(failed).__name__) from None


def _stay_encrypted(request: httpx.Request) -> None:
    if request.url.scheme != "https":
        raise NoUsableInput(f"{request.url.host} is not asked: a redirect left https://")


def _modified_ns(answer: httpx.Response) -> int | None:
    try:
        moment = parsedate_to_datetime(answer.headers["Last-Modified"])
        return int(moment.timestamp()) * 1_000_000_000
    except (KeyError, ValueError, OverflowError):
        return None
