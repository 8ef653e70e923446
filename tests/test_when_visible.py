"""When it was visible: planted metrics, impact and waves; which alert fires when."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest

from kubepostmortem.alerts.replaying import Replayed
from kubepostmortem.alerts.rules import rules
from kubepostmortem.alerts.states import Spell
from kubepostmortem.questions import when_visible
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.questions.visibility.judging import Judged, judged
from kubepostmortem.store import Store
from planted import Storm, at, event, telemetry_storm
from planted_windows import plant_windows

OVERLOAD = (600.0, 2400.0)
HOSTILE = "</script><script>alert(1)</script>\n'\"; drop table requests; --\u202e"
Value = Callable[[float], float]


@pytest.fixture
def incident(store: Store) -> Store:
    windows(store)
    return store


def windows(store: Store, *clusters: str) -> None:
    plant_windows(store, (0.0, OVERLOAD[0]), OVERLOAD, clusters or ("prod",))


def series(store: Store, metric: str, value: Value, cluster: str = "prod", **labels: str) -> None:
    """A series sampled every 15 seconds until the end of the overload."""
    (number,) = store.frame("select coalesce(max(series_id), 0) + 1 as n from metric_series")["n"]
    store.run(
        "insert into metric_series values ($n, $cluster, $metric, map($names::varchar[], "
        "$texts::varchar[]), 1)",
        n=number,
        cluster=cluster,
        metric=metric,
        names=list(labels),
        texts=list(labels.values()),
    )
    rows = [
        {"series_id": number, "sampled_at": at(t), "value": value(t)}
        for t in range(0, int(OVERLOAD[1]), 15)
    ]
    store.insert("metric_samples", rows)


def note(store: Store, seconds: float, text: str) -> None:
    row = {"noted_at": at(seconds), "text": text, "actor": None, "reported_by": "notes"}
    store.insert("timeline_notes", [{"cluster": "prod", "ingest_id": 1, **row}])


def down_since(seconds: float, until: float = 1e9) -> Value:
    return lambda t: float(not seconds <= t < until)


def counted(before: float, now: float) -> Value:
    """A counter that gains so much per second before the overload, and so much in it."""
    return lambda t: before * min(t, OVERLOAD[0]) + now * max(t - OVERLOAD[0], 0)


def answered(store: Store) -> Answer:
    answer = ask(when_visible, store)
    json.dumps(answer.evidence)
    return answer


def rule(answer: Answer, title: str, cluster: str = "prod") -> dict[str, Any]:
    (found,) = [
        one
        for one in answer.evidence["rules"]
        if one["rule"] == title and one["cluster"] == cluster
    ]
    return dict(found)


def seconds(stamp: str) -> float:
    return (datetime.fromisoformat(stamp).replace(tzinfo=None) - at(0)).total_seconds()


def test_without_any_evidence_it_is_open(incident: Store) -> None:
    answer = answered(incident)
    assert answer.status == "open" and answer.missing[0].evidence == "metric_samples"


def test_an_alert_is_pending_then_fires(incident: Store) -> None:
    series(incident, "up", down_since(610), job="apiserver", instance="a")
    note(incident, 1200, "Impact: users see errors")
    answer = answered(incident)
    found = rule(answer, "KubeAPIInstanceUnreachable")
    assert (seconds(found["pending_at"]), seconds(found["firing_at"])) == (630, 1530)
    assert found["status"] == "fired" and found["lead_s"] == -330
    assert "5 min 30 s after others felt it" in answer.headline
    assert answer.evidence["impact"]["prod"]["known_by"] == "note"


def test_a_job_of_another_name_is_said(incident: Store) -> None:
    series(incident, "up", down_since(610), job="kubernetes-apiservers", instance="a")
    answer = answered(incident)
    assert rule(answer, "KubeAPIInstanceUnreachable")["status"] == "fired"
    assert any("kubernetes-apiservers here" in said for said in answer.caveats)


def test_short_outages_never_fire(incident: Store) -> None:
    series(incident, "up", down_since(610, until=1300), job="apiserver", instance="a")
    found = rule(answered(incident), "KubeAPIInstanceUnreachable")
    assert found["status"] == "pending only" and found["firing_at"] is None


def test_what_still_waits_at_the_end_is_said(incident: Store) -> None:
    series(incident, "up", down_since(2000), job="apiserver", instance="a")
    assert rule(answered(incident), "KubeAPIInstanceUnreachable")["status"] == "pending at the end"


def test_an_alert_of_the_baseline_is_a_false_alarm(incident: Store) -> None:
    full = {"job": "apiserver", "priority_level": "system", "instance": "a"}
    series(
        incident,
        "apiserver_flowcontrol_current_executing_seats",
        lambda t: 10.0 if t < 300 or 900 <= t < 1500 else 1.0,
        **full,
    )
    series(incident, "apiserver_flowcontrol_current_limit_seats", lambda t: 10.0, **full)
    found = rule(answered(incident), "FlowControlSeatsFull")
    assert found["false_alarms"] == 1 and seconds(found["firing_at"]) == 960


def test_what_fired_already_told_nothing_new(incident: Store) -> None:
    full = {"job": "apiserver", "priority_level": "system", "instance": "a"}
    series(incident, "apiserver_flowcontrol_current_executing_seats", lambda t: 10.0, **full)
    series(incident, "apiserver_flowcontrol_current_limit_seats", lambda t: 10.0, **full)
    answer = answered(incident)
    assert rule(answer, "FlowControlSeatsFull")["status"] == "fired before"
    assert answer.evidence["first"] is None


def test_a_rule_without_series_says_why_it_never_fires(incident: Store) -> None:
    series(incident, "coredns_dns_responses_total", counted(1, 1), job="coredns", rcode="NOERROR")
    answer = answered(incident)
    gone = rule(answer, "CoreDNSForwardLatencyHigh")
    assert gone["status"] == "no series" and "since CoreDNS 1.11" in gone["why"]
    assert 'rcode="SERVFAIL"' in rule(answer, "CoreDNSErrorsHigh (3 %)")["why"]
    assert any("can never fire" in said for said in answer.caveats)
    assert any("metrics of alert rules" in one.evidence for one in answer.missing)


def burning(store: Store, refused: float) -> None:
    """30 of 100 answered reads per second are slow in the overload; others are refused."""
    base = {"job": "apiserver", "verb": "LIST"}
    sli = "apiserver_request_sli_duration_seconds"
    series(store, f"{sli}_count", counted(100, 100), scope="cluster", **base)
    fast = {"cluster": ("30", counted(100, 70)), "namespace": ("5", counted(0, 0))}
    for scope, (bound, value) in fast.items():
        series(store, f"{sli}_bucket", value, scope=scope, le=bound, **base)
    for code, value in {"200": counted(100, 100), "429": counted(0, refused)}.items():
        series(store, "apiserver_request_total", value, code=code, **base)
    series(store, "apiserver_request_total", counted(0, 0), code="500", **base)


def test_refused_requests_mute_the_burn_rate(incident: Store) -> None:
    burning(incident, refused=400)
    found = rule(answered(incident), "KubeAPIErrorBudgetBurn (1 h and 5 min)")
    assert found["firing_at"] is None and found["muted_by_429"]
    assert "mute it" in found["why"]


def test_without_refusals_the_burn_rate_fires(incident: Store) -> None:
    burning(incident, refused=0)
    found = rule(answered(incident), "KubeAPIErrorBudgetBurn (1 h and 5 min)")
    assert found["status"] == "fired" and not found["muted_by_429"]
    assert found["needs_more_history"]


def others(until: float, harmed: Sequence[float] = (), code: int = 429) -> list[dict[str, Any]]:
    """A client that asks twice per second; from some moments on it is refused for 10 s."""
    return [
        event(
            f"o{step}",
            received=step / 2,
            took=0.01,
            verb="get",
            name="x",
            namespace="default",
            code=code if any(begin <= step / 2 < begin + 10 for begin in harmed) else 200,
        )
        for step in range(int(until * 2))
    ]


@pytest.mark.parametrize(
    ("harmed", "began"),
    [([700, 710], 700), ([700, 720], None), ([500, 510], None), ([], None), ([650, 900, 910], 900)],
    ids=["in a row", "with a pause", "before the overload", "never", "the first that lasts"],
)
def test_impact_is_sustained_harm(read, store: Store, harmed, began) -> None:  # type: ignore[no-untyped-def]
    read(others(1200, harmed))
    windows(store)
    series(store, "up", down_since(1e9), job="apiserver")
    felt = answered(store).evidence["impact"]["prod"]
    assert (felt and seconds(felt["began_at"])) == began


def test_what_is_always_bad_is_no_impact(read, store: Store) -> None:
    read(others(1200, range(0, 1200, 20)))
    windows(store)
    assert answered(store).evidence["impact"]["prod"] is None


def test_without_metrics_early_rules_still_tell(read, store: Store) -> None:
    read(telemetry_storm(Storm(waves=(0.0, 60.0, 120.0))))
    answer = answered(store)
    found = rule(answer, "ClientFansOutOverNodes")
    assert answer.status == "open" and answer.headline.startswith("Open for want of metrics.")
    assert found["status"] == "fired" and 300 < seconds(found["firing_at"]) <= 420
    assert (found["waves_to_come"], found["clients_to_come"]) == (2, 16)
    assert found["false_alarms"] == 0
    alerts = [one for one in answer.evidence["alerts"] if one["rule"] == "ClientFansOutOverNodes"]
    assert {one["labels"]["component"] for one in alerts} == {"otel-agent"}


def spoken(rule_name: str, *spells: tuple[float, dict[str, str]]) -> Judged:
    """Judge a rule that fired at these seconds for these labels, and goes on."""
    (known,) = [one for one in rules() if one.title == rule_name]
    fired = [Spell("firing", labels, at(begins), None) for begins, labels in spells]
    spans = ((at(0), at(OVERLOAD[0])), (at(OVERLOAD[0]), at(OVERLOAD[1])))
    return judged(Replayed(known, "prod", fired), *spans, None, (), ["otel-agent"])


def test_an_alert_that_names_another_client_is_no_warning_of_this_one() -> None:
    found = spoken("ClientLoadGrows", (700, {"component": "ci"}))
    assert (found.status, found.of_others) == ("quiet", 1)


def test_an_alert_of_something_new_tells_although_another_fired_before() -> None:
    found = spoken("KubeNodeNotReady", (100, {"node": "a"}), (700, {"node": "b"}))
    assert (found.status, found.firing_at, found.false_alarms) == ("fired", at(700), 1)


def test_each_cluster_has_its_own_alerts(incident: Store) -> None:
    windows(incident, "north", "south")
    series(incident, "up", down_since(600), cluster="north", job="apiserver", instance="a")
    series(incident, "up", down_since(1e9), cluster="south", job="apiserver", instance="a")
    answer = answered(incident)
    states = [rule(answer, "KubeAPIInstanceUnreachable", c)["status"] for c in ("north", "south")]
    assert states == ["fired", "quiet"] and len(answer.figures) == 2


def test_hostile_labels_do_no_harm(incident: Store) -> None:
    series(incident, "up", down_since(600), job="apiserver", instance=HOSTILE)
    answer = answered(incident)
    (firing,) = [one for one in answer.evidence["alerts"] if one["state"] == "firing"]
    assert firing["labels"]["instance"] == HOSTILE


def test_every_number_shows_its_sql(incident: Store) -> None:
    series(incident, "up", down_since(600), job="apiserver", instance="a")
    shown = [one.shows for one in answered(incident).sql]
    assert "series that alert rules read" in shown and "their samples" in shown
