"""Operators with custom resources of their own, which make most of the cells of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Client = dict[str, Any]
MADE = ("configmaps", "secrets", "services", "statefulsets", "deployments", "jobs", "pods")
WATCHED = ("pods", "configmaps", "secrets", "services", "statefulsets", "namespaces")
OPERATORS = (
    ("airbyte", "connections"), ("airflow", "dagruns"), ("cassandra", "datacenters"),
    ("chaos-mesh", "podchaos"), ("clickhouse", "installations"), ("contour", "httpproxies"),
    ("crossplane", "compositions"), ("descheduler", "policies"), ("druid", "druids"),
    ("eck", "elasticsearches"), ("etcd", "etcdclusters"), ("external-dns", "dnsendpoints"),
    ("flink", "flinkdeployments"), ("gatekeeper", "constraints"), ("harbor", "harborclusters"),
    ("hive", "clusterdeployments"), ("jaeger", "jaegers"), ("kafka", "kafkatopics"),
    ("karmada", "works"), ("knative", "revisions"), ("kong", "kongplugins"),
    ("kubeflow", "notebooks"), ("kubevirt", "virtualmachines"), ("linkerd", "serviceprofiles"),
    ("longhorn", "volumes"), ("metallb", "addresspools"), ("milvus", "milvuses"),
    ("minio", "tenants"), ("mongodb", "replicasets-mongodb"), ("mysql", "innodbclusters"),
    ("nats", "streams"), ("opensearch", "opensearchclusters"), ("postgres", "postgresclusters"),
    ("pulsar", "pulsartopics"), ("rabbitmq", "queues"), ("ray", "rayclusters"),
    ("redis", "redisclusters"), ("reloader", "reloads"), ("rook", "cephblockpools"),
    ("sealed-secrets", "sealedsecrets"), ("seldon", "seldondeployments"), ("solr", "solrclouds"),
    ("spark", "sparkapplications"), ("strimzi", "kafkausers"), ("tekton", "taskruns"),
    ("temporal", "temporalclusters"), ("tidb", "tidbclusters"), ("traefik", "ingressroutes"),
    ("vault", "vaultstaticsecrets"), ("vitess", "vitessshards"), ("volcano", "podgroups"),
    ("yugabyte", "yugabyteclusters"), ("zalando", "postgresqls"), ("zookeeper", "zookeepers"),
)  # fmt: skip


def operators(rng: np.random.Generator) -> Iterator[Client]:
    """Eight to 35 of the operators, each as an entry of clients.toml would describe it."""
    chosen = rng.permutation(len(OPERATORS))[: int(rng.integers(8, 36))]
    return (_operator(*OPERATORS[i], rng) for i in chosen)


def _operator(word: str, plural: str, rng: np.random.Generator) -> Client:
    """An operator with a leader lease, one custom resource or more, and what it makes of them."""
    resources = [plural, f"{word}backups", f"{word}users"][: int(rng.integers(1, 4))]
    rate = float(np.exp(rng.normal(1.0, 1.0)))
    calls: list[list[Any]] = [
        ["update", "leases", "object", 30.0, 2.0],
        ["get", "leases", "object", 30.0, 1.5],
        ["create", "events", "namespace", 0.2 * rate, 4.0],
    ]
    for resource in resources:
        calls += [
            ["get", resource, "object", rate, 3.0],
            ["update", f"{resource}/status", "object", 0.5 * rate, 5.0],
            ["update", resource, "object", 0.2 * rate, 5.0],
            ["patch", resource, "object", 0.1 * rate, 5.0],
        ]
    for child in rng.permutation(MADE)[: int(rng.integers(1, 5))]:
        calls += [
            ["get", str(child), "object", 0.5 * rate, 2.5],
            ["update", str(child), "object", 0.1 * rate, 5.0],
            ["create", str(child), "namespace", 0.05 * rate, 6.0],
        ]
    informers = [*resources, *rng.permutation(WATCHED)[: int(rng.integers(1, 6))].tolist()]
    return {
        "component": f"{word}-operator", "kind": "controller", "per": "cluster", "calls": calls,
        "informers": informers, "custom": resources,
    }  # fmt: skip
