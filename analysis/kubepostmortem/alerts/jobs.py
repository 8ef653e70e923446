"""Rules fitted to the export: what its jobs are called, and labels that it has lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kubepostmortem.alerts.series import Samples
from kubepostmortem.alerts.syntax import Expression, Matcher, Selector
from kubepostmortem.alerts.walking import rewritten

JOB = "job"


@dataclass(frozen=True, slots=True)
class Fitted:
    """An expression for this export; said: what was changed for it."""

    expression: Expression
    said: tuple[str, ...] = ()


def fitted(expression: Expression, samples: Samples, known: Mapping[str, str]) -> Fitted:
    """Select jobs by the names that they have in the export.

    known: patterns of names by the one that rules use. A metric that was summed up on its way has
    no job at all; then it is selected without one.
    """
    said: dict[str, None] = {}

    def change(selector: Selector) -> Selector:
        matchers = tuple(
            changed
            for one in selector.matchers
            if (changed := _matcher(one, selector.metric, samples, known, said)) is not None
        )
        return replace(selector, matchers=matchers)

    return Fitted(rewritten(expression, change), tuple(said))


def _matcher(
    matcher: Matcher,
    metric: str,
    samples: Samples,
    known: Mapping[str, str],
    said: dict[str, None],
) -> Matcher | None:
    series = [samples.labels[place] for place in samples.places.get(metric, [])]
    if matcher.label != JOB or not series:
        return matcher
    names = {labels[JOB] for labels in series if JOB in labels}
    if not names:
        said[f"{metric} has no label job here, so all of it was taken"] = None
        return None
    if matcher.op != "=" or matcher.value in names or matcher.value not in known:
        return matcher
    ours = sorted(name for name in names if re.fullmatch(known[matcher.value], name))
    if not ours:
        return matcher
    said[f'job="{matcher.value}" of the rule is {" and ".join(ours)} here'] = None
    return Matcher(JOB, "=~", "|".join(map(re.escape, ours)))
