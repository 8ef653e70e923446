"""Which versions ran: age, builds, skew, upgrades, and features missed or switched off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kubepostmortem.charts import CHARTS
from kubepostmortem.ingest import ingest
from kubepostmortem.questions import which_version
from kubepostmortem.questions.question import Answer, ask
from kubepostmortem.store import Store
from planted import BEGIN, Event, at, event, write_log
from planted_windows import plant_windows

IDS = count(1)
OVERLOAD = 300.0  # seconds after the beginning; it lasts as long
SERVER = "kube-apiserver"
USERS = {SERVER: "system:apiserver", "kubectl": "alice@example.com"}


def call(
    program: str, version: str, received: float = 400.0, commit: str = "98b3519", **fields: Any
) -> Event:
    """A request that names the version of a program of Kubernetes."""
    agent = f"{program}/{version} (linux/amd64) kubernetes/{commit}"
    user = USERS.get(program, f"system:{program}")
    asked = {"user": user, "agent": agent, "verb": "get", "name": "a"} | fields
    return event(f"v{next(IDS)}", received=received, took=0.01, **asked)


def kubelet(node: str, version: str, received: float = 400.0) -> Event:
    return call("kubelet", version, received, user=f"system:node:{node}", resource="nodes")


def lists(code: int = 200, **fields: Any) -> Iterator[Event]:
    """Lists of all pods without resourceVersion, in the overload."""
    for i in range(10):
        user = "system:serviceaccount:obs:agent"
        asked = {"user": user, "agent": "agent/1.0", "resource": "pods", "code": code} | fields
        yield event(f"v{next(IDS)}", received=OVERLOAD + 10 * i, took=0.2, **asked)


def windows(store: Store, cluster: str = "prod") -> None:
    plant_windows(store, (0.0, OVERLOAD), (OVERLOAD, 2 * OVERLOAD), (cluster,), others_stay=True)


def flags(store: Store, **given: str) -> None:
    """Flags of the API server, known in full."""
    rows = {"etcd-servers": "https://etcd"} | {k.replace("_", "-"): v for k, v in given.items()}
    store.insert(
        "apiserver_config",
        [
            {"cluster": "prod", "apiserver": "", "setting": name, "value": value, "ingest_id": 1}
            for name, value in rows.items()
        ],
    )


def metric(store: Store, named: str, value: float = 1.0, **labels: str) -> None:
    """One sample of a metric of an API server, in the overload."""
    told = {"job": "apiserver", "instance": "10.0.0.1:6443"} | labels
    store.run(
        """insert into metric_series
        select coalesce(max(series_id), 0) + 1, 'prod', $metric, map($keys, $values), 1
        from metric_series""",
        metric=named,
        keys=list(told),
        values=list(told.values()),
    )
    (number,) = store.frame("select max(series_id) as n from metric_series")["n"]
    store.insert("metric_samples", [{"series_id": number, "sampled_at": at(400), "value": value}])


def answered(store: Store) -> Answer:
    windows(store)
    answer = ask(which_version, store)
    json.dumps(dict(answer.evidence))
    return answer


def told(answer: Answer, part: str) -> Any:
    (cluster,) = answer.evidence["clusters"]
    return cluster[part]


def feature(answer: Answer, id: str) -> Mapping[str, Any]:
    (found,) = [row for row in told(answer, "features") if row["feature"] == id]
    return dict(found)


def test_without_a_version_it_is_open(read, store: Store) -> None:
    read(list(lists()))

    answer = answered(store)
    assert (answer.status, answer.confidence) == ("open", "none")
    assert any("kubernetes_build_info" in one.evidence for one in answer.missing)


def test_the_version_of_the_api_servers_is_told_with_its_end_of_life(read, store: Store) -> None:
    read([call(SERVER, "v1.34.2"), *lists()])

    answer = answered(store)
    assert answer.status == "answered"
    assert "API servers run Kubernetes 1.34 (v1.34.2): not too old" in answer.headline
    assert "supported until 2026-10-27 and 1 behind the newest" in answer.headline
    assert told(answer, "builds") == "as released"
    assert any("refs/tags/v1.34.2*" in one.collect for one in answer.missing)


def test_what_is_past_its_end_of_life_is_too_old(read, store: Store) -> None:
    read([call(SERVER, "v1.27.3"), *lists()])

    days = (BEGIN.date() - date(2024, 7, 16)).days
    answer = answered(store)
    assert f"too old, {days} days past its end of life (2024-07-16)" in answer.headline
    assert told(answer, "support")["days_past"] == days


@pytest.mark.parametrize(("version", "supported"), [("v1.17.3", False), ("v1.99.0", None)])
def test_releases_before_and_after_all_that_are_known(
    read, store: Store, version: str, supported: bool | None
) -> None:
    read([call(SERVER, version), *lists()])

    assert told(answered(store), "support")["supported"] is supported


@pytest.mark.parametrize(
    ("version", "gates", "state", "here"),
    [
        ("v1.27.1", "", "not in this version", "missed"),
        ("v1.30.1", "", "off by default", "missed"),
        ("v1.30.1", "ConsistentListFromCache=true", "on by flag", "in use"),
        ("v1.31.1", "", "on by default", "in use"),
        ("v1.31.1", "AllAlpha=true,ConsistentListFromCache=false", "off by flag", "missed"),
        ("v1.31.1", "AllBeta=false", "off by flag", "missed"),
        ("v1.36.1", "ConsistentListFromCache=false", "always on", "in use"),
    ],
)
def test_a_feature_is_judged_by_version_flags_and_what_happened(
    read, store: Store, version: str, gates: str, state: str, here: str
) -> None:
    read([call(SERVER, version), *lists()])
    flags(store, feature_gates=gates)

    found = feature(answered(store), "consistent-list-from-cache")
    assert (found["state"], found["here"], found["times"]) == (state, here, 10)


def test_what_would_have_helped_is_in_the_headline(read, store: Store) -> None:
    read([call(SERVER, "v1.30.1"), *lists()])

    answer = answered(store)
    assert "consistent-list-from-cache" in told(answer, "missed")
    assert "It lacked what would have helped here:" in answer.headline
    assert "lists of the most recent state from the watch cache (on since 1.31)" in answer.headline


def test_a_feature_is_not_missed_where_nothing_asked_for_it(read, store: Store) -> None:
    versioned = "/api/v1/pods?resourceVersion=5&limit=100"
    read([call(SERVER, "v1.30.1"), *lists(uri=versioned)])

    answer = answered(store)
    assert feature(answer, "consistent-list-from-cache")["here"] == "not needed"
    assert feature(answer, "resilient-watch-cache")["here"] == "not known"


def test_a_restart_of_an_api_server_tells_what_a_start_needs(read, store: Store) -> None:
    read([call(SERVER, "v1.30.1"), *lists()])
    metric(store, "process_start_time_seconds", 100)
    store.insert("metric_samples", [{"series_id": 1, "sampled_at": at(500), "value": 990.0}])

    assert feature(answered(store), "resilient-watch-cache")["here"] == "missed"


def test_flow_control_that_is_off_takes_all_of_it_along(read, store: Store) -> None:
    read([call(SERVER, "v1.36.2"), *lists(code=429)])
    flags(store, enable_priority_and_fairness="false")

    answer = answered(store)
    assert feature(answer, "api-priority-and-fairness")["state"] == "off by flag"
    borrowing = feature(answer, "borrowing")
    assert (borrowing["here"], borrowing["without"]) == ("not judged", "api-priority-and-fairness")
    assert (
        "Switched off: API Priority and Fairness (--enable-priority-and-fairness=false)."
        in answer.headline
    )


def test_metrics_tell_gates_that_flags_do_not(read, store: Store) -> None:
    read([call(SERVER, "v1.36.2"), *lists()])
    metric(store, "kubernetes_feature_enabled", 0, name="SizeBasedListCostEstimate", stage="BETA")

    answer = answered(store)
    assert feature(answer, "list-seats-by-size")["state"] == "off by flag"
    assert not any("No source tells all flags" in line for line in answer.caveats)


@pytest.mark.parametrize(
    ("fallback", "says"), [(None, "does not tell its version"), ("true", "went to etcd after all")]
)
def test_the_watch_cache_needs_a_new_etcd(
    read, store: Store, fallback: str | None, says: str
) -> None:
    read([call(SERVER, "v1.34.2"), *lists()])
    if fallback:
        labels = {"resource": "pods", "success": "true", "fallback": fallback}
        metric(store, "apiserver_watch_cache_consistent_read_total", 5, **labels)
        store.insert("metric_samples", [{"series_id": 1, "sampled_at": at(430), "value": 9.0}])

    answer = answered(store)
    assert any(says in line for line in answer.caveats)
    reads = {"from_cache": 0, "from_etcd": 4} if fallback else None
    assert told(answer, "consistent_reads") == reads


def test_unknown_flags_are_a_caveat(read, store: Store) -> None:
    read([call(SERVER, "v1.36.2"), *lists()])

    answer = answered(store)
    assert any("No source tells all flags" in line for line in answer.caveats)
    assert any(one.evidence == "flags of the API servers" for one in answer.missing)


def test_versions_too_far_apart_are_named(read, store: Store) -> None:
    allowed = [
        ("kubelet", "v1.33.0"),
        ("kube-controller-manager", "v1.35.0"),
        ("kubectl", "v1.37.0"),
    ]
    too_far = [
        ("kube-proxy", "v1.32.1"),
        ("kube-scheduler", "v1.34.0"),
        ("kubectl", "v1.34.0"),
        ("kubelet", "v1.32.9"),
        ("kubelet", "v1.37.0"),
    ]
    read([call(SERVER, "v1.36.2"), *(call(*one) for one in [*allowed, *too_far]), *lists()])

    answer = answered(store)
    assert [(one["component"], one["version"]) for one in told(answer, "skew")] == too_far
    assert answer.figures[0].says.startswith("Outside of the skew policy: kube-proxy")


@pytest.mark.parametrize(("version", "outside"), [("v1.35.4", []), ("v1.34.4", ["v1.34.4"])])
def test_api_servers_are_within_one_minor_version(
    read, store: Store, version: str, outside: list[str]
) -> None:
    read([call(SERVER, "v1.36.2"), call(SERVER, version), *lists()])

    assert [one["version"] for one in told(answered(store), "skew")] == outside


def test_old_kubelets_may_be_two_minor_versions_older(read, store: Store) -> None:
    read([call(SERVER, "v1.27.1"), kubelet("a", "v1.24.1"), kubelet("b", "v1.25.1"), *lists()])

    assert [one["version"] for one in told(answered(store), "skew")] == ["v1.24.1"]


def test_with_api_servers_of_two_versions_others_must_fit_both(read, store: Store) -> None:
    servers = [call(SERVER, "v1.36.2"), call(SERVER, "v1.35.2")]
    read([*servers, kubelet("a", "v1.36.0"), kubelet("b", "v1.32.1"), *lists()])

    outside = told(answered(store), "skew")
    assert {one["version"] for one in outside} == {"v1.36.0", "v1.32.1"}
    assert any("must not be newer than API servers (1.35)" in one["rule"] for one in outside)


def test_a_distribution_is_named(read, store: Store) -> None:
    read([call(SERVER, "v1.34.2-eks-b998877"), kubelet("a", "v1.34.2-eks-b998877"), *lists()])

    answer = answered(store)
    assert told(answer, "builds") == "distribution"
    assert "built by Amazon EKS" in answer.headline
    assert any("Amazon EKS may support versions longer" in line for line in answer.caveats)


@pytest.mark.parametrize(
    "version", ["v1.34.2-dirty", "v1.34.2-acme.7", "v1.34.0-12+1a52fbf0753680", "v1.34.0-rc.1"]
)
def test_builds_of_nobody_known_are_told(read, store: Store, version: str) -> None:
    read([call(SERVER, version), *lists()])

    answer = answered(store)
    assert told(answer, "builds") == "own build"
    assert f"not as released ({version}" in answer.headline


def test_one_version_of_two_commits_is_two_builds(read, store: Store) -> None:
    read([call(SERVER, "v1.34.2"), call("kube-scheduler", "v1.34.2", commit="0ddba11"), *lists()])

    answer = answered(store)
    assert told(answer, "builds") == "own build"
    assert "built from different commits (0ddba11 and 98b3519)" in answer.headline


def test_a_dirty_tree_is_known_from_metrics(read, store: Store) -> None:
    read(list(lists()))
    labels = {"git_version": "v1.34.2", "git_commit": "98b3519aa", "git_tree_state": "dirty"}
    metric(store, "kubernetes_build_info", **labels)

    answer = answered(store)
    assert told(answer, "builds") == "own build"
    assert told(answer, "programs")[0]["component"] == SERVER


def test_the_user_agent_of_an_api_server_counts_only_from_an_api_server(read, store: Store) -> None:
    read([call(SERVER, "v1.36.2"), call(SERVER, "v1.2.3", user="mallory"), *lists()])

    assert told(answered(store), "api_servers")["versions"] == ["v1.36.2"]


def test_metrics_are_surer_than_user_agents(read, store: Store) -> None:
    read([call(SERVER, "v1.2.3"), *lists()])
    metric(store, "kubernetes_build_info", git_version="v1.36.2")

    assert told(answered(store), "api_servers")["versions"] == ["v1.36.2"]


def test_controllers_and_kubelets_stand_in_for_api_servers(read, store: Store) -> None:
    read([kubelet("a", "v1.34.2"), *lists()])
    alone = answered(store)
    assert (told(alone, "api_servers")["known_from"], alone.confidence) == ("kubelets", "low")
    assert "Nodes run" in alone.headline and told(alone, "skew") == []

    read([call("kube-controller-manager", "v1.34.2")], "more.log")
    assert told(answered(store), "api_servers")["known_from"] == "control plane"


def test_a_node_that_came_back_with_another_version_was_upgraded(read, store: Store) -> None:
    before = [kubelet(node, "v1.34.1", 100) for node in ("a", "b", "c")]
    after = [kubelet("a", "v1.34.2", 350), kubelet("b", "v1.34.2", 420)]
    read([call(SERVER, "v1.34.2"), *before, *after, *lists()])

    answer = answered(store)
    (change,) = told(answer, "changes")
    assert (change["old_version"], change["new_version"]) == ("v1.34.1", "v1.34.2")
    assert (change["instances"], change["first_at"]) == (2, at(350).isoformat() + "Z")
    assert answer.figures[0].says == "Versions changed: kubelet"


def test_versions_side_by_side_are_no_upgrade(read, store: Store) -> None:
    times = [(100, "v1.35.1"), (110, "v1.36.1"), (120, "v1.35.1"), (130, "v1.36.1")]
    read([*(call(SERVER, version, t) for t, version in times), *lists()])

    assert told(answered(store), "changes") == []


def test_nodes_are_known_from_their_objects(read, store: Store) -> None:
    read([call(SERVER, "v1.36.2"), *lists()])
    row = {"cluster": "prod", "node": "a", "kubelet_version": "v1.32.1", "ingest_id": 1}
    store.insert("nodes", [row])

    assert [one["component"] for one in told(answered(store), "skew")] == ["kubelet"]


def test_several_clusters_are_counted(read, store: Store, tmp_path: Path) -> None:
    read([call(SERVER, "v1.36.2"), *lists()])
    log = write_log(tmp_path / "edge.log", [call(SERVER, "v1.27.3"), *lists()])
    list(ingest(store, [log], "edge"))
    windows(store, "edge")

    answer = answered(store)
    assert "2 clusters run Kubernetes 1.27 in 1 and 1.36 in 1: 1 past the end of life" in (
        answer.headline
    )
    assert [one["cluster"] for one in answer.evidence["clusters"]] == ["edge", "prod"]
    assert answer.tables[0].rows["clusters"].sum() == sum(
        len(one["features"]) for one in answer.evidence["clusters"]
    )


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "\u202e", "'\"--", "\x00"])
def test_hostile_versions_are_data(read, store: Store, hostile: str) -> None:
    read([call(SERVER, f"v1.34.2{hostile}"), kubelet("a", f"v1.34.1{hostile}"), *lists()])

    answer = answered(store)
    for figure in answer.figures:
        json.dumps(CHARTS[figure.chart](figure.rows).to_dict(), allow_nan=False)
    assert all("script" not in one.collect for one in answer.missing)


def test_the_recorded_incident_ran_a_supported_release(postmortem) -> None:
    answer = ask(which_version, postmortem.store)
    assert (answer.status, answer.confidence) == ("answered", "high")
    assert told(answer, "api_servers")["oldest"] == "1.36"
    assert told(answer, "skew") == [] and told(answer, "changes") == []
    assert told(answer, "missed") == ["api-priority-and-fairness"]  # off by flag
