"""Which names are public: those of Kubernetes and of the software that components.toml knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from kubepostmortem.assets import packaged
from kubepostmortem.components import Rule, parse_user_agent, rules

CACHED = 1 << 16
LONGEST = 100  # characters of a name that can be public
WORD = re.compile(r"[a-z][a-z0-9]+")
NO_WORDS = re.compile(r"\\.|\(\?\w*[:!=<]*")  # of a regular expression
ROLE = re.compile(r"system:(controller:)?[a-z-]+")
ORDINAL = re.compile(r"v?\d{1,2}")


def is_public(name: str) -> bool:
    """Tell whether a name says nothing about whose cluster it is: coredns, otel-agent, default.

    It is one of Kubernetes or of a component, or it is made of their words and of generic ones.
    """
    return len(name) <= LONGEST and _is_public(name)


def is_public_client(name: str) -> bool:
    """Tell whether the name of a program is public, or one that says nothing (manager, curl)."""
    return len(name) <= LONGEST and _is_public_client(name)


@lru_cache(maxsize=CACHED)
def _is_public(name: str) -> bool:
    lower = name.lower()
    if lower in _public_names() or ROLE.fullmatch(lower):
        return True
    words = re.split(r"[-_.]", lower)
    telling = [word for word in words if word in _brands()]
    return bool(telling) and all(w in _brands() or w in _generic() for w in words)


@lru_cache(maxsize=CACHED)
def _is_public_client(name: str) -> bool:
    if is_public(name) or name.lower() in _known_clients():
        return True
    generic = any(rule.agents.fullmatch(name) for rule in rules() if rule.generic)
    return generic and set(WORD.findall(name.lower())) <= _words_of_generic_clients()


def is_public_namespace(name: str) -> bool:
    """Tell whether a namespace belongs to Kubernetes or its distribution."""
    return re.fullmatch(public("namespaces"), name) is not None


def is_public_user(name: str) -> bool:
    """Tell whether a user is one that installers make."""
    return re.fullmatch(public("users"), name) is not None


def is_phrase_word(word: str) -> bool:
    """Tell whether a word is one of states, actions, versions and platforms."""
    lower = word.lower()
    return lower in _words("phrases") or ORDINAL.fullmatch(lower) is not None


def is_remark_word(word: str) -> bool:
    """Tell whether a word is one that the ledger uses."""
    return word.lower() in _words("remarks") or is_phrase_word(word)


def declared() -> Mapping[str, Any]:
    """Return redaction.toml."""
    return packaged("redaction/redaction.toml")


def public(key: str) -> str:
    """Return an entry of the table public of redaction.toml."""
    entry: str = declared()["public"][key]
    return entry


@cache
def _words(key: str) -> frozenset[str]:
    return frozenset(public(key).split())


def _generic() -> frozenset[str]:
    return _words("generic")


@cache
def _public_names() -> frozenset[str]:
    components = {rule.component.lower() for rule in rules() if "{" not in rule.component}
    return _words("names") | components


@cache
def _brands() -> frozenset[str]:
    """Words of the components that are no generic ones."""
    found = (word for rule in rules() if not rule.generic for word in _words_of(rule))
    return (frozenset(found) | _words("brands")) - _generic()


@cache
def _known_clients() -> frozenset[str]:
    agents = (rule.example.get("user_agent", "").lower() for rule in rules())
    return frozenset(parse_user_agent(agent)[0] for agent in agents if "@" not in agent)


@cache
def _words_of_generic_clients() -> frozenset[str]:
    return frozenset(word for rule in rules() if rule.generic for word in _words_of(rule))


def _words_of(rule: Rule) -> list[str]:
    named = f"{rule.component.partition('{')[0]} {rule.user_agent or ''}".lower()
    return WORD.findall(NO_WORDS.sub(" ", named))
