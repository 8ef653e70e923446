"""The page: self-contained, escaped, complete, and the same for the same evidence."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from markupsafe import escape

from kubepostmortem.errors import DatabaseUnavailable
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions import QUESTIONS
from kubepostmortem.report import postmortem_page
from kubepostmortem.report.statements import written

MOST_BYTES = 5_000_000


@dataclass
class Read(HTMLParser):
    """Elements of a page, and the text of its scripts."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._script: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        self._script = given if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts.append((self._script, data))
            self._script = None

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


def read(page: Path) -> Read:
    reader = Read()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


# Self-contained


def test_it_loads_nothing(page: Path) -> None:
    elements = read(page).elements
    loads = [
        value
        for _, attrs in elements
        for name, value in attrs.items()
        if name in ("src", "href", "srcset", "poster", "data", "action")
    ]
    assert all(value.startswith(("#", "data:")) for value in loads)
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in elements}


def test_its_style_loads_nothing(page: Path) -> None:
    style = re.search(r"<style>(.*?)</style>", page.read_text(encoding="utf-8"), re.DOTALL)
    assert style
    assert "@import" not in style[1]
    assert "url(" not in style[1]


def test_its_policy_knows_exactly_its_own_scripts(page: Path) -> None:
    found = read(page)
    (policy,) = (
        meta["content"]
        for meta in found.named("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    run = [text for attrs, text in found.scripts if attrs.get("type") != "application/json"]
    hashes = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run}
    assert len(run) == 2
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == hashes
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy


def test_it_stays_small(page: Path) -> None:
    assert page.stat().st_size < MOST_BYTES


# Hostile evidence


def test_no_evidence_becomes_markup(page: Path, hostile: str) -> None:
    found = read(page)
    executed = [text for attrs, text in found.scripts if "type" not in attrs]
    assert len(executed) == 2
    assert not any("onerror" in attrs for _, attrs in found.elements)
    assert all("hacked" not in text for text in executed)
    shown = page.read_text(encoding="utf-8").replace("<wbr>", "")
    assert "&lt;script&gt;window.hacked=1" in shown
    assert str(escape(hostile)) in shown


# Complete


def test_every_statement_is_in_the_appendix(page: Path, overloaded: Path) -> None:
    appendix = page.read_text(encoding="utf-8").partition('<ol class="statements">')[2]
    shown = html.unescape(appendix)
    for answer in Postmortem.open(overloaded).answers():
        for statement in answer.sql:
            assert written(statement) in shown


def test_every_question_has_a_card(page: Path) -> None:
    headings = read(page).named("h3")
    assert [h["id"] for h in headings if "data-short" in h] == [q.id for q in QUESTIONS]


def test_every_contents_link_and_label_has_its_place(page: Path) -> None:
    found = read(page)
    places = Counter(attrs["id"] for _, attrs in found.elements if "id" in attrs)
    links = [attrs["href"][1:] for attrs in found.named("a") if "href" in attrs]
    assert set(links) <= set(places)
    assert max(places.values()) == 1


def test_headings_have_one_order(page: Path) -> None:
    levels = [int(tag[1]) for tag, _ in read(page).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_figure_says_what_it_shows(page: Path) -> None:
    tags = [tag for tag, _ in read(page).elements]
    assert tags.count("figcaption") == tags.count("figure") >= 5
    assert all('"description":' in text for attrs, text in read(page).scripts if "type" in attrs)


def test_rejected_records_are_shown_with_their_reason(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("<wbr>", "")
    assert "Rejected records" in text
    assert "&lt;b&gt;not an event&lt;/b&gt;" in text


# Little evidence


def test_open_answers_say_what_to_collect(open_page: Path) -> None:
    text = open_page.read_text(encoding="utf-8")
    assert text.count('<span class="pill pill-open">open</span>') >= len(QUESTIONS)
    assert "<strong>requests</strong>: ingest an audit log" in text
    assert 'class="facts"' not in text


def test_an_empty_database_has_a_page(empty: Path, tmp_path: Path) -> None:
    text = postmortem_page(empty, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "No file was ingested." in text
    assert "<figure" not in text


def test_a_missing_database_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        postmortem_page(tmp_path / "none.duckdb", tmp_path / "page.html")
    assert not list(tmp_path.iterdir())
