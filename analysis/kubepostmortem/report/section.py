"""Sections of a report: what a notebook cell returns, for a page and for a live notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2

from kubepostmortem.report import cells

# The part of a cell's output that becomes the page; a live notebook shows text/html.
PAGE = "text/vnd.kubepostmortem.page"


@dataclass(frozen=True)
class Section:
    """A template and its values; `says` is the section in one line of text."""

    template: str
    says: str
    values: Mapping[str, Any]

    def html(self, live: bool = False) -> str:
        """Render; live sections carry drawings that need no script."""
        return environment().get_template(self.template).render(live=live, **self.values)

    def _repr_html_(self) -> str:
        return self.html(live=True)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {PAGE: self.html()}

    def __repr__(self) -> str:
        return self.says


@cache
def environment() -> jinja2.Environment:
    """Templates of the package; everything is escaped unless it is marked as safe."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("kubepostmortem.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {
        "breakable": cells.breakable,
        "dated": cells.dated,
        "number": cells.number,
        "percent": cells.percent,
        "short_name": cells.short_name,
    }
    return made
