"""How the simulation reads evidence."""

from __future__ import annotations

from typing import Any, Protocol

import polars as pl


class Asks(Protocol):
    """Runs statements, and keeps for each what it gives, in words."""

    def frame(self, shows: str, sql: str, **parameters: Any) -> pl.DataFrame:
        """Return the rows of a statement; parameters are bound by name."""
