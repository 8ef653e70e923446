"""A live server of the Prometheus API as files: one per metric and hour, each asked for once.

A range selector at an instant gives samples as they were scraped; query_range would make up its
own times. Works with Prometheus, Thanos, Mimir, Cortex and VictoriaMetrics.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.incident import Window
from kubepostmortem.metrics import metrics
from kubepostmortem.sources.content import dig
from kubepostmortem.sources.fetching import Fetch, Known
from kubepostmortem.sources.files import NO_LIMIT, InputFile
from kubepostmortem.sources.prometheus_client import Server
from kubepostmortem.sources.prometheus_refusals import TooMuch, Unanswerable
from kubepostmortem.sources.prometheus_spans import Span, milliseconds, spans
from kubepostmortem.sources.spool import Spool

SETTLED_MS = 300_000  # samples and rules may be this late
NAMES = "label/__name__/values"
NO_PROMETHEUS = "it does not answer as Prometheus does"


@dataclass(frozen=True)
class Listing:
    """The answer that lists the names of metrics; it was had when the work was planned."""

    label: str
    content: bytes
    end: int

    def files(self, spool: Spool, known: Known) -> Iterator[InputFile]:
        """Yield the answer."""
        yield _kept(self.label, self.content, self.end * 1_000_000, spool)


@dataclass(frozen=True)
class Chunk:
    """The samples of one selector in a span of time."""

    server: Server
    selector: str
    span: Span

    @property
    def label(self) -> str:
        """The request as a URL."""
        return self.server.label("query", self._parameters)

    def files(self, spool: Spool, known: Known) -> Iterator[InputFile]:
        """Yield the answer, or those for both halves where a server finds the whole too large."""
        if format_ := self._known(known):
            yield InputFile.read_before(self.label, format_)
        elif any(half.begun(known) for half in self._halves):
            yield from self._in_halves(spool, known)
        else:
            yield from self._asked(spool, known)

    def begun(self, known: Known) -> bool:
        """Tell whether this or a part of it was read before."""
        return self._known(known) is not None or any(half.begun(known) for half in self._halves)

    def _asked(self, spool: Spool, known: Known) -> Iterator[InputFile]:
        try:
            content = self.server.ask("query", self._parameters)
        except TooMuch as refused:
            if self._halves:
                yield from self._in_halves(spool, known)
            else:
                yield _refused(self.label, str(refused))
        except Unanswerable as refused:
            yield _refused(self.label, str(refused))
        else:
            yield _kept(self.label, content, self._as_of(), spool)

    def _in_halves(self, spool: Spool, known: Known) -> Iterator[InputFile]:
        for half in self._halves:
            yield from half.files(spool, known)

    @property
    def _halves(self) -> list[Chunk]:
        return [replace(self, span=half) for half in self.span.halves]

    @property
    def _parameters(self) -> dict[str, str]:
        range_ = f"{self.selector}[{self.span.length}ms]"
        return {"query": range_, "time": f"{self.span.end / 1000:.3f}"}

    def _known(self, known: Known) -> str | None:
        return known(self.label, None, self.span.end * 1_000_000)

    def _as_of(self) -> int:
        """What the past holds does not change; an answer about now is good for now."""
        settled = self.span.end + SETTLED_MS < time.time() * 1000
        return self.span.end * 1_000_000 if settled else time.time_ns()


def plan(url: str, window: Window, *, match: Sequence[str] = (), where: str = "") -> list[Fetch]:
    """List what to ask a server for: the metrics we know that it has, and what `match` selects.

    where: label matchers for the metrics we know, like 'cluster="prod"'. The end of the window is
    now at the latest. Raises NoUsableInput where the server does not answer, and UsageError.
    """
    server, where = Server.at(url), where.strip().strip("{}")
    now = datetime.now(UTC).replace(tzinfo=None)
    within = Window(window.begins_at, min(window.ends_at, now))
    listing = _listing(server, within, where)
    there = _names(server, listing)
    wanted = [text for metric in metrics() for text in metric.selectors(there, where)]
    return [
        listing,
        *(
            Chunk(server, selector, span)
            for selector in dict.fromkeys([*wanted, *match])
            for span in spans(within)
        ),
    ]


def _listing(server: Server, window: Window, where: str) -> Listing:
    begin, end = milliseconds(window.begins_at), milliseconds(window.ends_at)
    parameters = {"start": f"{begin / 1000:.3f}", "end": f"{end / 1000:.3f}"}
    if where:
        parameters["match[]"] = f"{{{where}}}"
    try:
        content = server.ask(NAMES, parameters)
    except (TooMuch, Unanswerable) as refused:
        raise NoUsableInput(f"cannot read {server.name}: {refused}") from None
    return Listing(server.label(NAMES, parameters), content, end)


def _names(server: Server, listing: Listing) -> set[str]:
    names = None
    with suppress(ValueError, RecursionError):
        names = dig(json.loads(listing.content), "data")
    if not isinstance(names, list):
        raise NoUsableInput(f"cannot read {server.name}: {NO_PROMETHEUS}")
    return {name for name in names if isinstance(name, str)}


def _kept(label: str, content: bytes, modified_ns: int, spool: Spool) -> InputFile:
    stored = spool.keep(BytesIO(content), NO_LIMIT)
    return InputFile.look(Path(label), label=label, stored=stored, modified_ns=modified_ns)


def _refused(label: str, reason: str) -> InputFile:
    return InputFile.refuse(Path(label), label, reason)
