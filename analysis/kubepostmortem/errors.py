"""What can go wrong, and the exit code of each."""

from __future__ import annotations


class KubepostmortemError(Exception):
    """Anything that the user can act on; printed without a traceback."""

    exit_code = 1


class UsageError(KubepostmortemError):
    """The command cannot mean what was typed."""

    exit_code = 2


class NoUsableInput(KubepostmortemError):
    """Nothing in the given files could be used."""

    exit_code = 3


class PartialData(KubepostmortemError):
    """Some input was rejected and the user asked to be strict about it."""

    exit_code = 4


class DatabaseUnavailable(KubepostmortemError):
    """The database file is missing, busy, full or not one of ours."""

    exit_code = 3


class MissingEvidence(KubepostmortemError):
    """A question needs a relation that holds no rows."""

    exit_code = 3

    def __init__(self, relation: str, collect: str) -> None:
        self.relation = relation
        self.collect = collect
        super().__init__(f"{relation} is empty; {collect}")


class QueryFailed(KubepostmortemError):
    """DuckDB refused a statement."""

    exit_code = 2

    def __init__(self, sql: str, reason: str) -> None:
        self.sql = sql
        self.reason = reason
        super().__init__(reason)
