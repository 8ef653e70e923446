"""Fields of the "HTTP" lines that an API server logs, one per request."""

from __future__ import annotations

import polars as pl

# Column of the model, and the key in the log. What clients write stands quoted and in this order
# before anything else; behind it only the server speaks, so a key is found by its name there.
CLIENTS = {
    "verb": "verb",
    "uri": "URI",
    "latency": "latency",
    "user_agent": "userAgent",
    "audit_id": "audit-ID",
    "source_ip": "srcIP",
}
SERVERS = {
    "priority_level": "apf_pl",
    "flow_schema": "apf_fs",
    "initial_seats": "apf_iseats",
    "final_seats": "apf_fseats",
    "additional_latency": "apf_additionalLatency",
    "queue_wait": "apf_init_latency",
    "execution": "apf_execution_time",
    "code": "resp",
}
KEYS = CLIENTS | SERVERS
MESSAGE = "HTTP"
TITLE = f'"{MESSAGE}" '
OPTIONAL = frozenset({"user_agent", "audit_id", "source_ip"})
PORT = r":\d+$"

QUOTED = r'"(?P<{}>[^"\\]*(?:\\.[^"\\]*)*)"'
ESCAPE = r'\\(["\\])'


def _form() -> str:
    """The form of a message: its title, what clients write, and the rest as `more`."""
    pairs = [
        f"(?: {key}={QUOTED.format(column)})" + ("?" if column in OPTIONAL else "")
        for column, key in CLIENTS.items()
    ]
    return f"^{TITLE.strip()}{''.join(pairs)}(?P<more>.*)$"


FORM = _form()


def of_messages(messages: pl.DataFrame) -> pl.DataFrame:
    """Split messages into the columns of KEYS, as texts; `verb` is null where the form is another.

    messages: a column `message`; the other columns are handed through.
    """
    parts = messages.with_columns(pl.col("message").str.extract_groups(FORM)).unnest("message")
    more = pl.col("more")
    values = {
        # Keys of the server hold names and numbers: no quote stands in their values.
        column: more.str.extract(rf'[ ]{key}="?([^" ]*)')
        for column, key in SERVERS.items()
    }
    escaped = [pl.col(column).str.replace_all(ESCAPE, "${1}") for column in CLIENTS]
    return _tidied(parts.with_columns(*escaped, **values).drop("more"))


def of_values(rows: pl.DataFrame) -> pl.DataFrame:
    """Spread `found`, the values of KEYS in order, into columns."""
    found = pl.col("found")
    columns = [found.list.get(place, null_on_oob=True).alias(c) for place, c in enumerate(KEYS)]
    spread = rows.with_columns(columns).drop("found", "message")
    return _tidied(spread.with_columns(undated=pl.lit(False)))


def json_paths() -> list[str]:
    """Where a line of --logging-format=json has the values of KEYS."""
    return [f'$."{key}"' for key in KEYS.values()]


def _tidied(rows: pl.DataFrame) -> pl.DataFrame:
    """Addresses without their port; null instead of an empty text where a client said nothing."""
    address = pl.col("source_ip").str.replace(PORT, "").str.strip_chars("[]")
    optional = [column for column in KEYS if column not in ("verb", "uri")]
    said = [pl.when(pl.col(column) != "").then(pl.col(column)) for column in optional]
    return rows.with_columns(address).with_columns(said)
