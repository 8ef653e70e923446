"""Prose: the markdown of a notebook as markup of the page."""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any

import mistune
from markupsafe import Markup, escape


class _Renderer(mistune.HTMLRenderer):
    """Headings get a place to link to; raw HTML is shown as it is written."""

    def __init__(self) -> None:
        super().__init__(escape=True)

    def heading(self, text: str, level: int, **_: Any) -> str:
        anchor = escape(slug(text))
        link = f'<a class="permalink" href="#{anchor}" aria-label="Link to this section">#</a>'
        return f'<h{level} id="{anchor}">{text}{link}</h{level}>\n'


def prose(source: str) -> Markup:
    """Render markdown."""
    return Markup(_markdown()(source))


def slug(text: str) -> str:
    """Make an anchor of the markup of a heading: small letters, digits and hyphens."""
    words = html.unescape(re.sub(r"<[^>]*>", "", text))
    return re.sub(r"\W+", "-", words.lower()).strip("-")


@cache
def _markdown() -> Any:
    return mistune.create_markdown(renderer=_Renderer(), plugins=["table", "strikethrough"])
