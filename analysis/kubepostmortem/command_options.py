"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Database = Annotated[
    Path, typer.Option("--database", "-d", help="Incident database, a DuckDB file.")
]
DEFAULT_DATABASE = Path("incident.duckdb")
