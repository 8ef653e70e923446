"""The page as a format of nbconvert, for `jupyter nbconvert --to kubepostmortem` too."""

from __future__ import annotations

from typing import Any

import nbformat
from nbconvert.exporters import Exporter
from traitlets.config import Config

from kubepostmortem.report.assemble import assemble

ONLY_IN_NOTEBOOK = "remove_cell"  # the tag that Jupyter Book uses, too


class PageExporter(Exporter):
    """Turns an executed notebook into one page that loads nothing from anywhere."""

    export_from_notebook = "Postmortem page"

    @property
    def default_config(self) -> Config:
        """Cells with the tag stay in the notebook."""
        removal = {"enabled": True, "remove_cell_tags": {ONLY_IN_NOTEBOOK}}
        return Config({"TagRemovePreprocessor": removal})

    def _file_extension_default(self) -> str:
        return ".html"

    def from_notebook_node(  # type: ignore[override]  # as all text exporters of nbconvert do
        self, nb: nbformat.NotebookNode, resources: Any = None, **options: Any
    ) -> tuple[str, Any]:
        """Return the page and the resources of nbconvert."""
        prepared, resources = super().from_notebook_node(nb, resources, **options)
        return assemble(prepared), resources


def page_of(notebook: nbformat.NotebookNode) -> str:
    """Return the page of an executed notebook."""
    page, _ = PageExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]
    return page
