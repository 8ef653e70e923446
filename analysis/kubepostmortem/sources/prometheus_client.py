"""Asking a live server of the Prometheus HTTP API: access, patience, and what its refusals mean."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from time import sleep
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from kubepostmortem.errors import UsageError
from kubepostmortem.sources.prometheus_refusals import Busy, TooMuch, refused, unreachable
from kubepostmortem.sources.remote_file import CONNECT_SECONDS

if TYPE_CHECKING:
    import httpx

TOKEN = "KUBEPOSTMORTEM_PROMETHEUS_TOKEN"
WAITS = (1, 2, 4)  # seconds before each further attempt
PATIENCE = 150  # seconds that a server may think; Prometheus gives a query two minutes
LARGEST = 64 << 20  # bytes of an answer; more is asked for in smaller pieces
WORDS = 1 << 16  # bytes of a refusal that are read

NO_URL = (
    "--prometheus wants the URL of a server, like https://host:9090/prefix; "
    "in a password, write letters that end it with % (an @ is %40)"
)
LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1", re.IGNORECASE)
API = re.compile(r"/+(api/v1/*)?$")


@dataclass(frozen=True)
class Server:
    """A server by its public name, the URL without login, query and fragment.

    login is (user, password), parameters are what the URL itself asks; both may be secret.
    """

    name: str
    login: tuple[str, str] | None = field(default=None, repr=False)
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def at(cls, url: str) -> Server:
        """Read a base URL, path prefix included, and the token from the environment.

        Raises UsageError where it is no http(s) URL, or would send a secret unencrypted.
        """
        parts = _parts(url)
        login, token = _login(parts), _token()
        name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{API.sub('', parts.path)}"
        here = LOOPBACK.fullmatch(str(parts.hostname)) is not None
        if (login or token) and parts.scheme == "http" and not here:
            raise UsageError(f"a token or password is sent over https:// only, not to {name}")
        return cls(name, login, tuple(parse_qsl(parts.query)), token)

    def label(self, path: str, parameters: Mapping[str, str]) -> str:
        """Return the public name of a request."""
        return f"{self.name}/api/v1/{path}?{urlencode(parameters)}"

    def ask(self, path: str, parameters: Mapping[str, str]) -> bytes:
        """Return the answer to a GET, after some patience.

        Raises TooMuch or Unanswerable where only this one thing cannot be had, NoUsableInput
        where there is no use in asking on. The texts hold the server's words.
        """
        for wait in WAITS:
            try:
                return self._once(path, parameters)
            except Busy as busy:
                sleep(wait if busy.seconds is None else busy.seconds)
        try:
            return self._once(path, parameters)
        except Busy as busy:
            raise busy.meaning from None

    def _once(self, path: str, parameters: Mapping[str, str]) -> bytes:
        import httpx

        try:
            with (
                self._client() as client,
                client.stream(
                    "GET",
                    f"{self.name}/api/v1/{path}",
                    params=[*self.parameters, *parameters.items()],
                    headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
                    auth=None if self.token else self.login,
                ) as answer,
            ):
                if not answer.is_success:
                    raise refused(self.name, answer, _limited(answer, WORDS)[:WORDS])
                content = _limited(answer, LARGEST)
        except (httpx.HTTPError, httpx.InvalidURL) as failed:
            raise unreachable(self.name, failed) from None
        if len(content) > LARGEST:
            raise TooMuch(f"the answer is larger than {LARGEST >> 20} MiB")
        return content

    def _client(self) -> httpx.Client:
        import httpx

        waits = httpx.Timeout(PATIENCE, connect=CONNECT_SECONDS)
        return httpx.Client(timeout=waits, verify=self._trust)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The authorities of the system or of SSL_CERT_FILE; read once, which takes a while."""
        import httpx

        return httpx.create_ssl_context()


def _parts(url: str) -> SplitResult:
    with suppress(ValueError):
        parts = urlsplit(url)
        torn = "@" in parts.path + parts.query + parts.fragment  # it may be half a password
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not torn:
            return parts
    raise UsageError(NO_URL)


def _login(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username or parts.password:
        return unquote(parts.username or ""), unquote(parts.password or "")
    return None


def _token() -> str | None:
    token = os.environ.get(TOKEN, "").strip()
    if not (token.isascii() and token.isprintable()):
        raise UsageError(f"{TOKEN} holds what no token does: line breaks or foreign letters")
    return token or None


def _limited(answer: httpx.Response, most: int) -> bytes:
    """Read a body, but stop beyond so many bytes."""
    content = bytearray()
    for piece in answer.iter_bytes():
        content += piece
        if len(content) > most:
            break
    return bytes(content)
