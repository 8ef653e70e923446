"""What it means when a server of the Prometheus API does not answer a query."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from kubepostmortem.sources.content import dig
from kubepostmortem.sources.remote_file import NO_ACCESS, NOT_THERE, refusal

if TYPE_CHECKING:
    import httpx

TOO_LARGE = (413, 422)
SLOW = 504
LONGEST_WAIT = 60  # seconds, whatever the server asks for
MOST_WORDS = 200
CREDENTIALS = "set KUBEPOSTMORTEM_PROMETHEUS_TOKEN, or write user:password@ into the URL"
PREFIX = "the URL ends where /api/v1 begins"

LIMIT = re.compile(r"too (many|large|long)|exceed|execution|max(imum)?\b|limit", re.IGNORECASE)
TIMEOUT = re.compile(r"tim(ed|e) ?out|deadline", re.IGNORECASE)
UNTRUSTED = "its certificate is not trusted; SSL_CERT_FILE names another authority"


class TooMuch(Exception):
    """The server would rather be asked for less."""


class Unanswerable(Exception):
    """The server refuses this query, and would refuse a part of it."""


class Busy(Exception):
    """The server may answer later; seconds: when, as it says.

    meaning: what it is, if it never does.
    """

    def __init__(self, meaning: Exception, seconds: float | None = None) -> None:
        self.meaning = meaning
        self.seconds = seconds
        super().__init__(str(meaning))


def refused(name: str, answer: httpx.Response, body: bytes) -> Exception:
    """Return the error to raise for an answer that is no success."""
    status, said = answer.status_code, words(body)
    reason = answer.reason_phrase
    told = f"the server answers {status}: {said or reason}"
    if status in TOO_LARGE or (status == 400 and LIMIT.search(said)):
        return TooMuch(told)
    if status == 400:
        return Unanswerable(told)
    if status == 503 and TIMEOUT.search(said):
        return TooMuch(told)
    meaning = TooMuch(told) if status == SLOW else _useless(name, status, said or reason)
    return Busy(meaning, _wait(answer)) if status == 429 or status >= 500 else meaning


def _useless(name: str, status: int, reason: str) -> Exception:
    if status in NOT_THERE:
        return refusal(name, status, f"{reason}; {PREFIX}")
    return refusal(name, status, reason, CREDENTIALS if status in NO_ACCESS else "")


def unreachable(name: str, failed: Exception) -> Exception:
    """Return the error to raise where no answer came; what httpx says may hold the URL."""
    import httpx

    reason = type(failed).__name__
    if isinstance(failed, httpx.ReadTimeout):
        return TooMuch("the server took too long to answer")
    if "CERTIFICATE_VERIFY" in str(failed):
        return refusal(name, None, UNTRUSTED)
    meaning = refusal(name, None, reason)
    return Busy(meaning) if isinstance(failed, httpx.TransportError) else meaning


def words(body: bytes) -> str:
    """Return what a server says about a refusal: its `error`, or the text, in one short line."""
    try:
        error = dig(json.loads(body), "error")
    except (ValueError, RecursionError):
        error = None
    text = error if isinstance(error, str) else body.decode("utf-8", errors="replace")
    return " ".join(re.sub(r"<[^>]*>|[\x00-\x1f]", " ", text).split())[:MOST_WORDS]


def _wait(answer: httpx.Response) -> float | None:
    """Return the seconds of Retry-After, which may be a date."""
    asked = answer.headers.get("Retry-After", "")
    try:
        if asked.isascii() and asked.isdigit():
            seconds = float(asked)
        else:
            seconds = parsedate_to_datetime(asked).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)
