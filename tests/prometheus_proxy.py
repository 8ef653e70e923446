"""A proxy before a server of the Prometheus API: it counts, and spoils answers on demand."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What a client asked; number counts the queries, from 1."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    number: int


Spoil = Callable[[Request, Callable[[], Answer]], Answer]


@dataclass
class Proxy:
    """Its URL, what it was asked, and what it makes of the answers."""

    url: str
    upstream: str
    asked: list[Request] = field(default_factory=list)
    spoil: Spoil = lambda _, answer: answer()

    @property
    def queries(self) -> list[str]:
        """Every query that was asked."""
        return [
            f"{request.parameters['query']} {request.parameters['time']}"
            for request in self.asked
            if request.path.endswith("/query")
        ]

    def answer(self, target: str, headers: dict[str, str]) -> Answer:
        parts = urlsplit(target)
        parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
        number = len(self.queries) + 1
        request = Request(parts.path, parameters, headers, number)
        self.asked.append(request)

        def forward() -> Answer:
            got = httpx.get(self.upstream + target, timeout=60, trust_env=False)
            return Answer(got.status_code, got.content)

        return self.spoil(request, forward)


@contextmanager
def proxy(upstream: str, trust: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy on this machine, with TLS where a context is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = running.answer(self.path, {k.lower(): v for k, v in self.headers.items()})
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if trust:
            server.socket = trust.wrap_socket(server.socket, server_side=True)
        scheme = "https" if trust else "http"
        running = Proxy(f"{scheme}://127.0.0.1:{server.server_port}", upstream)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
