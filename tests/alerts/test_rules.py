"""alerts.toml is complete, and nothing in it is beyond our evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from kubepostmortem.alerts.evaluating import evaluate
from kubepostmortem.alerts.jobs import fitted
from kubepostmortem.alerts.parsing import parse
from kubepostmortem.alerts.possible import possible
from kubepostmortem.alerts.printing import promql
from kubepostmortem.alerts.refusals import Ambiguous, CannotEvaluate
from kubepostmortem.alerts.replaying import RELATIONS
from kubepostmortem.alerts.rules import Rule, jobs, rules, without_refusals
from kubepostmortem.alerts.series import NAME, Samples
from kubepostmortem.alerts.walking import reach_ms, selectors

NOW = np.array([60_000], np.int64)


def samples(*series: dict[str, str]) -> Samples:
    """Series of one sample each, just before now: their value is their number, from 1 on."""
    return Samples.of(
        (labels, np.array([59_000], np.int64), np.array([float(number)]))
        for number, labels in enumerate(series, 1)
    )


def up(**labels: str) -> dict[str, str]:
    return {NAME: "up", **labels}


def held(text: str, *series: dict[str, str]) -> list[float]:
    found = evaluate(parse(text), samples(*series), NOW)
    return sorted(found.values[found.there].tolist())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.title)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert (rule.expression is None) == (rule.relation in RELATIONS)
    assert rule.tells.endswith(".") and rule.severity in ("warning", "critical")
    assert rule.source.link.startswith("https://") and rule.source.version
    for one in selectors(rule.expression) if rule.expression else ():
        for matcher in one.matchers:
            assert matcher.label != "job" or matcher.value in jobs()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.title)
def test_a_printed_expression_is_the_same(rule: Rule) -> None:
    if rule.expression is not None:
        assert parse(promql(rule.expression)) == rule.expression


def test_no_two_rules_have_the_same_title() -> None:
    assert len({one.title for one in rules()}) == len(rules())


def test_recorded_series_are_calculated() -> None:
    assert not [name for one in rules() for name in one.metrics if name.startswith("burnrate")]


@pytest.mark.parametrize(
    "text",
    ["topk(3, up)", "up @ 5", "time()", "rate(up)", "up[5m]", "histogram_quantile(up, up)", "1 +"],
)
def test_what_we_cannot_evaluate_is_an_error(text: str) -> None:
    with pytest.raises(CannotEvaluate):
        held(text, up())


def test_several_counterparts_are_an_error() -> None:
    two = [up(job="a", instance="x"), up(job="a", instance="y")]
    with pytest.raises(Ambiguous):
        held("up * on (job) up", *two)


def test_a_pattern_must_match_the_whole_label() -> None:
    found = held('up{job=~"api"}', up(job="api"), up(job="apiserver"), up(job="my-api"))
    assert found == [1.0]


@pytest.mark.parametrize(
    "name",
    ["apiserver", "kube-apiserver", "kubernetes-apiservers", "prod/kube-apiserver", "kubernetes"],
)
def test_a_job_is_found_under_its_name_here(name: str) -> None:
    ours = fitted(parse('up{job="apiserver"} == 1'), samples(up(job=name)), jobs())
    assert evaluate(ours.expression, samples(up(job=name)), NOW).there.any()
    assert bool(ours.said) == (name != "apiserver")


@pytest.mark.parametrize("name", ["kubelet", "my-app", "apiserver2", "kubernetes-pods"])
def test_another_job_is_none_of_it(name: str) -> None:
    ours = fitted(parse('up{job="apiserver"}'), samples(up(job=name)), jobs())
    assert not ours.said and not evaluate(ours.expression, samples(up(job=name)), NOW).labels


def test_without_any_job_all_is_taken() -> None:
    ours = fitted(parse('up{job="apiserver"}'), samples(up(verb="LIST")), jobs())
    assert promql(ours.expression) == "up" and "no label job" in ours.said[0]


@pytest.mark.parametrize(
    ("text", "able"),
    [
        ("up > 0 and none", False),
        ("up / (up + none)", False),
        ("none or up", True),
        ("up unless none", True),
        ("absent(up == 1)", True),
        ('absent(up{job="gone"})', False),
        ("absent(none)", False),
        ("none or vector(0)", True),
        ("rate(none[5m])", False),
        ("histogram_quantile(0.9, none)", False),
        ("histogram_quantile(0.9, up)", False),
        ("histogram_quantile(0.9, sum by (le) (buckets))", True),
        ("max_over_time((sum(none))[5m:1m])", False),
    ],
)
def test_whether_it_can_give_a_value(text: str, able: bool) -> None:
    series = samples(up(), {NAME: "buckets", "le": "1"}, {NAME: "buckets", "le": "+Inf"})
    assert possible(parse(text), series) is able


def test_refusals_leave_totals_of_all_codes_alone() -> None:
    text = 'apiserver_request_total{code=~"5.."} / apiserver_request_total'
    changed = promql(without_refusals(parse(text)))
    assert changed == (
        'apiserver_request_total{code=~"5.."} / apiserver_request_total{code!="429"}'
    )


def test_how_far_back_it_looks() -> None:
    assert (
        reach_ms(parse("rate(up[5m] offset 1m) + max_over_time((rate(up[1m]))[10m:1m])")) == 660_000
    )
