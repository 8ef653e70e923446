"""The alert rules we know, as alerts.toml has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from promql_parser import parse_duration

from kubepostmortem.alerts.parsing import parse
from kubepostmortem.alerts.syntax import Expression, Matcher, Selector
from kubepostmortem.alerts.walking import reach_ms, rewritten, selectors
from kubepostmortem.assets import packaged

FILE = "alerts.toml"


@dataclass(frozen=True, slots=True)
class Source:
    """Where rules come from."""

    name: str
    title: str
    version: str
    link: str
    standard: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule; alerts.toml explains the fields. One of expression and relation is given."""

    name: str
    variant: str
    source: Source
    severity: str
    hold_ms: int
    tells: str
    expression: Expression | None = None
    relation: str = ""
    above: float = 0.0
    gone: str = ""

    @property
    def title(self) -> str:
        """Its name, and which of several rules of that name it is."""
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that it reads."""
        if self.expression is None:
            return ()
        return tuple(dict.fromkeys(one.metric for one in selectors(self.expression)))

    @property
    def reach_ms(self) -> int:
        """How far back it looks."""
        return 0 if self.expression is None else reach_ms(self.expression)


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order of the file."""
    return read(packaged(FILE))


@cache
def jobs() -> Mapping[str, str]:
    """Values of the label job in our rules, and a pattern of what others call it."""
    known: Mapping[str, str] = packaged(FILE)["jobs"]
    return known


def read(text: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Read rules. Raises CannotEvaluate for an expression that is no PromQL."""
    sources = {name: Source(name, **told) for name, told in text["sources"].items()}
    records = _records(text.get("record", ()))
    return tuple(_rule(entry, sources, records) for entry in text["alert"])


def _records(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Expression]:
    """Return recording rules by name; one entry stands for several where it names windows."""
    found: dict[str, Expression] = {}
    for entry in entries:
        for window in entry.get("windows", [""]):
            text = entry["expr"].replace("$window", window)
            name = entry["name"].replace("$window", window)
            found[name] = _inlined(parse(text), found)
    return found


def _rule(
    entry: Mapping[str, Any], sources: Mapping[str, Source], records: Mapping[str, Expression]
) -> Rule:
    known = {name: entry[name] for name in ("relation", "above", "gone") if name in entry}
    return Rule(
        name=entry["name"],
        variant=entry.get("variant", ""),
        source=sources[entry["source"]],
        severity=entry["severity"],
        hold_ms=round(parse_duration(entry["for"]).total_seconds() * 1000) if "for" in entry else 0,
        tells=entry["tells"],
        expression=_inlined(parse(entry["expr"]), records) if "expr" in entry else None,
        **known,
    )


def _inlined(expression: Expression, records: Mapping[str, Expression]) -> Expression:
    """Put in the expressions of recording rules where their series are asked for."""
    return rewritten(expression, lambda one: records.get(one.metric, one))


def without_refusals(expression: Expression) -> Expression:
    """Leave requests answered 429 out of what is divided by: of totals of all codes."""

    def change(selector: Selector) -> Selector:
        named = {one.label for one in selector.matchers}
        if selector.metric != "apiserver_request_total" or "code" in named:
            return selector
        matchers = (*selector.matchers, Matcher("code", "!=", "429"))
        return Selector(selector.metric, matchers, selector.offset_ms)

    return rewritten(expression, change)
