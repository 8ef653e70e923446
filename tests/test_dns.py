"""DNS: its role, the hypotheses about it, the cliff of a cache, and the load that it added."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.questions import dns
from kubepostmortem.questions.dns_hypotheses.cliff import Bin, fit
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.store import Store
from planted import BEGIN, Event, at, event
from planted_windows import plant_windows

IDS = count(1)
OVERLOAD = (300.0, 900.0)
COREDNS = {
    "user": "system:serviceaccount:kube-system:coredns",
    "agent": "coredns/v0.0.0 (linux/amd64) kubernetes/$Format",
}
READS = (("", "services"), ("discovery.k8s.io", "endpointslices"), ("", "namespaces"))
OLD, NEW = "coredns-6c69d477c6-cn65h", "coredns-6c69d477c6-zgscg"
FIRST, SECOND = "10.0.0.53", "10.0.0.54"

Outcome = tuple[str, str | None]
OK, TIME_OUT, SERVFAIL = ("ok", "0"), ("TimeoutError", None), ("ok", "2")


def load(more: float = 4.0, **fields: Any) -> Iterator[Event]:
    """A client that calls once in 2 s, and in the overload `more` times as often."""
    asked = {"user": "system:node:node-1", "resource": "pods"} | fields
    times = [2.0 * i for i in range(150)]
    times += [OVERLOAD[0] + 2.0 / more * i for i in range(int(300 * more))]
    for when in times:
        yield event(f"l{next(IDS)}", received=when, took=0.01, **asked)


def dns_pod(pod: str, begins: float, *, placed: bool = False, took: float = 0.1) -> Iterator[Event]:
    """A CoreDNS that lists its objects, and where it is placed within the log, its binding."""
    if placed:
        yield event(
            f"b{next(IDS)}",
            received=begins - 1,
            verb="create",
            resource="pods",
            subresource="binding",
            namespace="kube-system",
            name=pod,
            user="system:kube-scheduler",
            code=201,
        )
    for group, resource in READS:
        yield event(
            f"d{next(IDS)}",
            received=begins,
            took=took,
            verb="list",
            group=group,
            resource=resource,
            pod=pod,
            node="node-1",
            **COREDNS,
        )


def deletion(when: float, pod: str = OLD) -> Event:
    return event(
        f"x{next(IDS)}",
        received=when,
        verb="delete",
        resource="pods",
        namespace="kube-system",
        name=pod,
        user="alice@example.com",
    )


def endpoints(*times: float) -> Iterator[Event]:
    for when in times:
        yield event(
            f"e{next(IDS)}",
            received=when,
            verb="update",
            group="discovery.k8s.io",
            resource="endpointslices",
            namespace="kube-system",
            name="kube-dns-1",
            user="system:serviceaccount:kube-system:endpointslice-controller",
        )


def probes(
    store: Store,
    outcome: Callable[[float], Outcome],
    server: str = FIRST,
    qname: str = "checkout.shop.svc.cluster.local",
) -> None:
    """One lookup a second over both windows."""
    rows = []
    for i in range(int(OVERLOAD[1])):
        result, rcode = outcome(float(i))
        rows.append(
            {
                "cluster": "prod",
                "probed_at": at(i),
                "server": server,
                "qname": qname,
                "outcome": result,
                "rcode": rcode,
                "answers": "",
                "latency_ms": 1.0,
                "ingest_id": 1,
            }
        )
    store.insert("dns_probes", rows)


def series(
    store: Store,
    metric: str,
    value: Callable[[float], float],
    labels: Mapping[str, str] | None = None,
    every: float = 5.0,
) -> None:
    """A series of a DNS server, by the value at each time."""
    store.run(
        """insert into metric_series
        select coalesce(max(series_id), 0) + 1, 'prod', $metric,
            map_from_entries(from_json($labels, '[{"k": "VARCHAR", "v": "VARCHAR"}]')), 1
        from metric_series""",
        metric=metric,
        labels=json.dumps(
            [
                {"k": k, "v": v}
                for k, v in (
                    {"job": "kube-dns", "instance": f"{FIRST}:9153"} | dict(labels or {})
                ).items()
            ]
        ),
    )
    (number,) = store.frame("select max(series_id) as n from metric_series")["n"]
    times = np.arange(0.0, OVERLOAD[1], every)
    rows = [{"series_id": number, "sampled_at": at(t), "value": value(float(t))} for t in times]
    store.insert("metric_samples", rows)


def hits(store: Store, valid: Callable[[float], float], **labels: str) -> None:
    """A cache that is asked 100 times a second, and how many of these it can answer."""
    gained = np.concatenate([[0.0], np.cumsum([100 * valid(float(t)) for t in range(900)])])
    series(store, "coredns_cache_requests_total", lambda t: 100 * t, labels)
    series(store, "coredns_cache_hits_total", lambda t: float(gained[int(t)]), labels)


def answered(store: Store, clusters: tuple[str, ...] = ("prod",)) -> Answer:
    plant_windows(store, (0.0, OVERLOAD[0]), OVERLOAD, clusters)
    return ask(dns, store)


def verdict(answer: Answer, name: str, cluster: int = 0) -> dict[str, Any]:
    rows = answer.evidence["clusters"][cluster]["hypotheses"]
    (found,) = [row for row in rows if row["id"] == name]
    return dict(found)


def status(answer: Answer, name: str) -> str:
    return str(verdict(answer, name)["status"])


def test_without_anything_of_dns_it_is_open(read, store: Store) -> None:
    read(list(load()))

    answer = answered(store)
    assert (answer.status, answer.confidence) == ("open", "none")
    assert any("kubepostmortem collect" in one.collect for one in answer.missing)


def test_servers_that_answer_from_memory_played_no_part(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5)])
    probes(store, lambda t: OK)

    answer = answered(store)
    assert answer.evidence["role"] == "not involved"
    assert [status(answer, name) for name in ("H1", "H3", "H5")] == ["contradicted"] * 3
    assert status(answer, "H6") == "not testable"
    assert "answer from memory" in answer.evidence["in_its_use"]


def test_a_pod_that_is_never_replaced_makes_a_victim(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5), *endpoints(100, 350), deletion(400)])
    probes(store, lambda t: OK if t < 402 else TIME_OUT)
    probes(store, lambda t: OK, server=SECOND)

    answer = answered(store)
    assert answer.evidence["role"] == "victim"
    assert [status(answer, name) for name in ("H1", "H2")] == ["supported"] * 2
    assert [status(answer, name) for name in ("H3", "H4", "H5")] == ["contradicted"] * 3
    assert "no replacement was placed" in answer.headline
    assert "answered every lookup" in answer.headline
    events = [row["event"] for row in answer.evidence["clusters"][0]["order"]]
    assert events == [
        "API overload begins",
        "DNS pod deleted",
        "lookups begin to fail",
        "API overload ends",
    ]


def test_a_pod_that_is_replaced_at_once_is_no_victim(read, store: Store) -> None:
    read(
        [
            *load(),
            *dns_pod(OLD, 5),
            *endpoints(100, 401, 405),
            deletion(400),
            *dns_pod(NEW, 404, placed=True),
        ]
    )
    probes(store, lambda t: TIME_OUT if 401 < t < 406 else OK)

    answer = answered(store)
    assert answer.evidence["role"] == "not involved"
    assert [status(answer, name) for name in ("H1", "H2")] == ["contradicted"] * 2
    assert verdict(answer, "H1")["numbers"]["outage_s"] == pytest.approx(4.1)


def test_who_asks_the_address_of_a_pod_asks_one_that_is_gone(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5), deletion(400), *dns_pod(NEW, 404, placed=True)])
    probes(store, lambda t: OK if t < 401 else TIME_OUT)

    answer = answered(store)
    assert answer.evidence["role"] == "not involved"
    assert "ask the address of the DNS service" in answer.evidence["in_its_use"]


def test_time_outs_of_pods_that_nobody_deleted_are_unreachable_ones(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5)])
    probes(store, lambda t: TIME_OUT if t > 400 and t % 3 == 0 else OK)

    answer = answered(store)
    assert status(answer, "H3") == "supported"
    assert answer.evidence["role"] == "victim"


@pytest.mark.parametrize(("server", "found"), [(FIRST, "supported"), (SECOND, "contradicted")])
def test_a_restarted_server_answers_servfail_until_it_has_data(
    read, store: Store, server: str, found: str
) -> None:
    read([*load(), *dns_pod(OLD, 5)])
    start = BEGIN.replace(tzinfo=UTC).timestamp()
    series(store, "process_start_time_seconds", lambda t: start - 90 if t < 400 else start + 400)
    where = {"instance": f"{server}:9153", "rcode": "SERVFAIL"}
    series(store, "coredns_dns_responses_total", lambda t: max(t - 405, 0.0), where)

    answer = answered(store)
    assert status(answer, "H1") == found
    assert verdict(answer, "H1")["numbers"]["process_starts"] == 1


def test_an_upstream_resolver_that_fails_is_told_by_its_answers(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5)])
    probes(store, lambda t: SERVFAIL if t > 500 else OK, qname="api.example.com")
    for rcode, late in (("NOERROR", 0.0), ("SERVFAIL", 10.0)):
        pace = {"rcode": rcode, "proxy_name": "forward"}
        series(
            store,
            "coredns_proxy_request_duration_seconds_count",
            lambda t, late=late: 10 * min(t, 500) * (late == 0) + late * max(t - 500, 0),
            pace,
        )

    answer = answered(store)
    assert status(answer, "H4") == "supported"
    assert "lookups" not in verdict(answer, "H4")["finding"]


@pytest.mark.parametrize("ttl", [40, 120, 400])
def test_caches_that_run_out_are_a_cliff(read, store: Store, ttl: float) -> None:
    read([*load(), *dns_pod(OLD, 5)])
    hits(store, lambda t: 0.9 * min(1.0, max(0.0, 1 - (t - 320) / ttl)))
    random.seed(1)
    probes(store, lambda t: SERVFAIL if random.random() < (t - 320) / ttl else OK)

    answer = answered(store)
    found = verdict(answer, "H5")
    assert (found["status"], answer.evidence["role"]) == ("supported", "victim")
    assert found["numbers"]["ttl_s"] == pytest.approx(ttl, rel=0.1)
    assert answer.evidence["clusters"][0]["hidden_s"] == pytest.approx(20, abs=8)
    assert "serve_stale" in answer.evidence["in_its_use"]
    assert any("configured TTL" in one.evidence for one in answer.missing)


def test_a_cliff_before_the_overload_is_not_its_own(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5)])
    hits(store, lambda t: 0.9 * min(1.0, max(0.0, 1 - (t - 100) / 150)))

    assert status(answered(store), "H5") == "contradicted"


def test_caches_on_nodes_are_told_by_their_name(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5)])
    for node, phase in (("a", 0), ("b", 20), ("c", 40)):
        hits(
            store,
            lambda t, phase=phase: 0.9 * min(1.0, max(0.0, 1 - (t - 320 - phase) / 100)),
            job="node-local-dns",
            instance=f"{node}:9253",
        )

    found = verdict(answered(store), "H6")
    assert found["status"] == "supported"
    assert (found["numbers"]["node_caches"], found["numbers"]["with_a_cliff"]) == (3, 3)
    assert found["numbers"]["apart_s"] == pytest.approx(40, abs=6)


def test_counters_of_kube_dns_and_old_releases_count_as_well(read, store: Store) -> None:
    read(list(load()))
    series(store, "kubedns_dnsmasq_hits", lambda t: 90 * min(t, 350.0))
    series(store, "kubedns_dnsmasq_misses", lambda t: 10 * t + 90 * max(t - 350, 0.0))
    series(store, "coredns_dns_response_rcode_count_total", lambda t: 2 * t, {"rcode": "SERVFAIL"})

    answer = answered(store)
    counted = store.frame("select distinct counted from dns_counters")["counted"].to_list()
    assert {"cache hits", "cache misses", "SERVFAIL answers"} <= set(counted)
    assert "fell at once" in verdict(answer, "H5")["finding"]


def test_load_of_dns_itself_makes_a_cause_or_an_amplifier(read, store: Store) -> None:
    asked = {"resource": "services", "pod": OLD, "node": "node-1"} | COREDNS
    read([*load(1.5), *load(4.0, **asked)])

    answer = answered(store)
    assert answer.evidence["role"] == "cause"
    share = answer.evidence["clusters"][0]["load"]["share_of_requests"]
    assert share == pytest.approx(1.5 / 1.75, rel=0.02)


def test_the_worst_of_several_clusters_is_told(read, store: Store) -> None:
    read([*load(), *dns_pod(OLD, 5), deletion(400)])
    probes(store, lambda t: OK if t < 402 else TIME_OUT)
    store.run("insert into requests select * replace ('calm' as cluster) from requests")
    store.run("delete from requests where cluster = 'calm' and verb = 'delete'")

    answer = answered(store, ("calm", "prod"))
    assert "in prod (of 2 clusters the worst)" in answer.headline
    assert [one["cluster"] for one in answer.evidence["clusters"]] == ["calm", "prod"]


def test_hostile_names_stay_data(read, store: Store) -> None:
    hostile = "\"><script>alert(1)</script>\n\u202e'"
    read([*load(), *dns_pod(OLD, 5)])
    probes(store, lambda t: OK if t < 402 else TIME_OUT, server=hostile, qname=hostile)

    answer = answered(store)
    json.dumps(dict(answer.evidence))
    assert answer.status == "answered"
    assert hostile in [row["where"] for row in answer.evidence["clusters"][0]["order"]]
    assert hostile not in answer.headline


def planted_fall(
    ttl: float, t0: float, width: float, after: float, lookups: int, seed: int
) -> list[Bin]:
    """Bins of a share of 0.95 that falls to `after` within the time to live; 0: at once."""
    chance = np.random.default_rng(seed)
    bins = []
    for begins in np.arange(0.0, t0 + 1.4 * ttl + 200, width):
        times = np.linspace(begins, begins + width, 21)
        gone = np.clip((times - t0) / ttl, 0, 1) if ttl else times >= t0
        share = 0.95 - (0.95 - after) * float(np.mean(gone))
        bins.append(
            Bin(float(begins), float(begins + width), lookups, chance.binomial(lookups, share))
        )
    return bins


falls = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**32 - 1)


@falls
@given(st.floats(30, 1200), st.floats(120, 600), st.floats(0, 0.2), seeds)
def test_a_time_to_live_is_fitted_within_a_tenth(
    ttl: float, t0: float, after: float, seed: int
) -> None:
    found = fit(planted_fall(ttl, t0, 5.0 if ttl < 200 else 15.0, after, 2000, seed))

    assert found.shape == "cliff"
    assert found.ttl_s == pytest.approx(ttl, rel=0.1)
    assert found.begins_s == pytest.approx(t0, abs=0.1 * ttl)


@falls
@given(st.floats(120, 600), st.sampled_from([1.0, 5.0, 15.0]), st.floats(0, 0.6), seeds)
def test_a_step_is_no_cliff(t0: float, width: float, after: float, seed: int) -> None:
    found = fit(planted_fall(0, t0, width, after, 300, seed))

    assert found.shape == "step"
    assert found.ttl_s is None
    assert found.begins_s == pytest.approx(t0, abs=width)


@falls
@given(st.floats(0.2, 1.0), st.integers(5, 500), seeds)
def test_what_does_not_fall_is_flat(share: float, lookups: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    bins = [Bin(5.0 * i, 5.0 * i + 5, lookups, chance.binomial(lookups, share)) for i in range(120)]

    assert fit(bins).shape == "flat"


def test_a_dip_that_recovers_has_no_time_to_live() -> None:
    shares = [0.9] * 60 + [0.2] * 20 + [0.9] * 60
    bins = [Bin(5.0 * i, 5.0 * i + 5, 100, 100 * share) for i, share in enumerate(shares)]

    assert fit(bins).shape in ("flat", "other")


def test_few_lookups_decide_nothing() -> None:
    assert fit([Bin(float(i), i + 1.0, 1, 1) for i in range(20)]).shape == "too few"
