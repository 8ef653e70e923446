"""Contents: the title and the headings of a page, read from its markup."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

LEVELS = {"h1": 1, "h2": 2, "h3": 3}


@dataclass
class Heading:
    """A heading that has a place to link to."""

    level: int
    anchor: str
    text: str = ""
    status: str = ""


@dataclass
class _Reader(HTMLParser):
    headings: list[Heading] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: Heading | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in LEVELS and "id" in given:
            short, status = given.get("data-short", ""), given.get("data-status", "")
            self.headings.append(Heading(LEVELS[tag], given["id"], short, status))
            self._open = None if short else self.headings[-1]
        elif tag == "a":
            self._open = None  # the permalink is no part of the heading

    def handle_endtag(self, tag: str) -> None:
        if tag in LEVELS:
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.text += data


def outline(markup: str) -> tuple[str, list[Heading]]:
    """Return the text of the first h1, and the h2 and h3 that have an id."""
    reader = _Reader()
    reader.feed(markup)
    title = next((heading.text.strip() for heading in reader.headings if heading.level == 1), "")
    return title, [heading for heading in reader.headings if heading.level > 1]
