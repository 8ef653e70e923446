"""What is had by asking: each thing has a name, and is not asked for when it was read before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.spool import Spool

# Label, size (None: whichever), time of change: the format if read before.
Known = Callable[[str, int | None, int], str | None]


class Fetch(Protocol):
    """Something to ask for, which may come in several files."""

    def files(self, spool: Spool, known: Known) -> Iterator[InputFile]:
        """Yield what comes; what is known is not asked for. Raises NoUsableInput."""
