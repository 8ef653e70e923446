"""How often the 95 % intervals of the ledger hold the truth where nothing changed.

python -m bench.attribution.intervals -n 80
"""

from __future__ import annotations

import argparse

from .generate import generate
from .localisers import attributed
from .overlays import PLAIN
from .scenarios import SCENARIOS

FIRST_SEED = 5_000


def main() -> None:
    """Print, by measure, the share of quiet incidents whose interval of the total holds zero."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("-n", type=int, default=80, help="incidents")
    number = parser.parse_args().n
    none = dict(SCENARIOS)["none"]
    held = {"requests": 0, "demand": 0}
    for seed in range(FIRST_SEED, FIRST_SEED + number):
        totals = attributed(generate("none", none, PLAIN, seed)).ledger.totals
        for measure in held:
            held[measure] += totals[measure].low <= 0 <= totals[measure].high
    for measure, times in held.items():
        print(f"{measure}: {times / number:.2f} of {number}")


if __name__ == "__main__":
    main()
