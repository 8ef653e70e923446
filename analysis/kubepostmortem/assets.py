"""Files that come with the tool: notebooks, the recorded sample, tables of facts."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from kubepostmortem.errors import NoUsableInput

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent.parent


def bundled(name: str) -> Path:
    """Return the path of a bundled file or folder, like notebooks/postmortem.ipynb.

    It lies in the package where that was installed, and beside the source root in a checkout.
    Raises NoUsableInput where it is in neither.
    """
    for root in (PACKAGE / "bundled", CHECKOUT):
        if (root / name).exists():
            return root / name
    raise NoUsableInput(f"{name} does not come with this installation")


@cache
def packaged(name: str) -> dict[str, Any]:
    """Return what a TOML file of the package says; name: its path there, like collect.toml."""
    return tomllib.loads((PACKAGE / name).read_text(encoding="utf-8"))
