"""Does any test tell when a rule of flow control is broken? Breaks one after the other.

Each mutation of mutations.toml is made in a copy of the package, and the tests of flow control run
against that until one of them fails. Prints a table, and ends with 1 if a mutation survived.
Compiling would take longer than the tests, so they run without.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PACKAGE = Path("analysis/kubepostmortem")
MOST_CPU_S = 300  # a mutation that never ends is told, too
# Quick ones first. What draws 100,000 requests and more would take too long without compiling.
TESTS = (
    "test_hands_and_waits.py",
    "test_request_info.py",
    "test_allocation.py",
    "test_classify.py",
    "test_work.py",
    "test_vectors_tables.py",
    "test_vectors_classification.py",
    "test_clients.py",
    "test_reacting.py",
    "test_processor.py::test_requests_share_the_cores_equally",
    "test_processor.py::test_no_work_is_lost_and_none_is_made",
    "test_replay.py",
    "test_vectors_replay.py",
)
# One needs a database, the other one replays all scenarios once more.
LEFT_OUT = "test_the_macros_estimate_the_same or test_patient_clients"
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?: - .*)?$", re.MULTILINE)
SURVIVED = "**survived**"

Mutation = dict[str, str]


def main() -> int:
    """Try all mutations, or those whose rule contains a word; print what caught each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="of the rules to break")
    parser.add_argument("--at-once", type=int, default=1, help="mutations tried at the same time")
    arguments = parser.parse_args()
    known: list[Mutation] = tomllib.loads((HERE / "mutations.toml").read_text())["mutation"]
    chosen = [one for one in known if arguments.word.lower() in one["rule"].lower()]
    print("| rule | broken in | caught by |\n|---|---|---|", flush=True)
    with ThreadPoolExecutor(arguments.at_once) as pool, tempfile.TemporaryDirectory() as folder:
        # The code may be worked on meanwhile.
        sound = snapshot(Path(folder))
        tests = pool.map(lambda one: tried(one, sound), chosen)
        caught = [_told(one, test) for one, test in zip(chosen, tests, strict=True)]
    print(f"\n{sum(caught)} of {len(caught)} caught", file=sys.stderr)
    return 0 if all(caught) else 1


def _told(mutation: Mutation, test: str) -> bool:
    print(f"| {mutation['rule']} | {mutation['file']} | {test} |", flush=True)
    return test != SURVIVED


def snapshot(folder: Path) -> Path:
    """Copy the package and its tests."""
    without = shutil.ignore_patterns("__pycache__")
    for part in (PACKAGE, "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=without)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def tried(mutation: Mutation, sound: Path) -> str:
    """Return which test failed under a mutation."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(sound, Path(folder) / "copy"))
        mutate(copy / PACKAGE / "flowcontrol" / mutation["file"], mutation)
        return first_failure(copy)


def mutate(file: Path, mutation: Mutation) -> None:
    """Make one edit; ValueError where it is not clear which place is meant."""
    text = file.read_text()
    if text.count(mutation["old"]) != 1:
        raise ValueError(f"{mutation['rule']}: the text to replace is not once in {file.name}")
    file.write_text(text.replace(mutation["old"], mutation["new"]))


def first_failure(copy: Path) -> str:
    """Run the tests of a copy up to the first one that fails."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "--noconftest", "--hypothesis-seed=0"]
    tests = [f"tests/flowcontrol/{test}" for test in TESTS]
    command = [sys.executable, "-m", "pytest", *options, "-k", f"not ({LEFT_OUT})", *tests]
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": str(copy / "analysis"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, preexec_fn=_limit_time
    )
    if done.returncode < 0:
        return "(never ends)"
    if done.returncode == 0:
        return SURVIVED
    failed = FAILED.search(done.stdout)
    if failed is None:
        raise RuntimeError(done.stdout + done.stderr)
    return "`" + failed[1].removeprefix("tests/flowcontrol/") + "`"


def _limit_time() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))


if __name__ == "__main__":
    sys.exit(main())
