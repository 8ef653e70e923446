"""Who called: a component from the user agent and the identity, by the rules of components.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import polars as pl

from kubepostmortem.assets import PACKAGE, packaged

SHAPES = ("resource", "metrics", "probe", "discovery", "nonresource")
TEMPLATES = ("identity", "client", "service_account", "user", "ua_suffix")
LONGEST = 100  # characters of a name
LOGGED = 1100  # characters of a user agent: the API server logs 1,024 and "...TRUNCATED"
BLOCK = 16  # rules that are tried at once
CACHED = 1 << 16  # callers

NAME_AND_VERSION = re.compile(
    r"(?P<name>[^(/]{1,100}(?=/v?\d)|[^\s(]{1,100}(?=/v?\d)|[^\s(/]{1,100}(?= v?\d))"
    r"[/ ](?P<version>[^\s/;,()]{1,100})"
)
NO_VERSION = re.compile(r"v?0\.0\.0(-master\+\$Format\$)?")
SUFFIX = re.compile(r"\) [^\s/]{1,50}/[^\s/]{1,50}/(\S{1,200})$")


@dataclass(frozen=True, slots=True)
class Component:
    """Who called and with which client; controller is the part of it that called, where known."""

    name: str
    kind: str
    client_name: str
    client_version: str | None = None
    controller: str | None = None


@dataclass(frozen=True)
class Rule:
    """One entry of components.toml, which explains the fields."""

    component: str
    kind: str
    user_agent: str | None = None
    username: str | None = None
    shape: str | None = None
    controller: str = "{ua_suffix}"
    example: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what can never fit; the message is for who wrote the rule."""
        if self.kind not in kinds():
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(kinds())}")
        if self.shape not in (None, *SHAPES):
            raise ValueError(f"shape {self.shape!r} is none of {', '.join(SHAPES)}")
        if (self.user_agent, self.username, self.shape) == (None, None, None):
            raise ValueError("needs user_agent, username or shape")
        (self.component + self.controller).format(**dict.fromkeys(TEMPLATES, ""))

    @cached_property
    def agents(self) -> re.Pattern[str]:
        """User agents that the rule is for, up to the end of a word."""
        text = "" if self.user_agent is None else rf"(?:{self.user_agent})(?!\w)"
        return re.compile(text, re.IGNORECASE)

    @cached_property
    def users(self) -> re.Pattern[str]:
        """Whole user names that the rule is for."""
        return re.compile(self.username or "", re.IGNORECASE)

    @property
    def generic(self) -> bool:
        """Whether its user agents say nothing about who called."""
        return self.component == "{identity}"

    def admits(self, username: str, shape: str) -> bool:
        """Whether the rule is for this user and shape."""
        if self.shape not in (None, shape):
            return False
        return self.username is None or self.users.fullmatch(username) is not None


def load_rules(source: str | Path) -> tuple[Rule, ...]:
    """Read rules from a file or from the text of one; ValueError names the rule that is wrong."""
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    entries = tomllib.loads(text).get("rule", [])
    return tuple(_rule(number, entry) for number, entry in enumerate(entries, start=1))


@cache
def rules() -> tuple[Rule, ...]:
    """Rules of the package, in order; the last one fits every caller."""
    return load_rules(PACKAGE / "components.toml")


@cache
def kinds() -> Mapping[str, str]:
    """Kinds of components and what each means."""
    meanings: dict[str, str] = packaged("components.toml")["kinds"]
    return meanings


def parse_user_agent(user_agent: str) -> tuple[str, str | None]:
    """Client name, at most 100 characters, and version; None where it says nothing (v0.0.0)."""
    text = _tidy(user_agent)
    if found := NAME_AND_VERSION.match(text):
        version = found["version"]
        return found["name"].strip(), None if NO_VERSION.fullmatch(version) else version
    return (re.split(r"[/(]", text, maxsplit=1)[0].strip() or text)[:LONGEST], None


def classify(username: str, user_agent: str, shape: str) -> Component:
    """Component of a caller; never raises, whatever a client wrote into its user agent."""
    alike = "system:node:*" if username.startswith("system:node:") else username
    return _classify(alike, _tidy(user_agent), shape)


def classify_callers(callers: pl.DataFrame) -> pl.DataFrame:
    """Add component, kind, client_name, client_version and controller to callers.

    Needs username, user_agent and shape; null is read as empty. Keeps rows and their order.
    """
    keys = callers.select(pl.col("username", "user_agent", "shape").cast(pl.String).fill_null(""))
    values = attrgetter("name", "kind", "client_name", "client_version", "controller")
    columns = ("component", "kind", "client_name", "client_version", "controller")
    found = [values(classify(*key)) for key in keys.iter_rows()]
    schema = dict.fromkeys(columns, pl.String)
    return callers.with_columns(pl.DataFrame(found, schema=schema, orient="row").get_columns())


def decide(username: str, user_agent: str, shape: str) -> tuple[Rule, str]:
    """Rule that decides about a caller, and the identity that stood in for the user agent."""
    rule = next(rule for rule in _fitting(user_agent) if rule.admits(username, shape))
    if not rule.generic:
        return rule, ""
    identity = _identity(username)
    telling = (rule for rule in _fitting(identity) if not rule.generic)
    return next(rule for rule in telling if rule.admits(username, shape)), identity


@lru_cache(maxsize=CACHED)
def _classify(username: str, user_agent: str, shape: str) -> Component:
    rule, identity = decide(username, user_agent, shape)
    client, version = parse_user_agent(user_agent)
    words = {
        "client": identity or client,
        "service_account": username.rpartition(":")[2],
        "user": username,
        "ua_suffix": _suffix(user_agent),
    }
    name = rule.component.format(**words)[:LONGEST] or "unknown"
    controller = rule.controller.format(**words)[:LONGEST] or None
    return Component(name, rule.kind, client, version, controller)


@lru_cache(maxsize=CACHED)
def _fitting(caller: str) -> tuple[Rule, ...]:
    """Rules whose user agent fits, whoever the user is."""
    blocks = (block for anything, block in _blocks() if anything.match(caller))
    return tuple(rule for block in blocks for rule in block if rule.agents.match(caller))


@cache
def _blocks() -> tuple[tuple[re.Pattern[str], tuple[Rule, ...]], ...]:
    """Rules in blocks, each with one expression that tells whether anything of the block fits."""
    blocks = [rules()[first : first + BLOCK] for first in range(0, len(rules()), BLOCK)]
    texts = ("|".join(rule.agents.pattern for rule in block) for block in blocks)
    return tuple(zip((re.compile(text, re.IGNORECASE) for text in texts), blocks, strict=True))


def _identity(username: str) -> str:
    """Name that stands in for a generic user agent."""
    if username.startswith("system:node:"):
        return "kubelet"
    if not username.startswith("system:"):
        return username
    *_, namespace, name = username.split(":")
    generic = any(rule.generic for rule in _fitting(name))
    return f"{namespace}/{name}" if generic else name


def _suffix(user_agent: str) -> str:
    """What a client-go program adds after the commit; of an account only its name."""
    found = SUFFIX.search(user_agent)
    return found[1].rpartition(":")[2] if found else ""


def _tidy(user_agent: str) -> str:
    return " ".join(user_agent[:LOGGED].split())


def _rule(number: int, entry: Mapping[str, Any]) -> Rule:
    try:
        rule = Rule(**entry)
        _ = rule.agents, rule.users
    except (TypeError, ValueError, KeyError, re.error) as wrong:
        name = entry.get("component", "without a component")
        raise ValueError(f"component rule {number}, {name}: {wrong!r}") from wrong
    return rule
