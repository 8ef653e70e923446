"""Render: execute a notebook with parameters, and make one page of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nbformat

from kubepostmortem.assets import bundled
from kubepostmortem.errors import CannotWrite, KubepostmortemError, UsageError
from kubepostmortem.report.exporter import page_of

Parameters = Mapping[str, str | int | float]


class NotebookFailed(KubepostmortemError):
    """A cell of a notebook raised; what was executed is kept."""


def render(notebook: Path, parameters: Parameters, page: Path, progress: bool = False) -> Path:
    """Execute the notebook with these parameters and write one page.

    The executed notebook is written beside the page, also where a cell fails. Raises UsageError
    for a parameter that the notebook does not declare, CannotWrite and NotebookFailed.
    """
    refuse_unknown(parameters, notebook)
    _make_folder(page.parent)
    executed = execute(notebook, parameters, page.with_suffix(".ipynb"), progress)
    page.write_text(page_of(executed), encoding="utf-8")
    return page


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failed:
        raise CannotWrite.because(folder, failed) from failed


def notebook_path(name: str) -> Path:
    """Return the path of a notebook that comes with the tool, like postmortem."""
    return bundled(f"notebooks/{name}.ipynb")


def refuse_unknown(parameters: Parameters, notebook: Path) -> None:
    """Raise UsageError for a parameter that the notebook does not declare."""
    import papermill

    declared = papermill.inspect_notebook(notebook)
    unknown = [name for name in parameters if name not in declared]
    if unknown:
        known = ", ".join(declared) or "none"
        raise UsageError(f"{notebook.name} has no parameter {', '.join(unknown)}; it has: {known}")


def execute(
    notebook: Path, parameters: Parameters, executed: Path, progress: bool = False
) -> nbformat.NotebookNode:
    """Execute with the interpreter of this process; keep the notebook, whatever happens."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    from kubepostmortem.report.kernel import ThisInterpreter

    options = {
        "progress_bar": progress,
        "kernel_manager_class": ThisInterpreter,
        "shutdown_kernel": "immediate",  # asked politely, an idle kernel complains of the interrupt
    }
    try:
        papermill.execute_notebook(notebook, executed, dict(parameters), **options)
    except papermill.PapermillExecutionError as failed:
        raise NotebookFailed(
            f"cell {failed.exec_count} of {notebook.name} failed: "
            f"{failed.ename}: {failed.evalue}; the executed notebook is {executed}"
        ) from failed
    except DeadKernelError as died:
        raise NotebookFailed(
            f"the process that ran {notebook.name} died, of too little memory perhaps; "
            f"the executed notebook is {executed}"
        ) from died
    kept: nbformat.NotebookNode = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    return kept
