"""One DuckDB file: the shared model of an incident, and the only place that executes SQL."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb
import polars as pl

from kubepostmortem.errors import DatabaseUnavailable, MissingEvidence, QueryFailed
from kubepostmortem.model import COMMENTS_FROM, DERIVED, MODEL, fingerprint, statement

T = TypeVar("T")

COLLECT = {
    "requests": "ingest an audit log",
    "deploys": "ingest a deploy timeline, what Helm or Argo CD print, or kubectl -o json objects",
    "metric_samples": "ingest a metrics export",
    "incident": "no overload was found; set the windows with `kubepostmortem window`",
}

NO_ROOM = re.compile(
    '": (No space left on device|File too large|Disk quota exceeded)|max_temp_directory_size'
)
OF_DISK = (duckdb.IOException, duckdb.TransactionException)
LOST = (duckdb.OutOfMemoryException, duckdb.FatalException)
# What DuckDB 2.0 says where its optimizer of this name trips over the statistics of a column.
MISLED = "BindBuiltinScalarFunction"
MISLEADING = "statistics_propagation"

MEMORY_LIMIT = os.environ.get("KUBEPOSTMORTEM_MEMORY", "1500MiB")


class Store:
    """A database of one incident, opened for reading or for writing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._remembered: dict[str, Any] | None = None  # only where nothing can change
        self.path = path

    @classmethod
    def create(cls, path: Path) -> Store:
        """Open for writing, and build what the model lacks; what is derived, from the evidence.

        Raises DatabaseUnavailable where another process writes it or the file is not ours.
        """
        store = cls(_connect(path, read_only=False), path)
        store._refuse_foreign()
        _forget_spilled(path)
        if not store._is_current():
            store._build()
        return store

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open for reading only, without access to other files or the network.

        A database of another version gets this version's relations first: see create. Raises
        DatabaseUnavailable.
        """
        if not path.exists():
            raise DatabaseUnavailable(f"no database at {path}; `kubepostmortem ingest` makes one")
        store = cls(_connect(path, read_only=True), path)
        store._refuse_foreign(empty_is_ours=False)
        if not store._is_current():
            store.close()
            _bring_up_to_date(path)
            store = cls(_connect(path, read_only=True), path)
        store.run("set enable_external_access = false")  # for good: DuckDB allows no way back
        store._remembered = {}
        return store

    def close(self) -> None:
        """Write what is pending and let go of the file."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, sql: str, **parameters: Any) -> None:
        """Execute statements; values are bound by name. Raises QueryFailed."""
        self._execute(sql, parameters)

    def frame(self, sql: str, **parameters: Any) -> pl.DataFrame:
        """Return the rows of one statement as a Polars frame. Raises QueryFailed."""
        try:
            return self._answer(sql, parameters)
        except duckdb.Error as refused:
            raise self._failure(sql, refused) from refused
        except pl.exceptions.PolarsError as refused:
            reason = f"a column has a type that Polars lacks; cast it to varchar ({refused})"
            raise QueryFailed(sql, reason) from refused

    def settled(self, sql: str) -> pl.DataFrame:
        """Like frame; a store that is open for reading runs the statement only once."""
        return self.once(sql, lambda: self.frame(sql))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made under a name; a store that is open for reading makes it once."""
        if self._remembered is None:
            return make()
        if name not in self._remembered:
            self._remembered[name] = make()
        return cast(T, self._remembered[name])

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of one statement as dictionaries. Raises QueryFailed."""
        return self.frame(sql, **parameters).to_dicts()

    def value(self, sql: str, **parameters: Any) -> Any:
        """Return the first column of the first row, or None. Raises QueryFailed."""
        rows = self._execute(sql, parameters).fetchall()
        return rows[0][0] if rows else None

    def insert(self, table: str, rows: pl.DataFrame | Sequence[dict[str, Any]]) -> int:
        """Append rows to a table by column name; return how many."""
        frame = (
            rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, infer_schema_length=None)
        )
        if frame.is_empty():
            return 0
        self._connection.register("incoming_rows", frame)
        try:
            self.run(f'insert into "{table}" by name select * from incoming_rows')
        finally:
            self._connection.unregister("incoming_rows")
        return frame.height

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commit at the end, roll back on any exception."""
        self.run("begin transaction")
        try:
            yield
            self.run("commit")
        except BaseException:
            with suppress(duckdb.Error):  # what failed may have ended the transaction already
                self._connection.rollback()
            raise

    def has(self, relation: str) -> bool:
        """Tell whether a relation holds any row."""
        return self.value(f'select 1 from "{relation}" limit 1') is not None

    def require(self, *relations: str) -> None:
        """Raise MissingEvidence for the first relation that holds no rows."""
        for relation in relations:
            if not self.has(relation):
                raise MissingEvidence(relation, COLLECT.get(relation, "no input fills it"))

    def roll_up(self, cluster: str) -> None:
        """Count the requests of a cluster anew, and cost each class over the whole log."""
        for table in DERIVED:
            self.run(f'delete from "{table}" where cluster = $cluster', cluster=cluster)
        self.run(statement("ingest/intervals"), cluster=cluster)
        self.run(statement("ingest/load_rollup"), cluster=cluster)
        self._cost(cluster, ["log"])

    def cost_windows(self, cluster: str) -> None:
        """Fit the windows of a cluster to intervals of its load, and cost each class there."""
        self.run(statement("ingest/windows_to_intervals"), cluster=cluster)
        self._cost(cluster, ["baseline", "overload"])

    def _cost(self, cluster: str, spans: list[str]) -> None:
        self.run(
            "delete from class_costs where cluster = $cluster and list_contains($spans, span)",
            cluster=cluster,
            spans=spans,
        )
        self.run(statement("ingest/class_costs"), cluster=cluster, spans=spans)
        self.run("delete from unit_costs where cluster = $cluster", cluster=cluster)
        self.run(statement("ingest/unit_costs"), cluster=cluster)

    def _answer(self, sql: str, parameters: dict[str, Any]) -> pl.DataFrame:
        try:
            return self._polars(sql, parameters)
        except duckdb.InvalidInputException as failed:
            if MISLED not in str(failed):
                raise
        self._connection.execute(f"set disabled_optimizers = '{MISLEADING}'")
        try:
            return self._polars(sql, parameters)
        finally:
            self._connection.execute("reset disabled_optimizers")

    def _polars(self, sql: str, parameters: dict[str, Any]) -> pl.DataFrame:
        answer = self._connection.sql(sql, params=parameters or None)
        rows: pl.DataFrame = pl.DataFrame() if answer is None else answer.pl()
        return rows

    def _execute(self, sql: str, parameters: dict[str, Any]) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(sql, parameters or None)
        except duckdb.Error as refused:
            raise self._failure(sql, refused) from refused

    def _failure(self, sql: str, refused: duckdb.Error) -> DatabaseUnavailable | QueryFailed:
        """Tell a database that cannot go on, whatever comes next, from a bad statement."""
        reason = str(refused)
        ours = f'"{self.path}' in reason or NO_ROOM.search(reason)
        disk = isinstance(refused, OF_DISK) and ours  # other reasons may quote what a file says
        if disk or isinstance(refused, LOST):
            return DatabaseUnavailable(_why_unavailable(self.path, reason))
        return QueryFailed(sql, reason)

    def _is_current(self) -> bool:
        built = self.value("select 1 from duckdb_tables() where table_name = 'model'")
        return bool(built) and self.value("select fingerprint from model") == fingerprint()

    def _build(self) -> None:
        with self.transaction():
            self._drop_views_in_place_of_tables()
            for name in MODEL:
                self.run(statement(name))
            for relation, origin in COMMENTS_FROM.items():
                self._inherit_comments(relation, origin)
            self.run("delete from model")
            self.run("insert into model values ($fingerprint)", fingerprint=fingerprint())
            for row in self.rows("from clusters"):
                self.roll_up(row["cluster"])
                self.cost_windows(row["cluster"])

    def _drop_views_in_place_of_tables(self) -> None:
        """Make place for tables that an older model had as views; no statement replaces those."""
        for row in self.rows("select view_name as name from duckdb_views() where not internal"):
            if row["name"] in DERIVED:
                self.run(f'drop view "{row["name"]}"')

    def _inherit_comments(self, relation: str, origin: str) -> None:
        """Give columns that a view hands through the comment that they have at their origin."""
        columns = self.rows(
            "select o.column_name as name, o.comment from duckdb_columns() as r "
            "join duckdb_columns() as o using (column_name) "
            "where r.table_name = $relation and o.table_name = $origin and r.comment is null",
            relation=relation,
            origin=origin,
        )
        for column in columns:
            comment = column["comment"].replace("'", "''")
            self.run(f'comment on column "{relation}"."{column["name"]}" is \'{comment}\'')

    def _refuse_foreign(self, empty_is_ours: bool = True) -> None:
        tables = {
            row["name"] for row in self.rows("select table_name as name from duckdb_tables()")
        }
        if not tables and empty_is_ours:
            return
        if not {"ingests", "requests"} <= tables:
            raise DatabaseUnavailable(f"{self.path} is a DuckDB file, but not of kubepostmortem")


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=settings)
        with suppress(duckdb.InvalidInputException):  # a notebook without widgets has no bars
            connection.execute("set enable_progress_bar = false")  # it would stand among the data
        return connection.execute("set TimeZone = 'UTC'")
    except duckdb.Error as refused:
        raise DatabaseUnavailable(_why_unavailable(path, str(refused))) from refused


def _bring_up_to_date(path: Path) -> None:
    try:
        Store.create(path).close()
    except QueryFailed as refused:
        raise DatabaseUnavailable(
            f"{path} was made by another version of kubepostmortem; ingest the evidence again"
        ) from refused


def _forget_spilled(path: Path) -> None:
    """Remove what a killed writer moved from memory to disk; who has the lock writes alone."""
    for left in Path(f"{path}.tmp").glob("duckdb_temp_*"):
        with suppress(OSError):
            left.unlink()


def _why_unavailable(path: Path, reason: str) -> str:
    if NO_ROOM.search(reason):
        return f"the disk is full: cannot write {path}; make room, and run it again"
    if "Out of Memory" in reason:
        return f"not enough memory for {path}: KUBEPOSTMORTEM_MEMORY is {MEMORY_LIMIT}; set more"
    if "not a valid DuckDB" in reason:
        return f"{path} is not a DuckDB database"
    if "Could not set lock" in reason:
        return f"{path} is in use by another process; try again when it has finished"
    if "different configuration" in reason:
        return f"{path} is open in this process already, to read or to write; close it first"
    return f"cannot use {path}: {reason.splitlines()[0]}"
