"""What calls are for: scrapes of metrics, lists of resources, watches, writes."""

from __future__ import annotations

from typing import Any

from kubepostmortem.questions.calls import CALLS, Calls
from kubepostmortem.questions.question import Inquiry

API_SERVER = "scrape of API server metrics"
THROUGH = "metrics scrape through the API server"
SCRAPES = (API_SERVER, THROUGH)

# The API server's own metrics lie under /metrics; those of others are asked for through its proxy.
PURPOSES = f"""
select
    case
        when regexp_matches(split_part(uri_path, '?', 1), '^/metrics(/|$)') then '{API_SERVER}'
        when regexp_matches(uri_path, '/nodes/[^/]+/proxy|/proxy/.*(metrics|stats)'
            || '|^/apis/(custom[.]|external[.])?metrics[.]k8s[.]io')
            then '{THROUGH}'
        when scope = 'nonresource' then 'other non-resource URL'
        when verb = 'watch' then 'watch'
        when verb = 'list' then 'list of resources'
        when verb = 'get' then 'get of one object'
        else 'write'
    end as purpose,
    count(*) as requests,
    count(*) / sum(count(*)) over () as share
{CALLS}
group by purpose
order by requests desc, purpose
"""


def purposes(inquiry: Inquiry, calls: Calls) -> list[dict[str, Any]]:
    """Return what these calls of the overload are for, with their shares, largest first."""
    return inquiry.rows("what the calls asked for", PURPOSES, **calls.parameters)


def scraped(rows: list[dict[str, Any]]) -> float:
    """Return the part that reads metrics."""
    return float(sum(row["share"] for row in rows if row["purpose"] in SCRAPES))
