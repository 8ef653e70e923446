"""A file that lies elsewhere, and the reasons why it cannot be had."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kubepostmortem.errors import NoUsableInput

PIECE = 1 << 20  # bytes of a download that are held in memory
CONNECT_SECONDS = 10
SILENCE_SECONDS = 60  # how long a server may say nothing

SECRET_QUERY = re.compile(
    r"\?.*(sig|signature|token|credential|secret|key|password)[^=&]*=.*", re.I
)
LOGIN = re.compile(r"(?<=^https://)[^/?#]*@")
NOT_THERE = (404, 410)
NO_ACCESS = (401, 403)


@dataclass(frozen=True)
class RemoteFile:
    """A file in object storage or on a web server.

    url names it in the ledger and in messages, without secrets; size is in bytes, 0 where the
    server does not say. The address may hold secrets: it is for downloading only.
    """

    url: str
    size: int
    modified_ns: int
    address: str = field(repr=False)


def public_name(address: str) -> str:
    """Return an address without login, query and fragment.

    Keys of object storage may hold any sign: there, a query is one only if it holds a secret.
    """
    if address[:8].lower() == "https://":
        return LOGIN.sub("", re.split(r"[?#]", address, maxsplit=1)[0])
    return SECRET_QUERY.sub("", address)


def refusal(name: str, status: int | None, reason: str, hint: str = "") -> NoUsableInput:
    """Return the error to raise, from the server's HTTP status and its own word for the reason."""
    if status in NOT_THERE:
        return NoUsableInput(f"not found: {name}{_why(reason)}")
    if status in NO_ACCESS:
        return NoUsableInput(f"no access to {name}{_why(reason, hint)}")
    if status is not None:
        return NoUsableInput(f"cannot read {name}: the server answers {status}{_why(reason, hint)}")
    return NoUsableInput(f"cannot reach {name}: {reason}")


def _why(reason: str, hint: str = "") -> str:
    return (f" ({reason})" if reason else "") + (f"; {hint}" if hint else "")
