"""Rollouts that only the calls of new pods show, and what merely looks like one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.store import Store
from planted import Event, Storm, at, event, telemetry_storm, write_log

LETTERS = "bcdfghjklmnpqrstvwxz"
IDS = count(1)


def suffix(number: int) -> str:
    return "".join(LETTERS[(number // 20**place) % 20] for place in range(5))


def pod(number: int, name: str = "agent") -> str:
    return f"{name}-{suffix(number)}"


def calls(pod: str, times: Iterable[float], node: str = "node-1", **fields: Any) -> Iterator[Event]:
    """Calls of a pod of namespace obs."""
    account = "system:serviceaccount:obs:agent"
    for when in times:
        yield event(f"r{next(IDS)}", received=when, user=account, pod=pod, node=node, **fields)


def placed(pod: str, when: float) -> Event:
    """The scheduler places a pod."""
    place = {"resource": "pods", "subresource": "binding", "namespace": "obs", "name": pod}
    user = "system:kube-scheduler"
    return event(f"r{next(IDS)}", received=when, verb="create", code=201, user=user, **place)


def leases(node: str, begins: float = 0.0) -> Iterator[Event]:
    """A kubelet that renews its lease until the log ends."""
    for when in range(int(begins), 600, 10):
        yield event(f"r{next(IDS)}", received=when, verb="update", user=f"system:node:{node}")


def every(seconds: float, begins: float, ends: float = 600.0) -> list[float]:
    return [begins + i * seconds for i in range(int((ends - begins) / seconds) + 1)]


def waves(store: Store) -> list[dict[str, Any]]:
    return store.rows("select * exclude cluster from rollouts")


def test_waves_of_new_pods_are_a_rollout(read, store: Store) -> None:
    events = list(leases("node-1"))
    for number, begins in enumerate([200.0, 201, 202, 260, 261, 262, 263]):
        events += calls(pod(number), every(15, begins), node=f"node-{number}")

    read(events)

    assert waves(store) == [
        {
            "workload": "obs/agent",
            "revision": None,
            "began_at": at(200),
            "ended_at": at(202),
            "pods": 3,
            "nodes": 3,
            "share": 3 / 7,
        },
        {
            "workload": "obs/agent",
            "revision": None,
            "began_at": at(260),
            "ended_at": at(263),
            "pods": 4,
            "nodes": 4,
            "share": 4 / 7,
        },
    ]


def test_a_rollout_node_by_node_is_one_wave(read, store: Store) -> None:
    events = list(leases("node-1"))
    for number in range(8):
        events += calls(pod(number), every(15, 200 + 40 * number))

    read(events)

    (wave,) = waves(store)
    assert (wave["began_at"], wave["ended_at"], wave["pods"]) == (at(200), at(480), 8)


def resident(pods: int, seconds: float) -> list[Event]:
    """Pods that were there all along and call at their own pace."""
    return [
        one
        for number in range(pods)
        for one in calls(pod(number), every(seconds, number * seconds / pods))
    ]


def test_pods_that_call_rarely_are_no_rollout(read, store: Store) -> None:
    read(list(leases("node-1")) + resident(20, 250))

    assert waves(store) == []
    assert store.value("select count(*) from pods_first_seen where is_new") == 0


@pytest.mark.parametrize(("placing", "expected"), [(True, 0), (False, 1)])
def test_pods_that_wake_up_are_told_from_new_ones_by_the_scheduler(
    read, store: Store, placing: bool, expected: int
) -> None:
    """Without placings in the log nothing tells them apart."""
    events = [*leases("node-1"), *([placed("other", 100)] if placing else [])]
    for number in range(10):
        events += calls(pod(number), every(5, 300))

    read(events)

    assert len(waves(store)) == expected


def test_a_wave_begins_when_its_first_pod_is_placed(read, store: Store) -> None:
    events = list(leases("node-1"))
    for number in range(4):
        events += [placed(pod(number), 200 + number), *calls(pod(number), every(15, 230 + number))]

    read(events)

    (wave,) = waves(store)
    assert (wave["began_at"], wave["ended_at"]) == (at(200), at(203))


def test_a_few_pods_that_are_replaced_are_no_rollout(read, store: Store) -> None:
    events = resident(40, 20)
    for number in range(40, 43):
        events += calls(pod(number), every(20, 300))

    read(events)

    assert waves(store) == []


def test_pods_on_new_nodes_came_with_them(read, store: Store) -> None:
    events = list(leases("node-1")) + resident(5, 20)
    for number in range(10, 20):
        node = f"node-{number}"
        events += [*leases(node, 300), *calls(pod(number), every(20, 310), node=node)]

    read(events)

    assert waves(store) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [("web-7f77b7c8c4-x7k2p", ["7f77b7c8c4"]), ("web-84ffb4bd84-x7k2p", [])],
    ids=["another revision", "the same revision"],
)
def test_a_pod_of_a_deployment_is_a_rollout_where_its_revision_is_new(
    read, store: Store, new: str, expected: Sequence[str]
) -> None:
    old = calls("web-84ffb4bd84-6drts", every(10, 0))

    read([*old, *calls(new, every(10, 300))])

    assert [wave["revision"] for wave in waves(store)] == expected


def test_jobs_of_a_cron_job_are_no_rollout(read, store: Store) -> None:
    begun = [*leases("node-1"), *calls("backup-28424524-x7k2p", every(10, 300, 350))]

    read([*begun, *calls("backup-28424529-x7k2p", every(10, 400, 450))])

    assert waves(store) == []


def test_a_rotated_log_of_another_server_makes_no_pod_new(store: Store, tmp_path: Path) -> None:
    early = tmp_path / "kube-apiserver" / "a-audit.log"
    late = tmp_path / "kube-apiserver" / "b-audit.log"
    write_log(early, leases("node-1"))
    write_log(late, [one for n in range(9) for one in calls(pod(n), every(15, 300 + n))])

    ingest(store, [tmp_path], "prod")

    assert waves(store) == []


# Candidates


def candidates(store: Store) -> list[tuple[Any, ...]]:
    told = "service, applied_at, reported_by, version, actor"
    return store.frame(f"select {told} from deploy_candidates order by all").rows()


def rolled_out(begins: float = 300.0) -> list[Event]:
    fresh = [one for n in range(5) for one in calls(pod(n), every(15, begins + n))]
    return [*leases("node-1"), *fresh]


def deploy(when: float, version: str = "0.115.0") -> dict[str, Any]:
    return {
        "cluster": "prod",
        "applied_at": at(when),
        "namespace": "obs",
        "service": "agent",
        "version": version,
        "actor": "ci",
        "reported_by": "deploy timeline",
        "ingest_id": 9,
    }


def test_a_rollout_that_nobody_recorded_is_a_candidate(read, store: Store) -> None:
    read(rolled_out())

    assert candidates(store) == [("agent", at(300), "pods first seen", None, None)]


@pytest.mark.parametrize("ahead", [0.5, 90, 290])
def test_pods_and_the_pipeline_tell_of_one_release(read, store: Store, ahead: float) -> None:
    read(rolled_out())
    store.insert("deploys", [deploy(300 - ahead)])

    told = "deploy timeline, pods first seen"
    assert candidates(store) == [("agent", at(300 - ahead), told, "0.115.0", "ci")]


def test_pods_long_after_a_release_are_another_one(read, store: Store) -> None:
    read(rolled_out())
    store.insert("deploys", [deploy(-400)])

    assert [row[2] for row in candidates(store)] == ["deploy timeline", "pods first seen"]


def test_the_hash_of_a_pod_is_no_other_version(read, store: Store) -> None:
    new = calls("agent-7f77b7c8c4-x7k2p", every(10, 300))
    read([*calls("agent-84ffb4bd84-6drts", every(10, 0)), *new])
    store.insert("deploys", [deploy(250), deploy(330)])

    assert [row[3] for row in candidates(store)] == ["0.115.0"]


def test_planted_a_rollout_that_only_its_pods_show_is_the_cause(read, store: Store) -> None:
    storm = telemetry_storm(Storm(nodes=10, baseline_s=200, overload_s=100))
    read([one for one in storm if "/apps/" not in one["requestURI"]])
    store.close()

    postmortem = Postmortem.open(store.path)
    answer = postmortem.ask("which-deploy")
    postmortem.store.close()

    first, *others = answer.evidence["suspects"]
    assert [(s["service"], s["verdict"]) for s in others] == [("checkout", "innocent")]
    assert (first["service"], first["verdict"]) == ("otel-agent", "cause")
    assert (first["actor"], first["reported_by"]) == (None, "pods first seen")
    assert answer.confidence == "medium"
    assert " by None" not in answer.headline
    assert any("No record tells of this release" in caveat for caveat in answer.caveats)
