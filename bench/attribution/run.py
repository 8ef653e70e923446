"""Scores localisers on generated incidents; prints Markdown tables, or JSON.

    python -m bench.attribution.run --seeds report -n 22
    python -m bench.attribution.run --by scenario --localiser ours

`-n` is the number of incidents per scenario and table. Overlays take turns, so a multiple of their
number gives each the same weight. The seeds of the report are never used for tuning.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from .generate import generate
from .incident import Incident, Localiser
from .localisers import localisers
from .mechanism import Scenario
from .overlays import OVERLAYS, PLAIN, Overlay
from .scenarios import HELD_OUT, SCENARIOS
from .score import Score, Summary, score, summary

SEEDS = {"tune": 0, "report": 1_000_000}
COLUMNS = (
    "n", "exact", "top-1", "top-3", "F1", "onset s", "onset s, p90", "decoys accused", "seconds",
)  # fmt: skip
Named = tuple[str, Scenario]


@dataclass(frozen=True)
class Table:
    """The incidents of one table: which scenarios are crossed with which overlays."""

    name: str
    scenarios: tuple[Named, ...]
    overlays: tuple[Overlay, ...]
    hard: bool = False

    def incidents(self, first_seed: int, number: int) -> Iterator[Incident]:
        """So many per scenario; overlays take turns."""
        for name, scenario in self.scenarios:
            for i in range(number):
                overlay = self.overlays[i % len(self.overlays)]
                yield generate(name, scenario, overlay, first_seed + i, hard=self.hard)


@dataclass(frozen=True)
class Result:
    """One prediction's marks, and what they were given for."""

    table: str
    localiser: str
    scenario: str
    overlay: str
    seed: int
    score: Score


TABLES = (
    Table("plain", SCENARIOS, (PLAIN,)),
    Table("all crossings", SCENARIOS, OVERLAYS),
    Table("hard", SCENARIOS, OVERLAYS, hard=True),
    Table("held out", HELD_OUT, OVERLAYS),
    Table("held out, hard", HELD_OUT, OVERLAYS, hard=True),
)


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    chosen = {name: localisers()[name] for name in options.localiser or localisers()}
    show = _print_by_scenario if options.by == "scenario" else _print_by_localiser
    results: list[Result] = []
    for table in TABLES:
        if table.name in (options.table or [table.name]):
            results += (marks := list(run(table, chosen, SEEDS[options.seeds], options.n)))
            if not options.json:
                show(marks)
    if options.json:
        print(json.dumps([asdict(result) for result in results]))


def run(
    table: Table, chosen: dict[str, Localiser], first_seed: int, number: int
) -> Iterator[Result]:
    """Give each incident to each localiser."""
    for incident in table.incidents(first_seed, number):
        for name, localiser in chosen.items():
            begun = time.perf_counter()
            prediction = localiser(incident)
            seconds = time.perf_counter() - begun
            marks = score(incident, prediction, seconds)
            yield Result(table.name, name, incident.name, incident.overlay, incident.seed, marks)


def _print_by_localiser(results: Sequence[Result]) -> None:
    for table in dict.fromkeys(result.table for result in results):
        print(f"\n### {table}\n\n| localiser | {' | '.join(COLUMNS)} |")
        print("|---" * (len(COLUMNS) + 1) + "|")
        for name in dict.fromkeys(result.localiser for result in results):
            scores = [r.score for r in results if (r.table, r.localiser) == (table, name)]
            print(f"| {name} | {_cells(summary(scores))} |")


def _print_by_scenario(results: Sequence[Result]) -> None:
    """The share of exact answers; scenarios down, overlays across."""
    overlays = list(dict.fromkeys(result.overlay for result in results))
    for table, name in dict.fromkeys((result.table, result.localiser) for result in results):
        here = [r for r in results if (r.table, r.localiser) == (table, name)]
        print(f"\n### {name}, {table}: exact\n\n| scenario | all | {' | '.join(overlays)} |")
        print("|---" * (len(overlays) + 2) + "|")
        for scenario in (*dict.fromkeys(result.scenario for result in here), "all"):
            rows = [r for r in here if scenario in (r.scenario, "all")]
            shares = [_exact(rows)] + [
                _exact([r for r in rows if r.overlay == overlay]) for overlay in overlays
            ]
            print(f"| {scenario} | {' | '.join(shares)} |")


def _exact(results: Sequence[Result]) -> str:
    return f"{summary([r.score for r in results]).exact:.2f}" if results else ""


def _cells(marks: Summary) -> str:
    shares = (marks.exact, marks.top1, marks.top3, marks.f1)
    onsets = (marks.onset_median_s, marks.onset_p90_s)
    texts = (
        str(marks.incidents), *(f"{share:.3f}" for share in shares),
        *(f"{onset:.0f}" for onset in onsets), f"{marks.accused:.3f}", f"{marks.seconds:.3f}",
    )  # fmt: skip
    return " | ".join("" if text == "nan" else text for text in texts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("-n", type=int, default=len(OVERLAYS), help="incidents per scenario")
    parser.add_argument("--seeds", choices=tuple(SEEDS), default="tune")
    parser.add_argument("--by", choices=("localiser", "scenario"), default="localiser")
    parser.add_argument("--table", action="append", choices=[table.name for table in TABLES])
    parser.add_argument("--localiser", action="append", help="all if not given")
    parser.add_argument("--json", action="store_true", help="one record per prediction")
    return parser.parse_args()


if __name__ == "__main__":
    main()
