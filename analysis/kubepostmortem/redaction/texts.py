"""Texts that hold names among other words: phrases, versions, user agents, remarks, DNS names."""

from __future__ import annotations

import ipaddress
import re

from kubepostmortem.redaction.pseudonyms import Pseudonyms
from kubepostmortem.redaction.vocabulary import (
    is_phrase_word,
    is_public,
    is_public_client,
    is_remark_word,
)

TOKEN = re.compile(r"[^\s/(),;=\"'\[\]{}<>|?&#!*]+")
PIECES = re.compile(r"[^:+~_.-]+")
VERSION = re.compile(r"(?P<number>v?\d+(?:\.\d+)*)(?P<rest>[-+._~].*)?", re.DOTALL)
HASH = re.compile(r"[0-9a-f]{7,64}|sha256:[0-9a-f]{7,64}|\$Format:?%?H?\$?")
CONSTANT = re.compile(r"[A-Z][A-Za-z]{1,60}")
NUMBER = re.compile(r"[-+]?\d[\d.,:TZ+-]*[a-zµ%]{0,3}")
ADDRESS = re.compile(
    r"(?<!\d)\d{1,3}(?:(?:\.\d{1,3}){3}|(?:-\d{1,3}){3})(?!\d)"
)  # also ip-10-0-0-1
ADDRESS_AND_PORT = re.compile(r"\[?(?P<address>[^\]]*?)\]?(?P<port>:\d{1,5})?")
SERVICE = re.compile(
    r"(?P<ports>(?:_[a-z0-9-]+\.)*)(?P<name>[^.]+)\.(?P<namespace>[^.]+)"
    r"\.(?P<type>svc|pod)(?P<domain>\.cluster\.local\.?)?"
)


def phrase(text: str, by: Pseudonyms) -> str:
    """Replace the names in an image, a version, an action or a state; the words of those stay."""
    return TOKEN.sub(lambda found: _of_phrase(found[0], by), text)


def constant(text: str, by: Pseudonyms) -> str:
    """Keep a word that programs write, like FailedMount; else treat it as a phrase."""
    return text if CONSTANT.fullmatch(text) else phrase(text, by)


def agent(text: str, by: Pseudonyms) -> str:
    """Replace what is private in a user agent: programs that are not public, hosts, accounts."""

    def replaced(found: re.Match[str]) -> str:
        token = found[0]
        if is_public_client(token) or _is_version(token, text[: found.start()]):
            return token
        return _of_phrase(token, by)

    return TOKEN.sub(replaced, text)


def client(text: str, by: Pseudonyms) -> str:
    """Replace the name of a program that is not public."""
    return text if is_public_client(text) else agent(text, by)


def version(text: str, by: Pseudonyms) -> str:
    """Keep the numbers, commits and common words of a version; replace the rest."""
    found = VERSION.fullmatch(text)
    if HASH.fullmatch(text) or text == "unknown":
        return text
    if found is None or ADDRESS.search(text):
        return by.tag("version", text)
    rest = PIECES.sub(lambda piece: _of_version(piece[0], by), found["rest"] or "")
    return found["number"] + rest


def remark(text: str) -> str:
    """Keep the words that the ledger uses, numbers and times; leave out the others."""

    def kept(found: re.Match[str]) -> str:
        token = found[0].strip(":.`-")
        number = NUMBER.fullmatch(token) and not ADDRESS.search(token)
        return found[0] if number or is_remark_word(token) else "…"

    return TOKEN.sub(kept, text)


def endpoint(text: str, by: Pseudonyms) -> str:
    """Replace the address or host of HOST:PORT."""
    if is_address(text):
        return by.ip(text)
    found = ADDRESS_AND_PORT.fullmatch(text)
    place, port = (found["address"], found["port"] or "") if found else (text, "")
    if is_address(place):
        return (f"[{by.ip(place)}]" if ":" in by.ip(place) else by.ip(place)) + port
    return host(place, by) + port


def answers(text: str, by: Pseudonyms) -> str:
    """Replace the addresses and names in the answers of a DNS lookup; their number stays."""
    return TOKEN.sub(lambda t: t[0] if t[0].isdecimal() else endpoint(t[0], by), text)


def host(text: str, by: Pseudonyms) -> str:
    """Replace a DNS name; of a name in the cluster, only its service, namespace and odd domain."""
    found = SERVICE.fullmatch(text)
    if found is None:
        return text if text in ("", ".", "localhost") or is_public(text) else by.node(text)
    named = by.name if found["type"] == "svc" else by.node
    place = f"{named(found['name'])}.{by.namespace(found['namespace'])}.{found['type']}"
    return f"{found['ports']}{place}{found['domain'] or ''}"


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_version(token: str, before: str) -> bool:
    """Whether a token of a user agent is a plain version; after a slash, 1.2.3.4 is one too."""
    plain = re.fullmatch(r"v?\d+(\.\d+)*", token) is not None
    return plain and (before.endswith("/") or not is_address(token))


def _of_phrase(token: str, by: Pseudonyms) -> str:
    if is_phrase_word(token) or is_public(token) or HASH.fullmatch(token):
        return token
    if token.startswith("system:"):
        return by.user(token)
    if is_address(token):
        return by.ip(token)
    if VERSION.fullmatch(token):
        return version(token, by)
    if ":" in token:
        return ":".join(_of_phrase(part, by) if part else "" for part in token.split(":"))
    return by.name(token)


def _of_version(piece: str, by: Pseudonyms) -> str:
    """A part of a version behind its numbers: rc1, eks, 5a1d3f0."""
    word = piece.rstrip("0123456789")
    kept = not word or is_phrase_word(word) or is_public(word) or HASH.fullmatch(piece)
    return piece if kept else by.name(piece)
