"""Assemble: an executed notebook becomes one page that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import metadata, resources

import nbformat
from markupsafe import Markup

from kubepostmortem.report.contents import outline
from kubepostmortem.report.prose import prose
from kubepostmortem.report.section import PAGE, environment

GLOBALS = "window.vegaEmbed = vegaEmbed;"  # what the page uses of the bundle


def assemble(notebook: nbformat.NotebookNode) -> str:
    """Return the page: prose and outputs of the notebook, without its code."""
    body = Markup("\n").join(_parts(notebook))
    title, headings = outline(body)
    scripts = [vega(), _asset("page.js")]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=title or "Postmortem",
            body=body,
            headings=headings,
            policy=policy(scripts),
            style=Markup(_asset("page.css")),
            scripts=[Markup(script) for script in scripts],
            made_by=_made_by(),
            rendered=_rendered(),
        )
    )


def policy(scripts: Sequence[str]) -> str:
    """Content security policy: no loads at all, and no script but these, by their hashes.

    Vega needs no unsafe-eval, since the page has it interpret its expressions.
    """
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, fit for a script element."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(GLOBALS)
    return bundle.replace("</script", "<\\/script")


def _parts(notebook: nbformat.NotebookNode) -> Iterator[Markup]:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield prose(cell.source)
        for output in cell.get("outputs", []):
            yield _output(output)


def _output(output: Mapping[str, object]) -> Markup:
    """Sections become markup; what is not ours is shown as an image or as text."""
    if output.get("output_type") == "stream":
        return _text(str(output.get("text"))) if output.get("name") == "stdout" else Markup()
    data = output.get("data")
    if not isinstance(data, Mapping):
        return Markup()
    for kind, write in _WRITERS.items():
        if kind in data:
            return write(str(data[kind]))
    return Markup()


def _text(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(text)


def _image(encoded: str) -> Markup:
    base64.b64decode(encoded)
    return Markup('<img alt="Output of the notebook" src="data:image/png;base64,{}">').format(
        encoded
    )


_WRITERS: Mapping[str, Callable[[str], Markup]] = {
    PAGE: Markup,
    "image/png": _image,
    "text/plain": _text,
}


def _asset(name: str) -> str:
    path = resources.files("kubepostmortem.report").joinpath("templates", name)
    return path.read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _made_by() -> str:
    try:
        return f"kubepostmortem {metadata.version('kubepostmortem')}"
    except metadata.PackageNotFoundError:
        return "kubepostmortem"


def _rendered() -> str:
    """The date of SOURCE_DATE_EPOCH; else none, so that equal evidence gives equal bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return f"{datetime.fromtimestamp(int(epoch), UTC):%Y-%m-%d}" if epoch.isdigit() else ""
