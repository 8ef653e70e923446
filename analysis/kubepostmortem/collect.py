"""What to collect and how: the commands of collect.toml, filled in for one incident."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from kubepostmortem.assets import packaged
from kubepostmortem.errors import UsageError
from kubepostmortem.incident import Window, iso, utc

ANY = "any"
USUAL = timedelta(hours=6)
PLACEHOLDER = re.compile(r"\{(\w+)\}")  # shell text holds such things too
MAKE_FOLDERS = "mkdir -p evidence/{audit,objects,metrics,log,settings,deploys,dns,people}"


@dataclass(frozen=True)
class Step:
    """Commands that collect one piece of evidence; collect.toml explains the fields."""

    platform: str
    evidence: str
    questions: Sequence[str]
    commands: Sequence[str]
    needs: str
    instead: Sequence[str] = ()
    note: str = ""


@cache
def steps() -> tuple[Step, ...]:
    """Steps of the package, as they are written: with placeholders."""
    return tuple(Step(**entry) for entry in packaged("collect.toml")["step"])


def platforms() -> Mapping[str, str]:
    """Platforms by id, and what each is."""
    known: Mapping[str, str] = packaged("collect.toml")["platforms"]
    return known


def kinds_of_evidence() -> Mapping[str, str]:
    """Kinds of evidence in the order of collecting, and what each tells."""
    known: Mapping[str, str] = packaged("collect.toml")["evidence"]
    return known


def span(since: str | None, until: str | None) -> Window:
    """Return the time to collect from ISO texts; six hours that end now where they are not given.

    Raises UsageError where a text is no time with a zone.
    """
    ends_at = utc(until) if until else datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    return Window(utc(since) if since else ends_at - USUAL, ends_at)


def plan(
    platform: str | None, window: Window, cluster: str, question: str | None = None
) -> list[Step]:
    """List the steps to take, ready to run: for a platform or all, for a question or all.

    Raises UsageError for an unknown platform or question, and where a name could leave a comment.
    """
    _refuse("platform", platform, platforms())
    _refuse("question", question, {id for step in steps() for id in step.questions})
    if not cluster.isprintable():
        raise UsageError("the name of a cluster holds no line breaks or control characters")
    words = _words(window, cluster)
    return [
        _filled(replace(step, platform=place), words)
        for place in ([platform] if platform else platforms())
        for kind in kinds_of_evidence()
        for step in steps()
        if step.evidence == kind
        and step.platform in (place, ANY)
        and (question is None or question in step.questions)
    ]


def ingest_command(cluster: str) -> str:
    """Return the command that reads all that the steps collect."""
    return f"kubepostmortem ingest evidence -d incident.duckdb --cluster {shlex.quote(cluster)}"


def script(planned: Sequence[Step], cluster: str) -> str:
    """Write a shell script; a step that fails, or lacks a variable, does not stop the others."""
    parts = [*map(_commented, planned), f"# Then, read it all\n{ingest_command(cluster)}\n"]
    return "\n".join([f"#!/usr/bin/env bash\n{MAKE_FOLDERS}\n", *parts])


def guide(planned: Sequence[Step], cluster: str) -> str:
    """Write the same as Markdown."""
    parts = [f"```bash\n{MAKE_FOLDERS}\n```\n", *map(_described, planned)]
    return "\n".join([*parts, f"## Then\n\n```bash\n{ingest_command(cluster)}\n```\n"])


def _commented(step: Step) -> str:
    lines = [
        f"# {step.platform}: {step.evidence}",
        f"# Answers: {', '.join(step.questions)}",
        f"# Needs: {step.needs}",
        *([f"# Note: {step.note}"] if step.note else []),
        "(",
        *step.commands,
        ")",
        *(f"# Or: {command}" for command in step.instead),
    ]
    return "\n".join(lines) + "\n"


def _described(step: Step) -> str:
    parts = [
        f"## {step.platform}: {step.evidence}\n",
        f"Answers {', '.join(f'`{id}`' for id in step.questions)}. Needs: {step.needs}.\n",
        *([f"{step.note}\n"] if step.note else []),
        "\n".join(["```bash", *step.commands, "```\n"]),
        *(f"Or:\n\n```bash\n{command}\n```\n" for command in step.instead),
    ]
    return "\n".join(parts)


def _filled(step: Step, words: Mapping[str, str]) -> Step:
    return replace(
        step,
        commands=[_fill(command, words) for command in step.commands],
        instead=[_fill(command, words) for command in step.instead],
    )


def _fill(command: str, words: Mapping[str, str]) -> str:
    """Put in snippets, then words, each in one pass: a value is never taken for a placeholder."""
    return _put_in(_put_in(command, packaged("collect.toml")["snippets"]), words).strip("\n")


def _put_in(command: str, texts: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: texts.get(found[1], found[0]), command)


def _words(window: Window, cluster: str) -> Mapping[str, str]:
    """Return the placeholders' values as shell words."""
    plain = {
        "cluster": cluster,
        "since": iso(window.begins_at),
        "until": iso(window.ends_at),
        "since_ms": str(_milliseconds(window.begins_at)),
        "until_ms": str(_milliseconds(window.ends_at)),
    }
    quoted = {name: shlex.quote(text) for name, text in plain.items()}
    return {**quoted, "metrics": shlex.join(packaged("collect.toml")["metrics"])}


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _refuse(what: str, name: str | None, known: Mapping[str, str] | set[str]) -> None:
    if name is not None and name not in known:
        raise UsageError(f"no {what} {name!r}; there are {', '.join(sorted(known))}")
