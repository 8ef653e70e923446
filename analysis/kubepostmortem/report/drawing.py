"""Figures as a page embeds them: a Vega-Lite specification, or a static image."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from kubepostmortem.questions.question import Figure

# What could end or begin markup inside a <script> element, and line ends of old JavaScript.
# json.dumps escapes the latter and every other character beyond ASCII.
UNSAFE = {character: f"\\u{ord(character):04x}" for character in "<>&"}
# What no XML may hold, and so no SVG: drawing it would end the process.
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Drawing:
    """A figure, drawn."""

    figure: Figure

    @property
    def says(self) -> str:
        """The message of the chart: its caption, and what screen readers say."""
        return self.figure.says

    @cached_property
    def specification(self) -> dict[str, Any]:
        """Vega-Lite; altair is imported only where something is drawn."""
        from kubepostmortem.charts import CHARTS

        drawn: dict[str, Any] = CHARTS[self.figure.chart](self.figure.rows).to_dict()
        described: dict[str, Any] = _shown(drawn | {"description": self.says})
        return described

    @property
    def embedded(self) -> Markup:
        """JSON that is safe inside a script element, whatever the logs say."""
        return Markup(script_json(self.specification))

    @property
    def image(self) -> str:
        """A data URI of the chart as SVG on white, for live notebooks."""
        import vl_convert

        config = self.specification["config"] | {"background": "white"}
        svg = vl_convert.vegalite_to_svg(self.specification | {"config": config})
        return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _shown(value: Any) -> Any:
    """Write out the control characters in all texts of a specification, as \\x1b."""
    if isinstance(value, str):
        return NO_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), value)
    if isinstance(value, dict):
        return {_shown(key): _shown(one) for key, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, list) else value


def script_json(value: Any) -> str:
    """Write JSON without a character that could leave a script element."""
    text = json.dumps(value, separators=(",", ":"))
    return "".join(UNSAFE.get(character, character) for character in text)
