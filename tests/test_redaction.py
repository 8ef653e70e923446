"""Pseudonyms: stable, different under another key, and no word of what was replaced."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kubepostmortem import sources
from kubepostmortem.errors import UsageError
from kubepostmortem.model import TABLES
from kubepostmortem.redaction import Redaction, keys
from kubepostmortem.redaction.kinds import PAIRS, kinds
from kubepostmortem.redaction.pseudonyms import LETTERS, Pseudonyms
from kubepostmortem.redaction.structures import label_kinds
from kubepostmortem.redaction.texts import agent, endpoint, host, phrase, remark, version
from kubepostmortem.redaction.urls import uri
from kubepostmortem.redaction.vocabulary import declared, is_public
from kubepostmortem.store import Store

ONE, OTHER = Redaction(b"1" * 32), Redaction(b"2" * 32)
BY = ONE.by
TAG = "-x[0-9a-f]{10}"

few = settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
texts = st.text(max_size=40)
hostile = texts | st.from_regex(r"[a-z0-9./:?&=%@,()!_-]{0,60}", fullmatch=True)
suffixes = st.text(LETTERS, min_size=5, max_size=5)
names = st.from_regex(r"[a-z]([a-z0-9-]{0,14}[a-z0-9])?", fullmatch=True)


# Every kind


@given(kind=st.sampled_from(sorted(kinds(BY))), text=hostile)
@few
def test_a_text_is_always_replaced_by_the_same_and_none_raises(kind: str, text: str) -> None:
    if kind != "node_labels":
        assert ONE.text(kind, text) == Redaction(b"1" * 32).text(kind, text)
    assert ONE.text(kind, "") == ""


def test_long_texts_are_no_trouble() -> None:
    for kind in kinds(BY):
        for text in ("a:" * 20_000, "-" * 40_000, "/" * 40_000, "b" * 40_000, "%" * 40_000):
            assert isinstance(ONE.text(kind, text), str)


@given(text=hostile)
@few
def test_nothing_raises_where_another_column_says_what_a_text_is(text: str) -> None:
    frame = pl.DataFrame({"object_name": [text], "object_kind": [text], "message": [text]})
    assert ONE.frame("kube_events", frame).height == 1


@pytest.mark.parametrize("kind", ["user", "group", "name", "namespace", "node", "pod", "ip"])
def test_another_key_makes_other_pseudonyms(kind: str) -> None:
    assert ONE.text(kind, "acme-payments") != OTHER.text(kind, "acme-payments")


@pytest.mark.parametrize("kind", ["user", "group", "name", "namespace", "node", "ip", "audit_id"])
def test_no_two_of_100000_names_get_the_same_pseudonym(kind: str) -> None:
    assert len({ONE.text(kind, f"acme{number}q") for number in range(100_000)}) == 100_000


BITS = ["zorblax", "kubelet", "v1.2", "linux", "system:serviceaccount:", "7", *"/:;.-_=@() "]
PRIVATE = ["actor", "agent", "answers", "client", "constant", "endpoint", "host", "namespace"]
PRIVATE += ["name", "node", "path", "phrase", "pod", "user", "version", "remark", "dropped", "ip"]


@given(st.sampled_from(PRIVATE), st.lists(st.sampled_from(BITS), max_size=9))
@settings(few, max_examples=1000)
def test_a_name_stays_in_no_text_wherever_it_stands(kind: str, bits: list[str]) -> None:
    assert "zorblax" not in ONE.text(kind, "".join(bits))


# Names, pods, users, addresses


@pytest.mark.parametrize("name", ["coredns", "otel-agent", "kube-proxy", "aws-node", "default"])
def test_names_of_public_software_stay(name: str) -> None:
    assert BY.name(name) == name


@pytest.mark.parametrize(
    "name",
    ["checkout", "acme-otel-agent", "user-service", "ip-10-0-0-1", "team-a", "otel-acme", ""],
)
def test_other_names_do_not_stay(name: str) -> None:
    assert not is_public(name)


@given(owner=names, template=st.none() | st.text(LETTERS, min_size=6, max_size=10), suffix=suffixes)
@few
def test_the_pseudonym_of_a_pod_shows_the_pseudonym_of_its_workload(
    store: Store, owner: str, template: str | None, suffix: str
) -> None:
    pod = "-".join(filter(None, [owner, template, suffix]))
    macro = "select workload_of_pod($pod)"
    assert store.value(macro, pod=BY.pod(pod)) == BY.name(store.value(macro, pod=pod))


def test_the_pseudonym_of_a_stateful_pod_keeps_its_ordinal() -> None:
    assert BY.pod("ledger-12") == f"{BY.name('ledger')}-12"


@given(st.sets(st.text(LETTERS, max_size=16), min_size=2))
@few
def test_different_suffixes_stay_different_and_keep_their_length(found: set[str]) -> None:
    replaced = {text: BY.letters(text) for text in found}
    assert len(set(replaced.values())) == len(found)
    assert all(
        len(text) == len(other) and set(other) <= set(LETTERS) for text, other in replaced.items()
    )


@pytest.mark.parametrize(
    ("user", "pattern"),
    [
        ("system:kube-scheduler", "system:kube-scheduler"),
        ("system:serviceaccount:kube-system:coredns", "system:serviceaccount:kube-system:coredns"),
        ("system:serviceaccount:acme:pay", f"system:serviceaccount:ns{TAG}:name{TAG}"),
        ("system:node:worker-1", f"system:node:node{TAG}"),
        ("system:bootstrap:07401b", f"system:bootstrap:token{TAG}"),
        ("alice@example.com", f"user{TAG}"),
        ("eks:node-manager", "eks:node-manager"),
    ],
)
def test_system_identities_stay_but_for_the_names_in_them(user: str, pattern: str) -> None:
    assert re.fullmatch(pattern, BY.user(user))


def test_a_service_account_is_named_as_the_workload_and_the_node_as_the_node() -> None:
    assert BY.user("system:serviceaccount:acme:pay").endswith(f":{BY.name('pay')}")
    assert BY.user("system:node:worker-1").endswith(f":{BY.node('worker-1')}")
    assert BY.group("system:serviceaccounts:acme").endswith(f":{BY.namespace('acme')}")


@given(st.ip_addresses())
@few
def test_an_address_becomes_a_private_address(address: ipaddress.IPv4Address) -> None:
    assume(not address.is_loopback and not address.is_unspecified)
    assert ipaddress.ip_address(BY.ip(str(address))) in ipaddress.ip_network("fd00::/8")


def test_an_endpoint_is_replaced_as_its_address_or_node_is() -> None:
    assert endpoint("10.0.0.1:6443", BY) == f"[{BY.ip('10.0.0.1')}]:6443"
    assert endpoint("worker-1:9100", BY) == f"{BY.node('worker-1')}:9100"
    assert endpoint("127.0.0.1:6443", BY) == "127.0.0.1:6443"


# URLs

SHAPE = "select url_shape(null, $uri)"
ASKED = """
select query_parameter(query, 'limit'), query_parameter(query, 'continue') is null,
    query_parameter(query, 'resourceVersion'), query_parameter(query, 'fieldSelector') is null,
    lower(query_parameter(query, 'watch'))
from (select split_part($uri, '?', 2) as query)
"""


@given(
    st.sampled_from(["", "/", "/api", "/apis", "/metrics", "/healthz", "/openapi", "/version/"]),
    hostile,
)
@settings(few, max_examples=400)
def test_the_shape_of_a_url_stays(store: Store, begin: str, rest: str) -> None:
    path = begin + rest
    assert store.value(SHAPE, uri=uri(path, BY)) == store.value(SHAPE, uri=path)


@pytest.mark.parametrize(
    "query",
    [
        "limit=500&resourceVersion=0",
        "watch=true&resourceVersion=123&fieldSelector=spec.nodeName%3Dworker-1",
        "continue=&limit=5",
        "limit=10&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEi",
        "watch=True&fieldSelector=",
    ],
)
def test_what_a_url_asks_for_stays(store: Store, query: str) -> None:
    plain = f"/api/v1/namespaces/acme/pods?{query}"
    assert store.rows(ASKED, uri=uri(plain, BY)) == store.rows(ASKED, uri=plain)


@pytest.mark.parametrize(
    ("plain", "redacted"),
    [
        ("/api/v1/pods", "/api/v1/pods"),
        ("/api/v1/nodes/w1/status", "/api/v1/nodes/{node:w1}/status"),
        ("/api/v1/namespaces/acme", "/api/v1/namespaces/{namespace:acme}"),
        ("/api/v1/namespaces/acme/pods/", "/api/v1/namespaces/{namespace:acme}/pods"),
        (
            "/apis/apps/v1/namespaces/acme/deployments/pay/scale",
            "/apis/apps/v1/namespaces/{namespace:acme}/deployments/{name:pay}/scale",
        ),
        (
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/w1",
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node:w1}",
        ),
        (
            "/readyz/poststarthook/rbac/bootstrap-roles",
            "/readyz/poststarthook/rbac/bootstrap-roles",
        ),
        ("/api/v1/pods?pretty=true&apikey=hunter2", "/api/v1/pods?pretty=true"),
    ],
)
def test_only_the_names_in_a_path_are_replaced(plain: str, redacted: str) -> None:
    expected = re.sub(r"\{(\w+):(\w+)\}", lambda f: ONE.text(f[1], f[2]), redacted)
    assert uri(plain, BY) == expected


@pytest.mark.parametrize(
    ("plain", "redacted"),
    [
        ("spec.nodeName=worker-1", f"spec.nodeName={BY.node('worker-1')}"),
        ("metadata.name=worker-1", f"metadata.name={BY.node('worker-1')}"),
        ("status.phase!=Running", "status.phase!=Running"),
        ("app in (pay,coredns)", f"app in ({BY.name('pay')},coredns)"),
        ("!acme.com/team", f"!{BY.name('acme.com/team')}"),
        ("kubernetes.io/os=linux", f"kubernetes.io/os={BY.name('linux')}"),
    ],
)
def test_selectors_keep_their_keys(plain: str, redacted: str) -> None:
    url = "/api/v1/nodes?fieldSelector={}"
    assert uri(url.format(quote(plain)), BY) == url.format(quote(redacted, safe=""))


# Texts

ON_SCREEN = "redacting|remote|storage|web_file"  # what these say ends a run
PLAIN = r"[a-zA-Z][a-z]*( [\w-]+[,:;]?)+"


@pytest.mark.parametrize(
    "text",
    [
        "kubelet/v1.36.2 (linux/amd64) kubernetes/98b3519",
        "kube-controller-manager/v1.33.2 (linux/amd64) kubernetes/98b3519/leader-election",
        "otelcol-contrib/0.115.0 (linux/amd64)",
        "Go-http-client/2.0",
        "kubectl/v1.30.0-eks-a18cd3a (darwin/arm64) kubernetes/$Format",
    ],
)
def test_user_agents_of_public_programs_stay(text: str) -> None:
    assert agent(text, BY) == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("checkout/v1.9.3 (linux/amd64)", "checkout"),
        ("kubectl/v1.30 (alice-laptop; linux)", "alice"),
        ("curl/8.0 10.1.2.3", "10.1.2.3"),
        ("kubectl/v1.30.0-alice", "alice"),
        ("___go_build_alice_pay/1.0", "alice"),
        ("curl/8.0-10-77-0-1", "77"),
    ],
)
def test_what_is_private_in_a_user_agent_does_not_stay(text: str, secret: str) -> None:
    assert secret not in agent(text, BY)
    assert agent(text, BY) != agent(text.replace(secret, "another"), BY)


def test_actions_versions_and_images_keep_their_words() -> None:
    assert phrase("rollout wave 2 (blue)", BY) == "rollout wave 2 (blue)"
    assert phrase("deploy checkout", BY) == f"deploy {BY.name('checkout')}"
    assert version("v1.27.3-gke.100", BY) == "v1.27.3-gke.100"
    image = phrase("registry.acme.io/pay/api:v2.1", BY)
    assert image.endswith(":v2.1") and "acme" not in image and "pay" not in image


def test_names_in_the_cluster_keep_their_shape() -> None:
    expected = f"{BY.name('pay')}.{BY.namespace('acme')}.svc.cluster.local."
    assert host("pay.acme.svc.cluster.local.", BY) == expected
    assert host("kubernetes.default.svc", BY) == "kubernetes.default.svc"
    assert "acme" not in host("www.acme.com", BY)


def reasons() -> Iterator[str]:
    """The sentences that sources keep as constants, for reasons and notes of the ledger."""
    modules = (m for m in iter_modules(sources.__path__) if not re.search(ON_SCREEN, m.name))
    for found in modules:
        module = import_module(f"{sources.__name__}.{found.name}")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and re.fullmatch(PLAIN, value):
                yield value


@pytest.mark.parametrize("constant", sorted(set(reasons())))
def test_the_reasons_in_the_ledger_stay(constant: str) -> None:
    assert remark(constant) == constant, "add its words to remarks in redaction.toml"


def test_remarks_lose_what_a_file_said() -> None:
    assert "acme" not in remark("the file names cluster acme; kept under prod")
    assert "10.0.0.1" not in remark("dated 2026-03-01T12:00:00Z from 10.0.0.1:6443")
    assert "2026-03-01T12:00:00Z" in remark("dated 2026-03-01T12:00:00Z from 10.0.0.1")


# Tables


def test_every_text_column_of_the_model_is_declared(store: Store) -> None:
    columns = store.rows(
        "select table_name as name, column_name as col from duckdb_columns() "
        "where not internal and contains(lower(data_type), 'varchar') or data_type = 'JSON'"
    )
    declared_columns = declared()["tables"]
    missing = [
        f"{row['name']}.{row['col']}"
        for row in columns
        if row["name"] in TABLES and row["col"] not in declared_columns.get(row["name"], {})
    ]
    assert not missing, "say in redaction.toml what these columns hold"


def test_every_kind_that_is_declared_exists() -> None:
    rules = [rule for columns in declared()["tables"].values() for rule in columns.values()]
    alone = {rule for rule in rules if isinstance(rule, str)} | set(label_kinds().values())
    assert alone - {"labels", "component"} <= set(kinds(BY))
    assert {rule["as"] for rule in rules if not isinstance(rule, str)} <= set(PAIRS)


def test_labels_of_metrics_are_replaced_by_their_keys() -> None:
    told = {"verb": "LIST", "namespace": "acme", "pod": "pay-0", "le": "0.5", "team": "blue-acme"}
    entries = [{"key": key, "value": value} for key, value in told.items()]
    frame = pl.DataFrame({"metric": ["up"], "labels": [entries]})
    labels = {e["key"]: e["value"] for e in ONE.frame("metric_series", frame)["labels"][0]}
    assert (labels["verb"], labels["le"]) == ("LIST", "0.5")
    assert labels["namespace"] == BY.namespace("acme")
    assert labels["pod"] == BY.pod("pay-0")
    assert labels["team"] == BY.name("blue-acme")


def test_labels_of_nodes_stay_a_map(store: Store) -> None:
    plain = r'{"acme.io/te\"am"="pay", "kubernetes.io/arch"="amd64", "kubernetes.io/hostname"="w1"}'
    labels = store.value(
        "select $labels::map(varchar, varchar)", labels=ONE.text("node_labels", plain)
    )
    assert labels == {
        BY.name('acme.io/te"am'): BY.name("pay"),
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": BY.node("w1"),
    }


def test_rules_of_flow_schemas_keep_their_structure() -> None:
    rules = (
        '[{"subjects":[{"kind":"ServiceAccount","serviceAccount":{"namespace":"acme","name":"*"}},'
        '{"kind":"User","user":{"name":"alice"}}],'
        '"resourceRules":[{"verbs":["list"],"resources":["pods"],"namespaces":["acme"]}]}]'
    )
    redacted = ONE.text("rules", rules)
    assert redacted == rules.replace("acme", BY.namespace("acme")).replace(
        "alice", BY.user("alice")
    )


def test_settings_keep_numbers_and_words_of_the_api() -> None:
    plain = {
        "max-requests-inflight": "400",
        "event-ttl": "1h0m0s",
        "authorization-mode": "Node,RBAC",
        "etcd-servers": "https://etcd.acme.io:2379",
    }
    frame = pl.DataFrame({"setting": list(plain), "value": list(plain.values())})
    values = ONE.frame("apiserver_config", frame)["value"].to_list()
    assert values[:3] == list(plain.values())[:3]
    assert "acme" not in values[3]


def test_paths_keep_their_extensions() -> None:
    assert re.fullmatch(rf"file{TAG}\.log\.gz", ONE.text("path", "/home/alice/audit.log.gz"))


# Keys


def test_a_key_is_recognised_and_not_told() -> None:
    redaction = Redaction.under("a key of sixteen letters")
    check = redaction.check()
    assert "sixteen" not in check
    assert redaction.made(check)
    assert not ONE.made(check)
    assert redaction.check() != check
    assert "sixteen" not in repr(redaction)
    assert repr(redaction.key) not in repr(redaction)


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(UsageError, match=keys.VARIABLE):
        keys.chosen({keys.VARIABLE: "short"})
    assert keys.chosen({}) is None
    assert len(keys.chosen({keys.VARIABLE: keys.random_key()}) or "") >= keys.SHORTEST


def test_pseudonyms_do_not_show_their_key() -> None:
    assert "1111" not in repr(Pseudonyms(b"1" * 32))
