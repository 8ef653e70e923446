"""How long a request may take, and how much of that it may wait in a queue."""

from __future__ import annotations

import re
from fractions import Fraction
from urllib.parse import parse_qs, urlsplit

from kubepostmortem.flowcontrol.long_running import is_long_running
from kubepostmortem.flowcontrol.offered import Asked
from kubepostmortem.flowcontrol.state import NEVER

LONGEST_WAIT_NS = 60_000_000_000
WAIT_PART = 4  # of its deadline, a request may wait one part in
UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
DURATION = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def deadline_ns(asked: Asked, request_timeout_ns: int) -> int:
    """Return how long a request may take; streams may go on: NEVER."""
    if is_long_running(asked.call):
        return NEVER
    wished = _timeout_ns(asked.url)
    return wished if 0 < wished < request_timeout_ns else request_timeout_ns


def wait_ns(asked: Asked, request_timeout_ns: int) -> int:
    """Return how long a request may wait in a queue, Kubernetes 1.29 and later."""
    deadline = deadline_ns(asked, request_timeout_ns)
    if deadline == NEVER:
        return request_timeout_ns // WAIT_PART
    return min(deadline // WAIT_PART, LONGEST_WAIT_NS)


def duration_ns(text: str) -> int | None:
    """Read a duration as Go writes it, like 1m30s; None where it is none."""
    sign, unsigned = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if unsigned == "0":
        return 0
    if not re.fullmatch(f"({DURATION.pattern})+", unsigned):
        return None
    parts = DURATION.findall(unsigned)
    return sign * sum(int(Fraction(number.rstrip(".")) * UNITS_NS[unit]) for number, unit in parts)


def _timeout_ns(url: str) -> int:
    """Return the timeout parameter of a URL, 0 where there is none that can be read."""
    if "timeout=" not in url:
        return 0
    wished = parse_qs(urlsplit(url).query).get("timeout", ["0"])[0]
    return duration_ns(wished) or 0
