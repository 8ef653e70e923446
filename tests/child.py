"""Commands in processes of their own, to be killed, stopped or starved."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from unittest.mock import patch

# Imported once and forked; what starts threads when imported is left to the child.
BARE = ("typer", "rich.progress", "httpx", "jinja2", "orjson", "pytest", "hypothesis", "isal")

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(list(BARE))


def start(
    words: list[str], said: Path, before: Callable[[], None] | None = None
) -> ForkServerProcess:
    """Run a command in a child; what it says goes to a file; `before` prepares the child."""
    process = CONTEXT.Process(target=_command, args=(words, said, tempfile.gettempdir(), before))
    process.start()
    return process


def finish(words: list[str], said: Path, before: Callable[[], None] | None = None) -> int:
    """Run a command in a child to its end; return its exit code, negative for a signal."""
    process = start(words, said, before)
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


def _command(words: list[str], said: Path, spools: str, before: Callable[[], None] | None) -> None:
    tempfile.tempdir = spools
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from kubepostmortem.cli import main

    sys.argv = ["kubepostmortem", *words]
    if before:
        before()
    main()


class DiesAt:
    """Makes the child die by kill -9 where it would call this function."""

    def __init__(self, function: str) -> None:
        self.function = function

    def __call__(self) -> None:
        """Replace the function, for good."""
        patch(self.function, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)).start()


class WritesAtMost:
    """Lets no file of the child grow beyond a number of bytes, as a full disk would."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self) -> None:
        """Set the limit; the signal that comes with it would end the child."""
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, resource.RLIM_INFINITY))
