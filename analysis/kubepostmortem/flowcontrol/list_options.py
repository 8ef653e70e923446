"""How a list or a watch asks, from the query of its URL, read as the API server reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
NUMBERS = ("limit", "timeoutSeconds")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Parameters of a list or watch; texts are empty and limit is 0 where nothing is asked for.

    valid: false where a number cannot be read, so that the request will be refused.
    """

    limit: int = 0
    continues: bool = False
    resource_version: str = ""
    version_match: str = ""
    field_selector: str = ""
    selects: bool = False
    sends_initial_events: bool = False
    valid: bool = True


def list_options(url: str) -> ListOptions:
    """Read the query of a request URI."""
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    asked = {name: values[0] for name, values in query.items()}
    if not all(INTEGER.fullmatch(asked.get(name, "0")) for name in NUMBERS):
        return ListOptions(valid=False)
    return ListOptions(
        limit=int(asked.get("limit", "0")),
        continues=bool(asked.get("continue")),
        resource_version=asked.get("resourceVersion", ""),
        version_match=asked.get("resourceVersionMatch", ""),
        field_selector=asked.get("fieldSelector", ""),
        selects=bool(asked.get("fieldSelector") or asked.get("labelSelector")),
        sends_initial_events=is_set(asked.get("sendInitialEvents")),
    )


def is_set(value: str | None) -> bool:
    """Tell whether a parameter is true: it is there, and not "0" or "false"."""
    return value is not None and value != "0" and value.lower() != "false"
