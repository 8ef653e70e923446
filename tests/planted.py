"""Audit logs with a planted truth: single events, requests, and a whole overload."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

BEGIN = datetime(2026, 3, 1, 12)  # UTC; times in this file are seconds after it
KUBELET = "kubelet/v1.33.2 (linux/amd64) kubernetes/98b3519"
STAGES = ("RequestReceived", "ResponseComplete")

Event = dict[str, Any]


def at(seconds: float) -> datetime:
    """The naive UTC time that lies this many seconds after the beginning."""
    return BEGIN + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    """A time as the API server writes it."""
    return at(seconds).isoformat(timespec="microseconds") + "Z"


def event(
    audit_id: str = "00000000-0000-4000-8000-000000000001",
    *,
    stage: str = "ResponseComplete",
    received: float = 0.0,
    took: float = 0.0,
    verb: str = "list",
    resource: str | None = "pods",
    group: str = "",
    subresource: str = "",
    namespace: str = "",
    name: str = "",
    uri: str | None = None,
    user: str = "system:node:node-1",
    agent: str = KUBELET,
    ip: str = "10.0.0.1",
    pod: str = "",
    node: str = "",
    code: int = 200,
    **fields: Any,
) -> Event:
    """One audit event; further fields replace those of the event."""
    reference = {
        "resource": resource,
        "subresource": subresource,
        "namespace": namespace,
        "name": name,
        "apiGroup": group,
        "apiVersion": "v1",
    }
    bound = {
        "authentication.kubernetes.io/pod-name": [pod] if pod else None,
        "authentication.kubernetes.io/node-name": [node] if node else None,
    }
    found = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": audit_id,
        "stage": stage,
        "requestURI": uri or path_of(resource, group, namespace, name, subresource),
        "verb": verb,
        "user": {"username": user, "extra": {k: v for k, v in bound.items() if v}},
        "sourceIPs": [ip],
        "userAgent": agent,
        "objectRef": {k: v for k, v in reference.items() if v} if resource else None,
        "responseStatus": None if stage == "RequestReceived" else {"code": code},
        "requestReceivedTimestamp": stamp(received),
        "stageTimestamp": stamp(received + took),
    } | fields
    return {key: value for key, value in found.items() if value is not None}


def path_of(
    resource: str | None, group: str = "", namespace: str = "", name: str = "", sub: str = ""
) -> str:
    """The URL path of a resource."""
    place = [f"namespaces/{namespace}"] if namespace else []
    root = f"apis/{group}/v1" if group else "api/v1"
    return "/" + "/".join(filter(None, [root, *place, resource or "", name, sub]))


def request(
    audit_id: str = "00000000-0000-4000-8000-000000000001",
    *,
    took: float = 0.01,
    stages: Sequence[str] = STAGES,
    **fields: Any,
) -> list[Event]:
    """The events of one request, one per stage; a long response starts within a millisecond."""
    after = {"RequestReceived": 0.0, "ResponseStarted": min(took, 0.001)}
    return [event(audit_id, stage=stage, took=after.get(stage, took), **fields) for stage in stages]


def lines(events: Iterable[Event]) -> list[bytes]:
    """Events as the log backend writes them, each with its line end."""
    return [json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in events]


def write_log(path: Path, events: Iterable[Event | bytes], *, packed: bool = False) -> Path:
    """Write events, or lines as they are, to a file, gzip if packed; return its path."""
    text = b"".join(e if isinstance(e, bytes) else lines([e])[0] for e in events)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text, compresslevel=1) if packed else text)
    return path


@dataclass(frozen=True)
class Culprit:
    """What makes the overload: one client per node, or a single one, at a pace of its own.

    every: seconds between two rounds of one client; cost: seconds that one request takes when
    nothing else runs; before: its pace in the baseline, as a part of its pace in the overload.
    """

    user: str
    agent: str
    verb: str
    resources: tuple[tuple[str, str], ...]  # group and resource
    every: float = 4.0
    cost: float = 0.2
    per_node: bool = True
    workload: str = ""
    named: bool = False
    before: float = 0.0


OTEL = Culprit(
    user="system:serviceaccount:telemetry:otel-agent",
    agent="otelcol-contrib/0.115.0 (linux/amd64)",
    verb="list",
    resources=(("", "pods"), ("", "nodes"), ("", "endpoints")),
    workload="otel-agent",
)


@dataclass(frozen=True)
class Storm:
    """A cluster, and what happens to it."""

    culprit: Culprit | None = OTEL
    nodes: int = 24
    baseline_s: float = 300.0
    overload_s: float = 240.0
    waves: tuple[float, ...] = (0.0, 30.0, 60.0)  # after the overload begins
    congestion: float = 8.0  # by how much every request gets slower
    shed: float = 0.3  # part of all requests that is answered 429
    latecomer: bool = False  # a new agent, cheap but as slow as all, 100 s after the beginning
    seed: int = 1


def telemetry_storm(storm: Storm = Storm()) -> list[Event]:
    """Events of a cluster that a culprit overloads, in the order of their stage times.

    Innocent: kubelets renew leases, controllers work, agents hold watches, one deploy before the
    overload brings a small new client, and victims that are answered 429 try again a second later.
    """
    return sorted(_Cluster(storm).events(), key=lambda e: (e["stageTimestamp"], e["auditID"]))


class _Cluster:
    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self.random = random.Random(storm.seed)
        self.ids = count(1)
        self.ends = storm.baseline_s + storm.overload_s
        self.names = [f"node-{i:03}" for i in range(storm.nodes)]

    def events(self) -> Iterator[Event]:
        yield from self._kubelets()
        yield from self._controllers()
        yield from self._watchers()
        yield from self._decoy()
        if self.storm.culprit:
            yield from self._culprit(self.storm.culprit)
        if self.storm.latecomer:
            yield from self._latecomer()

    def _kubelets(self) -> Iterator[Event]:
        for i, node in enumerate(self.names):
            caller = {"user": f"system:node:{node}", "agent": KUBELET, "ip": f"10.0.0.{i}"}
            lease = {
                "resource": "leases",
                "group": "coordination.k8s.io",
                "namespace": "kube-node-lease",
                "name": node,
            }
            for when in self._times(10.0):
                yield from self._calls(when, 0.004, verb="update", **caller, **lease)
            for when in self._times(60.0):
                status = {"resource": "nodes", "name": node, "subresource": "status"}
                yield from self._calls(when, 0.006, verb="patch", **caller, **status)

    def _controllers(self) -> Iterator[Event]:
        caller = {"user": "system:kube-controller-manager", "ip": "10.0.1.1"}
        agent = "kube-controller-manager/v1.33.2 (linux/amd64) kubernetes/98b3519/{}"
        for when in self._times(2.0):
            yield from self._calls(
                when,
                0.005,
                verb="update",
                resource="leases",
                group="coordination.k8s.io",
                namespace="kube-system",
                name="kube-controller-manager",
                agent=agent.format("leader-election"),
                **caller,
            )
        for when in self._times(5.0):
            where = {"resource": "endpointslices", "group": "discovery.k8s.io", "namespace": "shop"}
            yield from self._calls(
                when,
                0.008,
                verb="update",
                name="checkout",
                agent=agent.format("x"),
                **where,
                **caller,
            )

    def _watchers(self) -> Iterator[Event]:
        for i in range(len(self.names)):
            for when in self._times(240.0):
                yield from request(
                    self._id(),
                    received=when,
                    took=200.0,
                    stages=("RequestReceived", "ResponseStarted", "ResponseComplete"),
                    verb="watch",
                    resource="endpointslices",
                    group="discovery.k8s.io",
                    uri="/apis/discovery.k8s.io/v1/endpointslices?watch=true&resourceVersion=7",
                    user="system:serviceaccount:kube-system:kube-proxy",
                    agent="kube-proxy/v1.33.2 (linux/amd64) kubernetes/98b3519",
                    ip=f"10.0.0.{i}",
                )

    def _decoy(self) -> Iterator[Event]:
        """A release that has nothing to do with it: applied before, with a few calls of its own."""
        applied = self.storm.baseline_s - 40
        yield from self._change(applied, "deployments", "shop", "checkout")
        for when in self._times(8.0):
            if when > applied:
                yield from self._calls(
                    when,
                    0.01,
                    verb="get",
                    resource="configmaps",
                    namespace="shop",
                    name="checkout",
                    user="system:serviceaccount:shop:checkout",
                    agent="checkout/v1.9.3 (linux/amd64)",
                    pod="checkout-84ffb4bd84-6drts",
                    node=self.names[0],
                    ip="10.2.0.9",
                )

    def _latecomer(self) -> Iterator[Event]:
        begins = self.storm.baseline_s + 100
        yield from self._change(begins - 2, "daemonsets", "security", "scanner")
        for i, node in enumerate(self.names):
            for when in self._times(5.0):
                if when > begins:
                    yield from self._calls(
                        when,
                        0.01,
                        verb="list",
                        resource="pods",
                        uri=f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}",
                        user="system:serviceaccount:security:scanner",
                        agent="scanner/v2.1.0 (linux/amd64)",
                        pod=f"scanner-{_suffix(i)}",
                        node=node,
                        ip=f"10.0.0.{i}",
                    )

    def _culprit(self, culprit: Culprit) -> Iterator[Event]:
        if culprit.workload:
            namespace = culprit.user.split(":")[2]
            yield from self._change(
                self.storm.baseline_s - 1, "daemonsets", namespace, culprit.workload
            )
        for i, node in enumerate(self.names if culprit.per_node else self.names[:1]):
            wave = self.storm.waves[i % len(self.storm.waves)] if culprit.per_node else 0.0
            begins = self.storm.baseline_s + wave
            times = [t for t in self._times(culprit.every) if t >= begins]
            if culprit.before:
                early = self._times(culprit.every / culprit.before)
                times += [t for t in early if t < begins]
            for when in times:
                yield from self._round(culprit, when, i, node)

    def _round(self, culprit: Culprit, when: float, i: int, node: str) -> Iterator[Event]:
        as_pod = culprit.user.startswith("system:serviceaccount:") and culprit.workload
        for group, resource in culprit.resources:
            yield from self._calls(
                when,
                culprit.cost,
                verb=culprit.verb,
                resource=resource or None,
                group=group,
                uri=None if resource else group,
                name=f"{resource}-{i}" if culprit.named else "",
                user=culprit.user.format(node=node),
                agent=culprit.agent,
                ip=f"10.0.0.{i}",
                pod=f"{culprit.workload}-{_suffix(i)}" if as_pod else "",
                node=node if as_pod else "",
            )

    def _change(self, when: float, resource: str, namespace: str, name: str) -> Iterator[Event]:
        yield from request(
            self._id(),
            received=when,
            verb="patch",
            resource=resource,
            group="apps",
            namespace=namespace,
            name=name,
            user="system:serviceaccount:ci:deployer",
            agent="helm/3.15.1",
            ip="10.9.0.1",
        )

    def _calls(self, when: float, cost: float, **fields: Any) -> Iterator[Event]:
        """One call, and its retries where it is answered 429."""
        overloaded = self.storm.culprit is not None and when >= self.storm.baseline_s + 30
        took = cost * self.random.uniform(0.9, 1.4)
        while overloaded and self.random.random() < self.storm.shed and when < self.ends:
            yield from request(self._id(), received=when, took=0.001, code=429, **fields)
            when += 1.0 + self.random.random()
        slower = self.storm.congestion if overloaded else 1.0
        if when < self.ends:
            yield from request(self._id(), received=when, took=took * slower, **fields)

    def _times(self, every: float) -> list[float]:
        """Times of a client with this pace, from a phase of its own and not quite even."""
        first = self.random.random() * every
        rounds = int((self.ends - first) / every) + 1
        jitter = 0.05 * every
        times = (first + i * every + self.random.uniform(-jitter, jitter) for i in range(rounds))
        return [t for t in times if 0 <= t < self.ends]

    def _id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self.ids):012x}"


def _suffix(number: int) -> str:
    """Five letters as Kubernetes puts them behind the name of a pod."""
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return "".join(letters[(number // 27**place) % 27] for place in range(5))
