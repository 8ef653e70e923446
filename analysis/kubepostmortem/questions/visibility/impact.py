"""When users felt it: what people noted, else the first sustained harm to other clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kubepostmortem.incident import iso
from kubepostmortem.questions.question import Inquiry
from kubepostmortem.questions.words import listed, percent

NOTES = r"""
select noted_at as began_at, text
from timeline_notes
join incident using (cluster)
where cluster = $cluster and time_window = 'overload' and regexp_matches(text, '(?i)\bimpact')
    and noted_at between begins_at - interval 15 minutes and ends_at
order by noted_at, text
limit 1
"""

# Twenty seconds in a row, so that a single burst is none; three times the baseline, so that what is
# always slow is none.
HARM = """
with steps as (
    select cluster, step_at, sum(requests) as requests, sum(harmed) as harmed,
        sum(refused) as refused, sum(failed) as failed, sum(slow) as slow
    from harm_over_time
    where cluster = $cluster and not list_contains($causes::varchar[], component)
    group by all
),
usual as (
    select coalesce(sum(harmed) / nullif(sum(requests), 0), 0) as share
    from steps
    join incident using (cluster)
    where time_window = 'baseline' and step_at >= begins_at and step_at < ends_at
),
judged as (
    select steps.*, harmed >= 5 and harmed >= requests * greatest(0.05, 3 * share) as is_bad
    from steps
    join incident using (cluster)
    cross join usual
    where time_window = 'overload' and step_at > begins_at - interval 10 second
        and step_at < ends_at
)
select step_at as began_at, harmed / requests as share, refused, failed, slow
from judged
window following as (order by step_at)
qualify is_bad and coalesce(lead(is_bad) over following, false)
    and lead(step_at) over following = step_at + interval 10 second
order by step_at
limit 1
"""

WHO = """
select component
from harm_over_time
where cluster = $cluster and not list_contains($causes::varchar[], component)
    and step_at between $began_at::timestamp and $began_at::timestamp + interval 10 second
group by component
having sum(harmed) > 0
order by sum(harmed) desc, component
limit 4
"""


@dataclass(frozen=True, slots=True)
class Impact:
    """When others began to suffer; known_by: 'note' or 'harm'; says: what is taken for it."""

    began_at: datetime
    known_by: str
    says: str

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"began_at": iso(self.began_at)}


def impact(inquiry: Inquiry, cluster: str, causes: Sequence[str]) -> Impact | None:
    """Return when users felt it in a cluster; None where nobody did.

    causes: components that are not counted among those who suffer.
    """
    noted = inquiry.row("notes that speak of impact", NOTES, cluster=cluster)
    if noted:
        return Impact(noted["began_at"], "note", f"the timeline notes “{noted['text']}”")
    bound = {"cluster": cluster, "causes": list(causes)}
    found = inquiry.row("first sustained harm to other clients", HARM, **bound)
    if not found:
        return None
    began_at = found["began_at"]
    rows = inquiry.rows("who was harmed then", WHO, began_at=began_at, **bound)
    who = listed([row["component"] for row in rows])
    share = f"{percent(found['share'])} of the requests of other clients ({who})"
    return Impact(began_at, "harm", f"{share} were {_how(found)}, and went on so for 20 s")


def _how(found: dict[str, Any]) -> str:
    ways = {"refused": found["refused"], "failed": found["failed"], "late": found["slow"]}
    return " or ".join(way for way, count in ways.items() if count)
