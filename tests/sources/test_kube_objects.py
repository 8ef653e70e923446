from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.sources import kube_objects
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_fields import plural
from kubepostmortem.sources.kube_workloads import tag
from kubepostmortem.sources.yaml_content import ANCHORED

FLOW_CONTROL = "flowcontrol.apiserver.k8s.io/v1"
CREATED = "2024-12-11T22:51:02Z"
CREATED_AT = datetime(2024, 12, 11, 22, 51, 2)


def thing(kind: str, api: str = "v1", name: str = "x", **fields: object) -> dict:
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": CREATED}
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def listing(*items: object) -> str:
    return json.dumps({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}})


def template(*images: str, account: str | None = None) -> dict:
    spec = {"containers": [{"image": image} for image in images]}
    return {"spec": spec | ({"serviceAccountName": account} if account else {})}


def only(store, table: str) -> dict:
    (row,) = store.rows(f"select * exclude (cluster, ingest_id) from {table}")
    return row


def test_reads_an_event(look, load, store):
    event = thing(
        "Event",
        involvedObject={"kind": "DaemonSet", "name": "node-agent"},
        reason="SuccessfulCreate",
        message="Created pod",
        type="Normal",
        count=3,
        firstTimestamp="2024-12-11T22:51:05Z",
        lastTimestamp="2024-12-11T22:52:05Z",
        eventTime=None,
        series=None,
        source={"component": "daemonset-controller"},
    )

    reading = load(kube_objects, look(listing(event)))

    assert only(store, "kube_events") == {
        "seen_at": datetime(2024, 12, 11, 22, 52, 5),
        "namespace": "shop",
        "name": "x",
        "type": "Normal",
        "reason": "SuccessfulCreate",
        "object_kind": "DaemonSet",
        "object_name": "node-agent",
        "message": "Created pod",
        "component": "daemonset-controller",
        "count": 3,
    }
    assert reading.first_at == reading.last_at == datetime(2024, 12, 11, 22, 52, 5)


def test_reads_an_event_of_the_newer_group(look, load, store):
    event = thing(
        "Event",
        "events.k8s.io/v1",
        regarding={"kind": "Pod", "name": "web-1"},
        note="Assigned",
        reportingController="default-scheduler",
        series={"count": 7, "lastObservedTime": "2024-12-11T22:53:00.000001Z"},
        eventTime="2024-12-11T22:52:00Z",
    )

    load(kube_objects, look(listing(event)))

    row = only(store, "kube_events")
    assert row["seen_at"] == datetime(2024, 12, 11, 22, 53, 0, 1)
    assert (row["object_name"], row["message"], row["count"]) == ("web-1", "Assigned", 7)
    assert row["component"] == "default-scheduler"


TIMES = ["lastTimestamp", "eventTime", "deprecatedLastTimestamp", "firstTimestamp"]


@pytest.mark.parametrize("absent", range(len(TIMES) + 1))
def test_an_event_is_dated_by_the_first_time_that_is_there(look, load, store, absent):
    stamps = {name: f"2024-12-11T22:0{n}:00Z" for n, name in enumerate(TIMES)}
    event = thing("Event", **stamps | dict.fromkeys(TIMES[:absent]))

    load(kube_objects, look(listing(event)))

    expected = datetime(2024, 12, 11, 22, absent) if absent < len(TIMES) else CREATED_AT
    assert only(store, "kube_events")["seen_at"] == expected


def test_reads_nodes_with_their_own_labels_each(look, load, store):
    labels = {"b/c": "1", "a": 'x"y\\{}=,'}
    status = {
        "addresses": [
            {"type": "Hostname", "address": "n1"},
            {"type": "InternalIP", "address": "10.1.0.1"},
        ],
        "conditions": [{"type": "Ready", "status": "Unknown"}],
        "nodeInfo": {
            "kubeletVersion": "v1.31.0",
            "osImage": "Ubuntu",
            "containerRuntimeVersion": "containerd://2.0",
        },
    }
    first = thing("Node", name="n1", metadata={"labels": labels}, status=status)

    load(kube_objects, look(listing(first, thing("Node", name="n2"))))

    known, bare = store.rows("select * exclude (cluster, ingest_id) from nodes order by node")
    assert known == {
        "node": "n1",
        "created_at": CREATED_AT,
        "internal_ip": "10.1.0.1",
        "kubelet_version": "v1.31.0",
        "os_image": "Ubuntu",
        "container_runtime": "containerd://2.0",
        "labels": labels,
        "ready": False,
    }
    assert (bare["internal_ip"], bare["labels"], bare["ready"]) == (None, {}, None)


def test_a_workload_is_kept_and_its_creation_is_a_deploy(look, load, store):
    fields = [
        {"manager": "kube-controller-manager", "time": "2024-12-11T23:00:00Z"},
        {"manager": "kubectl-client-side-apply", "time": CREATED},
        {"manager": "kcm", "subresource": "status", "time": "2024-12-11T22:00:00Z"},
    ]
    deployment = thing(
        "Deployment",
        "apps/v1",
        metadata={"managedFields": fields},
        spec={"replicas": 3, "template": template("r:5000/web:v2", "envoy:1", account="web")},
        status={"readyReplicas": 2},
    )

    load(kube_objects, look(listing(deployment)))

    assert only(store, "workloads") == {
        "kind": "Deployment",
        "namespace": "shop",
        "name": "x",
        "created_at": CREATED_AT,
        "service_account": "shop:web",
        "images": ["r:5000/web:v2", "envoy:1"],
        "replicas": 3,
        "ready": 2,
    }
    assert only(store, "deploys") == {
        "applied_at": CREATED_AT,
        "ends_at": None,
        "namespace": "shop",
        "service": "x",
        "kind": "Deployment",
        "version": "v2, 1",
        "actor": "kubectl-client-side-apply",
        "action": "created",
        "status": None,
        "reported_by": "kubectl objects",
    }


def test_a_daemon_set_counts_the_nodes_that_should_run_it(look, load, store):
    status = {"desiredNumberScheduled": 200, "numberReady": 150}
    load(kube_objects, look(listing(thing("DaemonSet", "apps/v1", status=status))))

    row = only(store, "workloads")
    assert (row["replicas"], row["ready"], row["service_account"]) == (200, 150, "shop:default")


OWNER = {"metadata": {"ownerReferences": [{"kind": "DaemonSet", "name": "agent"}]}}


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        (thing("ControllerRevision", "apps/v1", revision=12, **OWNER), "revision 12"),
        (
            thing(
                "ControllerRevision",
                "apps/v1",
                revision=2,
                data={"spec": {"template": template("agent:0.9")}},
                **OWNER,
            ),
            "revision 2 (0.9)",
        ),
        (
            thing(
                "ReplicaSet",
                "apps/v1",
                spec={"template": template("agent:0.9")},
                metadata={
                    **OWNER["metadata"],
                    "annotations": {"deployment.kubernetes.io/revision": "41"},
                },
            ),
            "revision 41 (0.9)",
        ),
    ],
)
def test_a_revision_is_a_deploy_of_its_owner(look, load, store, revision, version):
    load(kube_objects, look(listing(revision)))

    row = only(store, "deploys")
    assert (row["applied_at"], row["service"], row["kind"]) == (CREATED_AT, "agent", "DaemonSet")
    assert (row["version"], row["action"], row["actor"]) == (version, "revision created", None)


def test_reads_a_flow_schema(look, load, store):
    rules = [{"subjects": [{"kind": "Group"}], "nonResourceRules": []}]
    spec = {
        "matchingPrecedence": 9000,
        "priorityLevelConfiguration": {"name": "workload-low"},
        "distinguisherMethod": {"type": "ByUser"},
        "rules": rules,
    }
    load(kube_objects, look(listing(thing("FlowSchema", FLOW_CONTROL, spec=spec))))

    row = only(store, "flow_schemas")
    assert json.loads(row.pop("rules")) == rules
    assert row == {
        "name": "x",
        "precedence": 9000,
        "priority_level": "workload-low",
        "distinguisher": "ByUser",
    }


@pytest.mark.parametrize("shares", ["nominalConcurrencyShares", "assuredConcurrencyShares"])
def test_reads_a_limited_priority_level_of_any_release(look, load, store, shares):
    queuing = {"queues": 64, "handSize": 6, "queueLengthLimit": 50}
    limited = {shares: 0, "lendablePercent": 50, "borrowingLimitPercent": 10}
    limited["limitResponse"] = {"type": "Queue", "queuing": queuing}
    spec = {"type": "Limited", "limited": limited}

    load(kube_objects, look(listing(thing("PriorityLevelConfiguration", FLOW_CONTROL, spec=spec))))

    assert only(store, "priority_levels") == {
        "name": "x",
        "type": "Limited",
        "nominal_shares": 0,
        "lendable_percent": 50,
        "borrowing_limit_percent": 10,
        "limit_response": "Queue",
        "queues": 64,
        "hand_size": 6,
        "queue_length_limit": 50,
    }


def test_reads_an_exempt_priority_level(look, load, store):
    spec = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 5, "lendablePercent": 1}}

    load(kube_objects, look(listing(thing("PriorityLevelConfiguration", FLOW_CONTROL, spec=spec))))

    row = only(store, "priority_levels")
    assert (row["nominal_shares"], row["lendable_percent"], row["queues"]) == (5, 1, None)


def test_a_list_tells_how_many_objects_it_holds_of_each_resource(look, load, store):
    items = [thing("Node", name=f"n{n}") for n in range(3)]
    items += [thing("Namespace", name="a"), thing("Namespace", name="b")]
    items += [thing("Lease", "coordination.k8s.io/v1")]

    first = load(kube_objects, look(listing(*items)))
    again = load(kube_objects, look(listing(*items), "again"))

    assert dict(store.frame("select resource, objects from listed_objects").iter_rows()) == {
        "nodes": 3,
        "namespaces": 2,
        "leases.coordination.k8s.io": 1,
    }
    assert first.notes == "only counted, having no table: Lease, Namespace"
    assert (first.lines, first.loaded, first.duplicates, first.filtered) == (6, 5, 0, 1)
    assert (again.lines, again.loaded, again.duplicates, again.filtered) == (6, 0, 5, 1)


def test_a_single_object_is_no_list(look, load, store):
    load(kube_objects, look(json.dumps(thing("Node"), indent=4)))

    assert store.has("nodes")
    assert not store.has("listed_objects")


def test_items_of_a_raw_list_get_their_kind_from_the_list(look, load, store):
    pods = {"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "p"}}] * 2}

    load(kube_objects, look(json.dumps(pods)))

    assert only(store, "listed_objects") == {"resource": "pods", "objects": 2}


def test_pods_of_api_servers_in_a_list_give_their_settings(look, load, store):
    command = {"command": ["kube-apiserver", "--max-requests-inflight=400"]}
    pods = [thing("Pod", name=f"api-{n}", spec={"containers": [command]}) for n in (1, 2)]

    load(kube_objects, look(listing(*pods, thing("Pod", name="web"))))

    assert store.rows("select apiserver, value from apiserver_config order by 1") == [
        {"apiserver": "api-1", "value": "400"},
        {"apiserver": "api-2", "value": "400"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([thing("Node", name="a"), thing("Node", name="b")]),
        json.dumps(thing("Node", name="a"), indent=4) + "\n" + json.dumps(thing("Node", name="b")),
    ],
)
def test_reads_arrays_and_one_object_after_another(look, load, text):
    file = look(text)

    assert kube_objects.recognises(file)
    assert load(kube_objects, file).loaded == 2


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (7, "not a Kubernetes object: no kind or apiVersion"),
        ({"kind": "Node"}, "not a Kubernetes object: no kind or apiVersion"),
        (thing("Node", name=""), "an object without name"),
        (thing("Event", metadata={"creationTimestamp": None}), "no usable time"),
        (thing("Event", lastTimestamp="2024-12-11T22:51:02"), "time without a zone"),
        (thing("Node", metadata={"creationTimestamp": "x"}), "no usable time"),
    ],
)
def test_an_object_that_cannot_be_used_is_rejected(look, load, item, reason):
    reading = load(kube_objects, look(listing(item, thing("Node", name="good"))))

    assert (reading.lines, reading.loaded, reading.rejected) == (2, 1, {reason: 1})


def test_a_refusal_of_the_api_is_rejected_with_its_message(look, load):
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    status |= {"message": "nodes is forbidden", "reason": "Forbidden", "code": 403}

    file = look(json.dumps(status))

    assert kube_objects.recognises(file)
    assert load(kube_objects, file).rejected == {
        "the API answered Forbidden: nodes is forbidden": 1
    }


def as_yaml(*documents: object) -> str:
    """What kubectl prints with -o yaml: keys in order, times without quotes."""
    copies = json.loads(json.dumps(documents))  # a value told twice would become an alias
    text = yaml.safe_dump_all(copies, explicit_start=True)
    return re.sub(r"'(\d{4}-\d\d-\d\dT[\d:.]+Z)'", r"\1", text)


def test_yaml_of_the_same_objects_says_the_same(recorded, look, load):
    listed = recorded("kubectl_objects.json")
    first = load(kube_objects, listed)

    again = load(kube_objects, look(as_yaml(json.loads(listed.path.read_bytes()))))

    assert (again.lines, again.filtered) == (first.lines, first.filtered)
    assert (again.loaded, again.duplicates) == (0, first.loaded)


def test_objects_of_a_must_gather_are_read_one_by_one(look, load, store):
    command = {"command": ["kube-apiserver", "--max-requests-inflight=400"]}
    pod = thing("Pod", name="api-1", spec={"containers": [command]})
    file = look(as_yaml(thing("Node", name="n1"), pod))

    assert kube_objects.recognises(file)
    assert load(kube_objects, file).loaded == 2
    assert store.value("select created_at from nodes") == CREATED_AT
    assert store.rows("select apiserver, setting, value from apiserver_config") == [
        {"apiserver": "api-1", "setting": "max-requests-inflight", "value": "400"}
    ]


def test_a_cut_list_in_yaml_is_reported(look, load):
    whole = as_yaml(json.loads(listing(*(thing("Node", name=f"n{n}") for n in range(9)))))
    at = whole.index("  kind: Node\n", len(whole) // 2)

    reading = load(kube_objects, look(whole[:at]))

    assert reading.loaded > 3
    assert reading.rejected[kube_objects.CUT_LIST] == 1


def test_an_object_in_yaml_that_refers_to_itself_costs_only_itself(look, load):
    bomb = "apiVersion: v1\nkind: Node\nmetadata: &a\n  name: x\n  labels: *a\n"

    reading = load(kube_objects, look(bomb + as_yaml(thing("Node"))))

    assert (reading.loaded, reading.rejected) == (1, {ANCHORED: 1})


FIELDS = [
    *("metadata", "name", "namespace", "labels", "ownerReferences", "involvedObject", "count"),
    *("spec", "status", "template", "containers", "image", "replicas", "conditions", "series"),
    *("addresses", "type", "rules", "limited", "revision", "data"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=20,
)
KINDS = ["Event", "Node", "Pod", "FlowSchema", "PriorityLevelConfiguration", "Deployment"]


@given(
    kind=st.sampled_from([*KINDS, "ControllerRevision", "ReplicaSet"]),
    api=st.sampled_from(["v1", "apps/v1", FLOW_CONTROL]),
    fields=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
)
def test_an_object_of_any_shape_is_read_or_rejected(kind, api, fields, tmp_path_factory):
    path = tmp_path_factory.mktemp("objects") / "list.json"
    path.write_text(listing({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}} | fields))

    contents = kube_objects.read(InputFile.look(path), None)

    recorded_in = {row["record"] for rows in contents.tables.values() for row in rows}
    assert contents.records == len(recorded_in) + contents.filtered + len(contents.rejections) == 1


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("Pod", "pods"),
        ("Ingress", "ingresses"),
        ("NetworkPolicy", "networkpolicies"),
        ("Gateway", "gateways"),
        ("Endpoints", "endpoints"),
        ("StorageClass", "storageclasses"),
        ("PriorityLevelConfiguration", "prioritylevelconfigurations"),
    ],
)
def test_plural_of_a_kind(kind, resource):
    assert plural(kind) == resource


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("quay.io/cilium/cilium:v1.16.4", "v1.16.4"),
        ("host:5000/web", "latest"),
        ("host:5000/web:2@sha256:0123", "2"),
        ("web@sha256:0123456789abcdef", "sha256:0123456789ab"),
    ],
)
def test_tag_of_an_image(image, expected):
    assert tag(image) == expected


def test_a_cut_list_is_one_rejection(recorded, look, load):
    whole = recorded("kubectl_objects.json").path.read_bytes()

    reading = load(kube_objects, look(whole[: len(whole) // 2]))

    assert reading.rejected == {"cut off: the JSON does not end": 1}


def test_reads_what_a_real_cluster_listed(recorded, load, store):
    reading = load(kube_objects, recorded("kubectl_objects.json"))

    assert (reading.lines, reading.loaded, reading.filtered) == (12, 11, 1)
    assert only(store, "nodes")["internal_ip"] == "127.1.0.1"
    assert store.value("select min(component) from kube_events") == "default-scheduler"
    assert store.value("select max(version) from deploys where kind = 'DaemonSet'") == "v1.16.4"
    assert store.value("select queues from priority_levels where name = 'workload-low'") == 128
