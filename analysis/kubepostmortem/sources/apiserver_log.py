"""The API server's own log: each request with its priority level, flow schema and seats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from kubepostmortem.incident import iso
from kubepostmortem.model import statement
from kubepostmortem.sources import http_lines, klog
from kubepostmortem.sources.content import CUT_LINE, remarks
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.line_pieces import Piece, line_pieces
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.taken import taken_at, told_taken
from kubepostmortem.sources.times import NO_TIME
from kubepostmortem.store import Store

name = "API server log"
describes = "Log of kube-apiserver from -v=3 on, text or JSON, as a runtime or journald keeps it"

OTHER_FORM = "an HTTP line of another form"

HTTP_TEXT = re.compile(klog.HEADER + r'\\?"HTTP\\?" verb=')
HTTP_JSON = re.compile(r'\{\\?"ts\\?":[^{}\n]*"msg\\?": ?\\?"HTTP\\?"')
# What an API server logs before it serves: of a log without requests the note says why.
STARTING = re.compile(
    r"[IWEF]\d{4} [\d:.]+ +\d+ (?:apf_controller\.go:\d+\]|flags\.go:\d+\] FLAG: --etcd-servers=)"
)
VERSION = r"^Version: (v\d\S*)"  # what the server logs when it starts
STARTS = 5  # of them the note names


@dataclass
class Tally:
    """What became of the lines of one file so far."""

    lines: int = 0
    requests: int = 0
    loaded: int = 0
    undated: int = 0
    times: list[datetime] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def recognises(file: InputFile) -> bool:
    """A line of the head that logs a request, or what only an API server logs when it starts."""
    return any(form.search(file.text) for form in (HTTP_TEXT, HTTP_JSON, STARTING))


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the requests that are not known yet; lines about anything else are filtered."""
    return [_load(numbered, target) for numbered in batch]


def _load(numbered: Numbered, target: Target) -> Reading:
    tally, file = Tally(), numbered.file
    with file.open() as stream:
        for piece in line_pieces(stream):
            _take(piece, tally, numbered, target)
    return Reading(
        lines=tally.lines,
        loaded=tally.loaded,
        duplicates=tally.requests - tally.loaded,
        filtered=tally.lines - tally.requests - len(tally.rejections),
        rejections=tally.rejections,
        first_at=min(tally.times, default=None),
        last_at=max(tally.times, default=None),
        notes=_notes(tally, told_taken(file, target)),
    )


def _take(piece: Piece, tally: Tally, numbered: Numbered, target: Target) -> None:
    """Add the requests of some lines to the model, and count."""
    lines = klog.unwrapped(piece.lines())
    said = klog.told(lines, taken_at(numbered.file, target))
    values = _json_values(klog.json_bodies(lines), target.store)
    found = _judged(_requests(said, values), piece.cut_line)
    good = found.filter(pl.col("problem").is_null())
    tally.lines += lines.height + bool(piece.broken_off)
    tally.requests += good.height
    tally.loaded += _insert(good, numbered.ingest_id, target)
    tally.undated += int(good["undated"].sum())
    tally.times += [at for at in (good["logged_at"].min(), good["logged_at"].max()) if at]  # type: ignore[misc]
    tally.starts += [*_starts(said), *_starts(values)]
    tally.rejections += piece.rejections(found.filter(pl.col("problem").is_not_null()))
    if piece.broken_off:
        end = piece.bytes_before + len(piece.data)
        tally.rejections.append(Rejection(piece.broken_off, b"", None, end))


def _json_values(bodies: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Line, logged_at, message and found (the values of http_lines.KEYS) of each JSON line."""
    store.run("create or replace temp table klog_json_lines (line bigint, body varchar)")
    store.insert("klog_json_lines", bodies)
    return store.frame(statement("ingest/klog_json"), paths=http_lines.json_paths())


def _requests(said: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """The lines that log a request, in order, with the columns of http_lines.KEYS."""
    text = said.filter(pl.col("message").str.starts_with(http_lines.TITLE))
    json = values.filter(pl.col("message") == http_lines.MESSAGE)
    rows = [http_lines.of_messages(text), http_lines.of_values(json)]
    return pl.concat(rows, how="diagonal_relaxed").sort("line")


def _judged(requests: pl.DataFrame, cut_line: int) -> pl.DataFrame:
    """Add the problem of each request; null: it has none."""
    problems = {
        CUT_LINE: pl.col("line") == cut_line,
        OTHER_FORM: pl.col("verb").is_null() | pl.col("uri").is_null(),
        NO_TIME: pl.col("logged_at").is_null(),
    }
    told = [pl.when(holds).then(pl.lit(reason)) for reason, holds in problems.items()]
    return requests.with_columns(problem=pl.coalesce(told))


def _insert(requests: pl.DataFrame, ingest_id: int, target: Target) -> int:
    """Add what http_log lacks; return how many requests that are."""
    if requests.is_empty():
        return 0
    store = target.store
    store.run(statement("ingest/http_lines"))
    rows = requests.drop("problem", "undated")
    store.insert("http_lines", target.redacted("http_log", rows))
    before = store.value("select count(*) from http_log")
    store.run(statement("ingest/http_log_insert"), cluster=target.cluster, ingest_id=ingest_id)
    loaded: int = store.value("select count(*) from http_log") - before
    return loaded


def _starts(said: pl.DataFrame) -> list[str]:
    """When the server began to run, and its version."""
    version = pl.col("message").str.extract(VERSION)
    starts = said.select("logged_at", version=version).drop_nulls()
    return [f"{iso(at)} ({version})" for at, version in starts.iter_rows()]


def _notes(tally: Tally, taken: str) -> str | None:
    others = tally.lines - tally.requests - len(tally.rejections)
    guessed = f"{tally.undated} times have neither year nor zone: taken as UTC, the last before"
    none = not tally.requests and not tally.rejections
    return remarks(
        "no HTTP lines: kube-apiserver writes them from -v=3 on" if none else None,
        f"{others} lines other than HTTP left out" if others else None,
        f"{guessed} {taken}" if tally.undated else None,
        f"the server started at {', '.join(tally.starts[:STARTS])}" if tally.starts else None,
    )
