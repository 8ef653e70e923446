"""F1 and exact sets of the localisers on public multi-dimensional shapes, as a Markdown table.

python -m bench.attribution.run_shapes -n 100 --sets B0 S L
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from .rivals.adtributor import adtributor
from .rivals.riskloc import riskloc
from .rivals.squeeze import squeeze
from .rivals.table import Element, Leaves, Localiser
from .shapes import SETS, Shape, shapes
from .shapes_ours import ours_on_leaves

LOCALISERS: tuple[tuple[str, Localiser], ...] = (
    ("ours, on leaves", ours_on_leaves),
    ("RiskLoc", riskloc),
    ("Squeeze", squeeze),
    ("Adtributor", adtributor),
)


@dataclass(frozen=True)
class Outcome:
    """Elements of one instance: found and planted, found only, planted only; CPU seconds."""

    hits: int
    false: int
    missed: int
    cpu_s: float
    given_up: bool

    @property
    def exact(self) -> bool:
        """Whether the answer is the planted set."""
        return not self.false and not self.missed


def main() -> None:
    """Print one row for each set and localiser; rows come as they are measured."""
    options = _options()
    print("| set | localiser | F1 | exact | n | CPU s | given up |\n|---|---|---|---|---|---|---|")
    for name in options.sets:
        outcomes: dict[str, list[Outcome]] = {label: [] for label, _ in LOCALISERS}
        for shape in shapes(name, options.n, options.seed):
            for label, localise in LOCALISERS:
                outcomes[label].append(measured(localise, shape, options.timeout))
        for label, found in outcomes.items():
            print(row(name, label, found), flush=True)


def measured(localise: Localiser, shape: Shape, timeout_s: float) -> Outcome:
    """The outcome of one instance; an answer that comes late, or needs too much memory, is none."""
    begun = time.process_time()
    found, given_up = _in_time(localise, shape.leaves, timeout_s)
    elapsed = time.process_time() - begun
    answer, truth = _as_set(found), _as_set(shape.truth)
    hits = len(answer & truth)
    return Outcome(hits, len(answer) - hits, len(truth) - hits, elapsed, given_up)


def row(name: str, label: str, outcomes: list[Outcome]) -> str:
    """One line of the table; F1 is over the elements of all instances together."""
    hits = sum(outcome.hits for outcome in outcomes)
    wrong = sum(outcome.false + outcome.missed for outcome in outcomes)
    count = len(outcomes)
    exact = sum(outcome.exact for outcome in outcomes) / count
    cpu = sum(outcome.cpu_s for outcome in outcomes) / count
    given_up = sum(outcome.given_up for outcome in outcomes)
    f1 = 2 * hits / max(2 * hits + wrong, 1)
    return f"| {name} | {label} | {f1:.3f} | {exact:.3f} | {count} | {cpu:.2f} | {given_up} |"


def _as_set(elements: Iterable[Element]) -> set[frozenset[tuple[str, int]]]:
    return {frozenset(element.items()) for element in elements}


def _in_time(localise: Localiser, leaves: Leaves, timeout_s: float) -> tuple[list[Element], bool]:
    try:
        with _alarm(timeout_s):
            return localise(leaves), False
    except (TimeoutError, MemoryError):
        return [], True


@contextmanager
def _alarm(timeout_s: float) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=20, help="instances of each set")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=["B0", "S", "L"])
    parser.add_argument("--timeout", type=float, default=90, help="CPU seconds for one instance")
    return parser.parse_args()


if __name__ == "__main__":
    main()
