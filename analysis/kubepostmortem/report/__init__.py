"""Reports: notebooks executed into one self-contained page."""

from __future__ import annotations

from pathlib import Path


def postmortem_page(database: Path, page: Path, **parameters: str | int | float) -> Path:
    """Render the postmortem of an incident database; return the path of the page.

    The executed notebook is left beside the page. Further parameters are those that the notebook
    declares, like title. Raises DatabaseUnavailable, UsageError and NotebookFailed.
    """
    from kubepostmortem.report.render import notebook_path, render
    from kubepostmortem.store import Store

    Store.open(database).close()
    where = {"database": str(database.resolve())}
    return render(notebook_path("postmortem"), where | parameters, page)
