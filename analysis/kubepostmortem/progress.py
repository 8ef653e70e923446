"""Progress on a terminal; nothing in pipes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from kubepostmortem.sources.meter import Progress as Report


@contextmanager
def progress() -> Iterator[Report | None]:
    """Give a function that shows how much is done, or None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),  # a path is no markup
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, amount="")

        def show(done: int, total: int, in_bytes: bool, name: str) -> None:
            amount = f"{decimal(done)} of {decimal(total)}" if in_bytes else f"{done}/{total} files"
            bar.update(task, completed=done, total=total, description=name[-40:], amount=amount)

        yield show
