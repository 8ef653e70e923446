"""One redaction: every text column of the model, replaced as redaction.toml declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from kubepostmortem.redaction import keys
from kubepostmortem.redaction.kinds import Replace, beside, kinds
from kubepostmortem.redaction.pseudonyms import Pseudonyms
from kubepostmortem.redaction.structures import labels
from kubepostmortem.redaction.vocabulary import declared

SAFE, LABELS = "safe", "labels"


@dataclass(frozen=True)
class Redaction:
    """Replaces what tells whose evidence it is; made with Redaction.under(key)."""

    key: keys.Derived = field(repr=False)

    @classmethod
    def under(cls, key: str) -> Redaction:
        """Return the redaction under this key; takes a tenth of a second."""
        return cls(keys.derived(key))

    @cached_property
    def by(self) -> Pseudonyms:
        """The pseudonyms under the key."""
        return Pseudonyms(self.key)

    @cached_property
    def kinds(self) -> Mapping[str, Replace]:
        """What replaces a text, by kind."""
        return kinds(self.by)

    def check(self) -> str:
        """Return a text that recognises the key and does not tell it."""
        return keys.check_of(self.key)

    def made(self, check: str) -> bool:
        """Tell whether a check was made with this key."""
        return keys.fits(self.key, check)

    def text(self, kind: str, text: str) -> str:
        """Return the replacement of a text of this kind."""
        return self.kinds[kind](text)

    def frame(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Return rows of a table of the model with their texts replaced.

        Columns that the frame has and redaction.toml lacks hold no text. Raises KeyError where
        redaction.toml lacks the table.
        """
        columns = declared()["tables"][table]
        return frame.with_columns(
            self._column(frame, name, rule)
            for name, rule in columns.items()
            if name in frame.columns and rule != SAFE
        )

    def texts(self, texts: pl.DataFrame) -> pl.DataFrame:
        """Add the column pseudonym to rows of kind and text."""
        rows = texts.select("kind", "text").iter_rows()
        found = [self.text(kind, text) for kind, text in rows]
        return texts.with_columns(pl.Series("pseudonym", found, dtype=pl.String))

    def _column(self, frame: pl.DataFrame, name: str, rule: Any) -> pl.Series:
        if rule == LABELS:
            return _mapped(frame[name], lambda entries: labels(entries, self.kinds))
        if isinstance(rule, str):
            return _replaced(frame[name], self.kinds[rule])
        replace = beside(self.by)[rule["as"]]
        pairs = zip(frame[name], frame[rule["of"]], strict=True)
        found = [replace(text, other or "") if text else text for text, other in pairs]
        return pl.Series(name, found, dtype=pl.String)


def _replaced(column: pl.Series, replace: Replace) -> pl.Series:
    """Replace texts, each distinct one once; in lists, each of their texts."""
    if column.dtype != pl.String:
        return _mapped(column, lambda texts: [replace(text) for text in texts])
    distinct = column.drop_nulls().unique()
    found = [replace(text) for text in distinct]
    if not found:
        return column
    return column.replace_strict(distinct, found, default=None, return_dtype=pl.String)


def _mapped(column: pl.Series, replace: Callable[[Any], Any]) -> pl.Series:
    """Replace the values of a column of lists, or of nulls only."""
    found = [None if value is None else replace(value) for value in column]
    return pl.Series(column.name, found, dtype=column.dtype)
