"""The database file: its model, its data dictionary, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from kubepostmortem import model
from kubepostmortem.errors import DatabaseUnavailable, MissingEvidence, QueryFailed
from kubepostmortem.model import COMMENTS_FROM, MACROS, MODEL, TABLE_MACROS, TABLES, VIEWS
from kubepostmortem.store import Store

SQL = Path(model.__file__).parent / "sql"


@pytest.fixture
def opened(empty: Path) -> Iterator[Store]:
    with Store.open(empty) as store:
        yield store


# The model


@pytest.mark.parametrize(
    ("folder", "names"),
    [("tables", TABLES), ("views", VIEWS), ("macros", (*MACROS, *TABLE_MACROS))],
)
def test_the_model_lists_every_file(folder: str, names: tuple[str, ...]) -> None:
    assert sorted(names) == sorted(path.stem for path in (SQL / folder).glob("*.sql"))


@pytest.mark.parametrize("name", MODEL)
def test_a_file_begins_with_what_a_row_is_and_is_named_after_its_relation(name: str) -> None:
    text = model.statement(name)
    assert text.startswith("-- ")
    assert f" {name.partition('/')[2]}" in text.partition("create ")[2].partition("\n")[0]


def test_every_relation_has_a_comment(opened: Store) -> None:
    lacking = opened.frame(
        "select table_name from duckdb_tables() where not internal and comment is null "
        "union all select view_name from duckdb_views() where not internal and comment is null "
        "union all select function_name from duckdb_functions() "
        "where not internal and comment is null"
    )
    assert lacking.rows() == []


def test_every_column_has_a_comment(opened: Store) -> None:
    columns = opened.frame(
        "select table_name, column_name, comment from duckdb_columns() where not internal"
    )
    assert columns["table_name"].unique().len() == len(TABLES) + len(VIEWS)
    assert columns.filter(pl.col("comment").is_null() | (pl.col("comment") == "")).rows() == []


@pytest.mark.parametrize("view", COMMENTS_FROM)
def test_a_column_handed_through_keeps_its_comment(opened: Store, view: str) -> None:
    differing = opened.frame(
        "select v.column_name from duckdb_columns() as v "
        "join duckdb_columns() as o using (column_name) "
        "where v.table_name = $view and o.table_name = $origin and v.comment <> o.comment",
        view=view,
        origin=COMMENTS_FROM[view],
    )
    assert differing.rows() == []


@pytest.mark.parametrize("relation", [*TABLES, *VIEWS, "load_between(now(), now())"])
def test_every_relation_runs_in_a_plain_client_and_is_empty_at_first(
    empty: Path, relation: str
) -> None:
    with duckdb.connect(str(empty), read_only=True) as client:
        assert len(client.sql(f"from {relation}").fetchall()) == (relation == "model")


@pytest.mark.parametrize("how", ["open", "create"])
def test_a_database_of_an_older_model_is_brought_up_to_date(tmp_path: Path, how: str) -> None:
    path = tmp_path / "incident.duckdb"
    with Store.create(path) as store:
        store.run("update model set fingerprint = 'older'")
        store.run("create or replace view timeline as select 1 as only")
        store.run("insert into clusters values ('kept')")
    with getattr(Store, how)(path) as store:
        assert "happened_at" in store.frame("from timeline").columns
        assert store.value("select cluster from clusters") == "kept"


def test_building_the_model_fails_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "incident.duckdb"
    monkeypatch.setattr("kubepostmortem.store.MODEL", (*MODEL[:5], "views/timeline"))
    with pytest.raises(QueryFailed):
        Store.create(path)
    monkeypatch.undo()
    with Store.create(path) as store:
        assert not store.has("requests")


# Files that are no database of ours


@pytest.mark.parametrize("how", ["open", "create"])
@pytest.mark.parametrize("name", ["incident.duckdb", "block-clock.duckdb"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, how: str, name: str) -> None:
    (tmp_path / name).write_bytes(b"certainly no database " * 1000)
    with pytest.raises(DatabaseUnavailable, match=rf"{name} is not a DuckDB database"):
        getattr(Store, how)(tmp_path / name)


@pytest.mark.parametrize("how", ["open", "create"])
def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path, how: str) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as client:
        client.execute("create table theirs as select 1 as one")
    with pytest.raises(DatabaseUnavailable, match="not of kubepostmortem"):
        getattr(Store, how)(path)
    with duckdb.connect(str(path)) as client:
        assert client.execute("show tables").fetchall() == [("theirs",)]


def test_a_missing_database_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"no database at .*ingest"):
        Store.open(tmp_path / "none.duckdb")
    assert not (tmp_path / "none.duckdb").exists()


@pytest.mark.parametrize("how", ["open", "create"])
def test_a_folder_is_no_database(tmp_path: Path, how: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot use"):
        getattr(Store, how)(tmp_path)


def test_an_empty_database_of_duckdb_becomes_ours(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(DatabaseUnavailable, match="not of kubepostmortem"):
        Store.open(path)
    with Store.create(path) as store:
        assert not store.has("requests")


@pytest.mark.parametrize("how", ["open", "create"])
def test_a_database_that_another_process_writes_is_busy(
    empty: Path, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "incident.duckdb"
    path.write_bytes(empty.read_bytes())
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(DatabaseUnavailable, match="another process"):
            getattr(Store, how)(path)
        holder.communicate("\n")
    getattr(Store, how)(path).close()


def test_a_database_can_be_opened_twice_to_read(opened: Store) -> None:
    with Store.open(opened.path) as again:
        assert again.value("select count(*) from requests") == 0
        with pytest.raises(QueryFailed):
            again.frame("select content from read_text('/etc/hostname')")
    assert not opened.has("requests")


def test_a_database_that_is_open_to_read_cannot_be_opened_to_write(opened: Store) -> None:
    with pytest.raises(DatabaseUnavailable, match="open in this process"):
        Store.create(opened.path)


# What a reader may not do


@pytest.mark.parametrize(
    "sql",
    [
        "from read_csv('{file}')",
        "from '{file}'",
        "select content from read_text('{file}')",
        "from glob('{folder}/*')",
        "attach '{folder}/other.duckdb'",
        "copy (select 1) to '{folder}/out.csv'",
        "export database '{folder}/out'",
        "install httpfs",
        "load httpfs",
        "from 'https://example.com/x.csv'",
        "insert into clusters values ('x')",
        "update requests set verb = 'x'",
        "delete from requests",
        "drop table requests",
        "create table mine as select 1",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "set allowed_paths = ['/etc/passwd']",
        "set autoinstall_known_extensions = true; install httpfs",
        "from sql",
        "from self",
    ],
)
def test_a_reader_reaches_no_file_and_changes_nothing(
    opened: Store, tmp_path: Path, sql: str
) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n")
    with pytest.raises(QueryFailed):
        opened.frame(sql.format(file=file, folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize("hostile", ["x'; drop table requests; --", "$other", '"', "\\", "日本\n"])
def test_values_are_bound_not_pasted(store: Store, hostile: str) -> None:
    store.insert("clusters", [{"cluster": hostile}])
    assert store.value("select cluster from clusters where cluster = $c", c=hostile) == hostile
    assert store.rows("select $c as c", c=hostile) == [{"c": hostile}]


def test_a_failing_statement_carries_its_sql_and_the_reason(opened: Store) -> None:
    with pytest.raises(QueryFailed, match="no_such") as failure:
        opened.frame("from no_such")
    assert failure.value.sql == "from no_such"


@pytest.mark.parametrize(
    "sql",
    [
        "select interval 3 days as x",
        "select union_value(a := 1) as x",
        "select 1 as a, 2 as a",
        "select 10::hugeint as x, uuid() as y, '101'::bit as z, 1.5::decimal(9, 2) as d",
        "select map {'a': 1} as m, {'b': [1, 2]} as s, null as n, 'x'::blob as b",
        "select now() as a, current_date as b, time '12:00' as c, '[1]'::json as d",
        "select error('planned')",
        "select 1 / (select 'x'::integer)",
        "",
        "-- nothing",
    ],
)
def test_a_statement_gives_rows_or_says_why_not(opened: Store, sql: str) -> None:
    try:
        assert opened.frame(sql).height <= 1
    except QueryFailed as refused:
        assert refused.reason


def test_a_reader_runs_a_settled_statement_only_once(empty: Path, store: Store) -> None:
    with Store.open(empty) as reader:
        once, again = (reader.settled("select uuid() as x") for _ in range(2))
    assert once.equals(again)
    first, second = (store.settled("select uuid() as x") for _ in range(2))
    assert not first.equals(second)


# Writing


@pytest.mark.parametrize(
    "sql",
    [
        """select error('": No space left on device')""",
        "select error('Out of Memory Error')",
        "from read_json('/nowhere/Out of Memory.json')",
    ],
)
def test_what_a_file_says_is_no_trouble_of_the_database(store: Store, sql: str) -> None:
    with pytest.raises(QueryFailed):
        store.run(sql)


def test_too_little_memory_is_said_so(store: Store) -> None:
    store.run("set memory_limit = '12MB'")
    store.run("set temp_directory = ''")
    with pytest.raises(DatabaseUnavailable, match=r"not enough memory .* KUBEPOSTMORTEM_MEMORY"):
        store.run("create temp table t as select uuid() as u from range(3000000) order by u")


def test_a_transaction_leaves_nothing_behind_when_it_fails(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.insert("clusters", [{"cluster": "half"}])
        raise ZeroDivisionError
    assert not store.has("clusters")


def test_inserting_goes_by_column_name_and_counts(store: Store) -> None:
    rows = [
        {"reason": "r", "excerpt": "e", "ingest_id": 1},
        {"ingest_id": 2, "excerpt": "", "reason": ""},
    ]
    assert store.insert("rejected_lines", rows) == 2
    assert store.insert("rejected_lines", []) == 0
    assert store.rows("select ingest_id, line, reason from rejected_lines order by 1") == [
        {"ingest_id": 1, "line": None, "reason": "r"},
        {"ingest_id": 2, "line": None, "reason": ""},
    ]


def test_requiring_an_empty_relation_says_what_to_collect(store: Store) -> None:
    store.insert("clusters", [{"cluster": "c"}])
    with pytest.raises(MissingEvidence, match="requests is empty; ingest an audit log"):
        store.require("clusters", "requests")


def test_what_an_optimizer_trips_over_is_asked_without_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimizers = "select current_setting('disabled_optimizers') as off"
    polars, asked = Store._polars, []

    def trip(self: Store, sql: str, parameters: dict[str, Any]) -> pl.DataFrame:
        asked.append(polars(self, optimizers, {}).item())
        if len(asked) == 1:
            raise duckdb.InvalidInputException("BindBuiltinScalarFunction did not return")
        return polars(self, sql, parameters)

    monkeypatch.setattr(Store, "_polars", trip)
    assert store.frame("select 1 as one")["one"].to_list() == [1]
    assert asked == ["", "statistics_propagation"]
    assert store.frame(optimizers).item() == ""
