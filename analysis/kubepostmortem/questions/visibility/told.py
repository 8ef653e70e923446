"""The words, the chart and the tables of when-visible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from kubepostmortem.questions.question import Figure, Table
from kubepostmortem.questions.visibility.impact import Impact
from kubepostmortem.questions.visibility.judging import Judged
from kubepostmortem.questions.visibility.seen import Seen
from kubepostmortem.questions.words import span, when

LANES = pl.Schema(
    {
        "lane": pl.String(),
        "kind": pl.String(),
        "began_at": pl.Datetime("us"),
        "ended_at": pl.Datetime("us"),
        "detail": pl.String(),
    }
)
SHOWN_CLUSTERS = 4  # charts; the evidence holds all


def headline(seen: Sequence[Seen]) -> str:
    """Say which alert would have been first, and how long before or after users felt it."""
    rules = [one for cluster in seen for one in cluster.rules]
    standard = [one for one in rules if one.replayed.rule.source.standard]
    impacts = {one.cluster: one.impact for one in seen}
    first_standard = earliest(standard)
    first_other = earliest([one for one in rules if not one.replayed.rule.source.standard])
    said = [_standard(standard, first_standard, impacts)]
    if first_other and first_standard is None:
        said.append(f"Of the rules outside of the standard sets {_told(first_other, impacts)}")
    elif first_other and first_standard and _fired(first_other) < _fired(first_standard):
        said.append(_earlier(first_other, first_standard, impacts))
    return " ".join(said)


def earliest(rules: Sequence[Judged]) -> Judged | None:
    """Return the rule that fired first in the overload and had not before."""
    useful = [one for one in rules if one.firing_at is not None]
    return min(useful, key=lambda one: (_fired(one), one.replayed.rule.title), default=None)


def _fired(one: Judged) -> datetime:
    assert one.firing_at is not None
    return one.firing_at


def _standard(
    rules: Sequence[Judged], first: Judged | None, impacts: dict[str, Impact | None]
) -> str:
    if first is not None:
        return f"Of the standard alerts {_told(first, impacts)}"
    able = [one for one in rules if one.replayed.testable]
    if not able:
        return "No standard alert can be replayed: the export has none of their metrics."
    pending = sum(one.status.startswith("pending") for one in able)
    return (
        f"Of {len(rules)} standard alerts {len(able)} can be replayed over this export; none of "
        f"them would have begun to fire in the overload, {pending or 'none'} would have been "
        "pending."
    )


def _told(one: Judged, impacts: dict[str, Impact | None]) -> str:
    fired = f"would have fired first, at {when(_fired(one))}"
    return f"{_name(one)} {fired}, {_lead(one, impacts)}{_rest(one)}."


def _earlier(one: Judged, standard: Judged, impacts: dict[str, Impact | None]) -> str:
    ahead = _fired(standard) - _fired(one)
    return (
        f"{_name(one)}, one of the {one.replayed.rule.source.title}, would have fired "
        f"{span(ahead.total_seconds())} earlier, {_lead(one, impacts)}{_rest(one)}."
    )


def _name(one: Judged) -> str:
    title = one.replayed.rule.title
    return f"{title} for {one.component}" if one.component else title


def _lead(one: Judged, impacts: dict[str, Impact | None]) -> str:
    if impacts.get(one.replayed.cluster) is None:
        return "while no other client was harmed for long"
    lead_s = one.lead_s or 0.0
    if abs(lead_s) < 1:
        return "just when others felt it"
    return f"{span(abs(lead_s))} {'before' if lead_s > 0 else 'after'} others felt it"


def _rest(one: Judged) -> str:
    if one.waves is None:
        return ""
    if one.waves == 0:
        return ", and no further wave of new clients was seen after it"
    waves = "wave" if one.waves == 1 else "waves"
    return f", with {one.waves} {waves} of the rollout ({one.clients} clients) still to come"


def tables(seen: Sequence[Seen]) -> list[Table]:
    """Return what fired or was pending, and what could not be replayed."""
    rules = [one for cluster in seen for one in cluster.rules]
    spoke = [one for one in rules if one.status not in ("quiet", "no series")]
    mute = [one for one in rules if one.status == "no series"]
    spoke.sort(key=lambda one: (one.firing_at or datetime.max, one.pending_at or datetime.max))
    return [
        *([Table("Alerts that would have been pending or fired", _spoke(spoke))] if spoke else []),
        *([Table("Alerts that can never fire on this evidence", _mute(mute))] if mute else []),
    ]


def _spoke(rules: Sequence[Judged]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "cluster": one.replayed.cluster,
                "alert": one.replayed.rule.title,
                "source": one.replayed.rule.source.title,
                "severity": one.replayed.rule.severity,
                "status": one.status,
                "pending": one.pending_at,
                "firing": one.firing_at,
                "seconds before impact": one.lead_s,
                "waves to come": one.waves,
                "false alarms in baseline": one.false_alarms,
                "alerts of others": one.of_others,
                "note": one.why,
            }
            for one in rules
        ],
        infer_schema_length=None,
    )


def _mute(rules: Sequence[Judged]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "cluster": one.replayed.cluster,
                "alert": one.replayed.rule.title,
                "source": one.replayed.rule.source.title,
                "why": one.why,
            }
            for one in rules
        ]
    )


def figures(seen: Sequence[Seen]) -> list[Figure]:
    """Draw the lanes of alerts, one chart per cluster."""
    return [
        Figure("alert_lanes", _says(one, len(seen) > 1), _lanes(one))
        for one in seen[:SHOWN_CLUSTERS]
    ]


def _says(seen: Seen, several: bool) -> str:
    first = earliest(seen.rules)
    where = f"{seen.cluster}: " if several else ""
    if first is None:
        return f"{where}No alert would have fired in the overload"
    return f"{where}{first.replayed.rule.title} would have fired first"


def _lanes(seen: Seen) -> pl.DataFrame:
    """One row per spell of an alert, wave, impact and window; open spells end with the last."""
    begins_at, ends_at = seen.overload
    spells = [
        (one.replayed.rule.title, one.replayed.rule.source.name, spell)
        for one in seen.rules
        for spell in one.replayed.spells
    ]
    last = max([ends_at, *(one.ended_at or one.began_at for _, _, one in spells)])
    rows = [
        (
            lane,
            spell.state,
            spell.began_at,
            spell.ended_at or last + timedelta(seconds=30),
            ", ".join(f"{k}={v}" for k, v in sorted(spell.labels.items())) or source,
        )
        for lane, source, spell in spells
        if (spell.ended_at or last) > begins_at
    ]
    rows += [
        (
            "waves of the rollout",
            "wave",
            one.began_at,
            one.ended_at,
            f"{one.clients} clients on {one.nodes} nodes",
        )
        for one in seen.waves
    ]
    rows.append(("", "overload", begins_at, ends_at, "the overload"))
    if seen.impact:
        rows.append(("", "impact", seen.impact.began_at, seen.impact.began_at, seen.impact.says))
    return pl.DataFrame(rows, LANES, orient="row").sort("began_at", "lane", "kind", "detail")
