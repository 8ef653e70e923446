"""The command line: data on standard output, all else on standard error, and exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import duckdb
import pytest

from kubepostmortem.cli import main
from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.questions import QUESTIONS
from kubepostmortem.store import Store
from planted import Storm, event, request, telemetry_storm, write_log

Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON; NaN and infinity are no JSON."""
        return json.loads(self.out, parse_constant=pytest.fail)


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; a traceback fails the test."""

    def command(*words: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["kubepostmortem", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        found = capsys.readouterr()
        assert "Traceback" not in found.err + found.out
        return Result(code, found.out, found.err)

    return command


def shell(script: str, **variables: object) -> subprocess.CompletedProcess[str]:
    """Run a shell script with pipes; `kpm` is the command."""
    kpm = f'{sys.executable} -c "from kubepostmortem.cli import main; main()"'
    given = os.environ | {name: str(value) for name, value in variables.items()}
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; kpm() {{ {kpm} "$@"; }}; {script}'],
        env=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="session")
def stormed(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Path:
    """A database of a small planted storm, with two lines that were rejected."""
    folder = tmp_path_factory.mktemp("stormed")
    log = write_log(
        folder / "audit.log",
        [*telemetry_storm(Storm(nodes=4, baseline_s=60, overload_s=60)), b"junk\n", b"{}\n"],
    )
    with Store.create(Path(copyfile(empty, folder / "incident.duckdb"))) as store:
        ingest(store, [log], "prod")
    return folder / "incident.duckdb"


@pytest.fixture
def mine(stormed: Path, tmp_path: Path) -> Path:
    """A copy of that database to change."""
    return Path(copyfile(stormed, tmp_path / "mine.duckdb"))


# ingest


def test_ingest_prints_its_summary_on_standard_error(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [*request(), b"junk\n"])
    result = run("ingest", log, "-d", tmp_path / "i.duckdb")
    assert (result.code, result.out) == (0, "")
    assert f"{log}: rejected 1 × not a JSON object" in result.err
    assert "1 files: 2 loaded, 1 rejected" in result.err


def test_ingest_again_says_so_and_adds_nothing(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", request())
    for said in ("2 loaded", "1 files read before"):
        result = run("ingest", log, "-d", tmp_path / "i.duckdb")
        assert result.code == 0
        assert said in result.err


def test_quiet_ingest_says_nothing(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [*request(), b"junk\n"])
    assert run("ingest", "-q", log, "-d", tmp_path / "i.duckdb") == Result(0, "", "")


def test_strict_ingest_loads_all_the_same_and_exits_with_4(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [*request(), b"junk\n"])
    result = run("ingest", "--strict", log, "-d", tmp_path / "i.duckdb")
    assert (result.code, result.out) == (4, "")
    assert "1 records were rejected" in result.err
    count = "select count(*) as n from requests"
    assert run("sql", count, "-o", "csv", "-d", tmp_path / "i.duckdb").out == "n\n1\n"


def test_a_strict_ingest_of_a_clean_log_succeeds(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", request())
    assert run("ingest", "--strict", log, "-d", tmp_path / "i.duckdb").code == 0


def useless(folder: Path) -> dict[str, Path]:
    """Inputs of which nothing can be used."""
    (folder / "nothing").mkdir()
    (folder / "empty.log").touch()
    (folder / "junk.txt").write_text("hello\nworld\n")
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "cut.log.gz").write_bytes(b"\x1f\x8b\x08\x00")
    (folder / "loop").symlink_to(folder / "loop")
    return {name: folder / name for name in USELESS}


USELESS = (
    "nothing",
    "empty.log",
    "junk.txt",
    "noise.bin",
    "cut.log.gz",
    "missing.log",
    "loop",
)


@pytest.mark.parametrize("name", USELESS)
def test_nothing_usable_exits_with_3_and_names_the_file(
    run: Run, tmp_path: Path, name: str
) -> None:
    path = useless(tmp_path)[name]
    for _ in range(2):
        result = run("ingest", path, "-d", tmp_path / "i.duckdb")
        assert (result.code, result.out) == (3, "")
        assert name == "nothing" or name in result.err
        assert result.err.startswith("kubepostmortem: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", request())
    log.chmod(0)
    result = run("ingest", log, "-d", tmp_path / "i.duckdb")
    assert result.code == 3
    assert str(log) in result.err


def test_a_hostile_file_name_is_shown_not_executed(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "a\x1b[2Jb.log", [*request(), b"junk\n"])
    result = run("ingest", log, "-d", tmp_path / "i.duckdb")
    assert "\x1b" not in result.err
    assert r"a\x1b[2Jb.log" in result.err


def test_a_file_name_that_is_no_utf8_is_read_and_read_once(run: Run, tmp_path: Path) -> None:
    write_log(tmp_path / "in" / os.fsdecode(b"a\xffb.log"), [*request(), b"junk\n"])
    results = [run("ingest", tmp_path / "in", "-d", tmp_path / "i.duckdb") for _ in range(2)]
    assert [result.code for result in results] == [0, 0]
    assert r"a\udcffb.log: rejected 1" in results[0].err
    assert "1 files read before" in results[1].err


def test_a_file_name_cannot_forge_a_line_of_the_summary(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "a\n9 files: 9 loaded", [*request(), b"junk\n"])
    result = run("ingest", log, "-d", tmp_path / "i.duckdb")
    assert not any(line.startswith("9 files") for line in result.err.splitlines())


def test_a_report_that_has_no_place_to_go_says_so(run: Run, mine: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    result = run("report", "-d", mine, "--out", tmp_path / "taken" / "page.html")
    assert result.code == 3
    assert "cannot write" in result.err


def test_ingest_into_something_else_is_refused(run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", request())
    (tmp_path / "notes.txt").write_text("mine" * 5000)
    result = run("ingest", log, "-d", tmp_path / "notes.txt")
    assert result.code == 3
    assert (tmp_path / "notes.txt").read_text() == "mine" * 5000


# inspect, window


def test_inspect_tells_what_became_of_every_record(run: Run, stormed: Path) -> None:
    (file,) = run("inspect", "-o", "json", "-d", stormed).json["files"]
    assert set(file) == {
        "path",
        "format",
        "lines",
        "loaded",
        "duplicates",
        "filtered",
        "rejected",
        "first",
        "last",
        "notes",
        "cluster",
    }
    assert file["format"] == "audit.k8s.io/v1 lines"
    assert file["rejected"] == {"not a JSON object": 2}
    assert file["lines"] == file["loaded"] + file["duplicates"] + file["filtered"] + 2
    assert file["first"].startswith("2026-03-01T12:00:0")
    assert file["last"].endswith("Z")


@pytest.mark.parametrize("how", ["table", "csv", "md", "jsonl"])
def test_inspect_prints_in_every_format(run: Run, stormed: Path, how: str) -> None:
    result = run("inspect", "-o", how, "-d", stormed)
    assert (result.code, result.err) == (0, "")
    assert "audit.log" in result.out


def test_inspect_tells_what_the_evidence_cannot_show(run: Run, stormed: Path) -> None:
    shown = run("inspect", "-o", "json", "-d", stormed).json
    assert list(shown) == ["files", "coverage", "limits"]
    assert {row["limit_kind"] for row in shown["limits"]} == {
        "no request counter",
        "rejected records",
    }
    table = run("inspect", "-d", stormed).out
    for row in shown["limits"]:
        assert f"- {row['severity']}: {row['says']}\n" in table


def test_inspect_shows_the_coverage_of_every_verb(run: Run, recorded: Path) -> None:
    rows = run("inspect", "-o", "json", "-d", recorded).json["coverage"]
    assert {"list", "get", "watch", "update"} <= {row["verb"] for row in rows}
    assert all(row["audited_share"] > 0.97 for row in rows)


def test_inspect_lists_rejected_records_with_their_place(run: Run, stormed: Path) -> None:
    rows = run("inspect", "--rejected", "-o", "json", "-d", stormed).json
    assert [row["excerpt"] for row in rows] == ["junk\n", "{}\n"]
    assert {row["reason"] for row in rows} == {"not a JSON object"}
    assert rows[1]["line"] == rows[0]["line"] + 1
    assert rows[1]["offset"] == rows[0]["offset"] + len("junk\n")
    assert rows[0]["file"].endswith("audit.log")


def windows(run: Run, database: Path) -> dict[str, tuple[str, str, str]]:
    rows = run("window", "-o", "json", "-d", database).json
    return {r["time_window"]: (r["begins_at"], r["ends_at"], r["chosen_by"]) for r in rows}


def test_window_shows_what_was_found(run: Run, stormed: Path) -> None:
    assert windows(run, stormed) == {
        "baseline": ("2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z", "change-point"),
        "overload": ("2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z", "change-point"),
    }


def test_window_sets_one_or_both_and_finds_them_again(run: Run, mine: Path) -> None:
    found = windows(run, mine)
    text = "2026-03-01T13:01:10+01:00/2026-03-01T12:01:30Z"
    assert run("window", "--overload", text, "-d", mine).code == 0
    assert windows(run, mine)["overload"] == (
        "2026-03-01T12:01:10Z",
        "2026-03-01T12:01:30Z",
        "user",
    )
    assert windows(run, mine)["baseline"] == found["baseline"]
    assert run("window", "--auto", "-d", mine).code == 0
    assert windows(run, mine) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-01T12:01:10/2026-03-01T12:01:30", "time without a zone"),
        ("2026-03-01T12:01:30Z/2026-03-01T12:01:10Z", "ends before it begins"),
        ("2026-03-01T12:01:30Z", "not a window"),
        ("yesterday/today", "not an ISO 8601 time"),
        ("0001-01-01T00:00:00+09:00/2026-03-01T12:01:10Z", "not an ISO 8601 time"),
    ],
)
@pytest.mark.parametrize("which", ["--baseline", "--overload"])
def test_a_bad_window_exits_with_2_and_changes_nothing(
    run: Run, stormed: Path, which: str, text: str, said: str
) -> None:
    before = stormed.read_bytes()
    result = run("window", which, text, "-d", stormed)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert stormed.read_bytes() == before


def test_a_window_of_one_of_two_clusters_needs_its_name(
    run: Run, mine: Path, tmp_path: Path
) -> None:
    log = write_log(tmp_path / "audit.log", request())
    run("ingest", log, "--cluster", "west", "-d", mine)
    text = "2026-03-01T12:00:00Z/2026-03-01T12:00:10Z"
    result = run("window", "--baseline", text, "-d", mine)
    assert result.code == 2
    assert "prod, west" in result.err
    assert run("window", "--baseline", text, "--cluster", "nowhere", "-d", mine).code == 2
    assert run("window", "--baseline", text, "--cluster", "west", "-d", mine).code == 0


# ask, questions


@pytest.mark.parametrize("question", [question.id for question in QUESTIONS])
def test_an_answer_for_machines_has_exactly_these_fields_and_is_the_same_every_time(
    run: Run, recorded: Path, question: str
) -> None:
    result, again = (run("ask", question, "-o", "json", "-d", recorded) for _ in range(2))
    assert result == again
    assert (result.code, result.err) == (0, "")
    answer = result.json
    assert list(answer) == [
        "question",
        "status",
        "confidence",
        "headline",
        "evidence",
        "caveats",
        "missing",
        "sql",
    ]
    assert answer["question"] == question
    assert answer["status"] in ("answered", "open")
    assert answer["confidence"] in ("high", "medium", "low", "none")
    assert all(set(missing) == {"evidence", "collect"} for missing in answer["missing"])
    assert all(set(statement) == {"shows", "sql", "parameters"} for statement in answer["sql"])


@pytest.mark.parametrize("question", [question.id for question in QUESTIONS])
def test_an_answer_for_people_leads_with_its_headline(
    run: Run, recorded: Path, question: str
) -> None:
    result = run("ask", question, "-d", recorded)
    first, blank, headline = result.out.splitlines()[:3]
    assert first.startswith(f"{question}: ")
    assert (blank, bool(headline)) == ("", True)
    assert "get of  is" not in headline
    assert "  " not in headline


@pytest.mark.parametrize("question", [question.id for question in QUESTIONS])
def test_every_statement_of_an_answer_runs_in_a_plain_client(recorded: Path, question: str) -> None:
    postmortem = Postmortem.open(recorded)
    statements = postmortem.ask(question).sql
    expected = [postmortem.store.frame(s.sql, **s.parameters) for s in statements]
    postmortem.store.close()
    assert statements
    with duckdb.connect(str(recorded), read_only=True) as client:
        client.execute("set TimeZone = 'UTC'")
        for statement, rows in zip(statements, expected, strict=True):
            found = client.sql(statement.sql, params=dict(statement.parameters) or None).pl()
            assert statement.shows
            assert (found.columns, found.height) == (rows.columns, rows.height)


@pytest.mark.parametrize("question", [question.id for question in QUESTIONS])
def test_a_database_without_evidence_gives_an_open_answer(
    run: Run, empty: Path, question: str
) -> None:
    answer = run("ask", question, "-o", "json", "-d", empty).json
    assert (answer["status"], answer["confidence"]) == ("open", "none")
    assert answer["missing"]


@pytest.mark.parametrize("which", ["baseline", "overload"])
def test_a_single_window_gives_no_traceback_and_no_certainty(
    run: Run, tmp_path: Path, empty: Path, which: str
) -> None:
    database = Path(copyfile(empty, tmp_path / "i.duckdb"))
    log = write_log(tmp_path / "audit.log", [event(f"{i}", received=i) for i in range(20)])
    run("ingest", log, "-d", database)
    run("window", f"--{which}", "2026-03-01T12:00:05Z/2026-03-01T12:00:15Z", "-d", database)
    for question in QUESTIONS:
        result = run("ask", question.id, "-o", "json", "-d", database)
        assert result.code == 0
        assert result.json["confidence"] in ("none", "low")


def test_windows_in_the_wrong_order_give_no_traceback(run: Run, mine: Path) -> None:
    run("window", "--overload", "2026-03-01T12:00:00Z/2026-03-01T12:00:20Z", "-d", mine)
    run("window", "--baseline", "2026-03-01T12:01:00Z/2026-03-01T12:01:30Z", "-d", mine)
    for question in QUESTIONS:
        assert run("ask", question.id, "-d", mine).code == 0


def test_questions_lists_them_in_the_order_of_the_report(run: Run) -> None:
    rows = run("questions", "-o", "json").json
    assert [row["question"] for row in rows] == [question.id for question in QUESTIONS]
    assert all(row["text"] and row["needs"] for row in rows)


# sql


FORMATS = {
    "json": lambda out: json.loads(out),
    "jsonl": lambda out: [json.loads(line) for line in out.splitlines()],
    "csv": lambda out: [
        {"n": int(row["n"]), "t": row["t"]} for row in csv.DictReader(io.StringIO(out))
    ],
    "md": lambda out: [
        {"n": int(n), "t": t}
        for n, t in (line.strip("| ").split(" | ") for line in out.splitlines()[2:])
    ],
    "table": lambda out: [
        {"n": int(n), "t": t} for n, t in (line.split() for line in out.splitlines()[1:])
    ],
}


@pytest.mark.parametrize("how", FORMATS)
def test_sql_prints_rows_in_every_format(run: Run, stormed: Path, how: str) -> None:
    statement = (
        "select i as n, timestamp '2026-03-01 12:00:00' as t from range(3) as r(i) order by i"
    )
    result = run("sql", statement, "-o", how, "-d", stormed)
    assert (result.code, result.err) == (0, "")
    assert FORMATS[how](result.out) == [{"n": n, "t": "2026-03-01T12:00:00Z"} for n in range(3)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("selec 1", "syntax error"),
        ("from no_such", "no_such"),
        ("select 'x'::int", "Conversion Error"),
        ("insert into clusters values ('x')", "read-only"),
        ("from read_text('/etc/passwd')", "disabled by configuration"),
        ("select interval 1 day", "cast it to varchar"),
        ("select $missing", "missing"),
    ],
)
def test_sql_that_fails_exits_with_2_and_says_why(
    run: Run, stormed: Path, statement: str, said: str
) -> None:
    result = run("sql", statement, "-d", stormed)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("statement", ["", "/* nothing */", ";"])
def test_sql_that_says_nothing_is_no_failure(
    run: Run, stormed: Path, statement: str, how: str
) -> None:
    assert run("sql", statement, "-o", how, "-d", stormed).code == 0


def test_sql_reads_standard_input(run: Run, stormed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("select 42 as n"))
    assert run("sql", "-", "-o", "csv", "-d", stormed).out == "n\n42\n"


# Usage


@pytest.mark.parametrize(
    "words",
    [
        ("ask", "who-is-to-blame", "-d", "{stormed}"),
        ("frobnicate",),
        ("ask",),
        ("ask", "who-grew", "-o", "xml", "-d", "{stormed}"),
        ("ingest",),
        ("ingest", "{stormed}", "--taken-at", "noon", "-d", "{new}"),
        ("ingest", "{stormed}", "--taken-at", "2026-03-01T12:00:00", "-d", "{new}"),
    ],
)
def test_what_cannot_be_meant_exits_with_2(
    run: Run, stormed: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    new = tmp_path / "new.duckdb"
    result = run(*(word.format(stormed=stormed, new=new) for word in words))
    assert (result.code, result.out) == (2, "")
    assert result.err
    assert not new.exists()


@pytest.mark.parametrize(
    "words",
    [("ask", "who-grew"), ("inspect",), ("window",), ("window", "--auto"), ("sql", "select 1")],
)
def test_a_missing_database_exits_with_3_and_is_not_made(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = run(*words, "-d", tmp_path / "none.duckdb")
    assert (result.code, result.out) == (3, "")
    assert "none.duckdb" in result.err
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out.startswith("kubepostmortem ")


# As processes


def test_a_pipe_that_closes_early_is_no_failure_to_talk_about(recorded: Path) -> None:
    done = shell('kpm sql "from requests" -o jsonl -d "$DATABASE" | head -n 2', DATABASE=recorded)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


def test_pipes_get_data_only_whatever_the_terminal_and_zone(tmp_path: Path) -> None:
    storm = Storm(nodes=2, baseline_s=60, overload_s=30)
    log = write_log(tmp_path / "audit.log", telemetry_storm(storm))
    done = shell(
        'kpm ingest "$LOG" -d "$DATABASE" && kpm inspect -o json -d "$DATABASE"',
        LOG=log,
        DATABASE=tmp_path / "i.duckdb",
        TZ="Asia/Kathmandu",
        FORCE_COLOR="1",
        TERM="xterm-256color",
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["files"][0]["first"].startswith("2026-03-01T12:00:")
    assert "\x1b" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_interrupt_ends_it_at_once_and_quietly(tmp_path: Path) -> None:
    Store.create(tmp_path / "i.duckdb").close()
    endless = "select sum(hash(a.range + b.range)) from range(10000000) a, range(10000000) b"
    code = "from kubepostmortem.cli import main; main()"
    command = [sys.executable, "-c", code, "sql", endless, "-d", str(tmp_path / "i.duckdb")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.communicate(timeout=6)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode in (-signal.SIGINT, 130)
    assert (out, err) == (b"", b"")


def test_a_path_that_is_not_there_leaves_no_database_behind(run: Run, tmp_path: Path) -> None:
    database = tmp_path / "i.duckdb"
    assert run("ingest", tmp_path / "nowhere", "-d", database).code == 3
    assert not database.exists()
