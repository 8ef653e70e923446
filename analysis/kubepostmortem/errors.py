"""What can go wrong, and the exit code of each."""

from __future__ import annotations

import errno

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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


class CannotWrite(KubepostmortemError):
    """A disk is full, or refuses what the work must write to it."""

    exit_code = 3

    @classmethod
    def because(cls, path: object, failed: OSError) -> CannotWrite:
        """Name the path and the reason."""
        full = "the disk is full: " if failed.errno in NO_ROOM else ""
        return cls(f"{full}cannot write {path}: {failed.strerror or failed}")


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
