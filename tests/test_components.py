"""Who called: the rules of components.toml, and the code that reads them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem import components
from kubepostmortem.components import (
    SHAPES,
    Component,
    Rule,
    classify,
    classify_callers,
    decide,
    kinds,
    load_rules,
    parse_user_agent,
    rules,
)

GO = "(linux/amd64) kubernetes/$Format"
K8S = "(linux/amd64) kubernetes/7c48c2b"
KCM = f"kube-controller-manager/v1.30.0 {K8S}"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"


def account(namespace: str, name: str) -> str:
    return f"system:serviceaccount:{namespace}:{name}"


def user_of(text: str) -> str:
    return account(*text.split("/")) if "/" in text else text


def table(text: str) -> list[tuple[str, ...]]:
    """Component, kind, user, user agent and shape of every line but comments."""
    short = {"KCM": KCM, "CHROME": CHROME, "K8S": K8S, "GO": GO, "SA:": "system:serviceaccount:"}
    for word, words in short.items():
        text = text.replace(word, words)
    lines = (line for line in text.strip().splitlines() if not line.startswith("#"))
    rows = ([cell.strip() for cell in f"{line} | resource".split("|")] for line in lines)
    return [(*row[0].split(", "), user_of(row[1]), row[2], row[3]) for row in rows]


# component, kind | user, an account as namespace/name | user agent | shape, if not resource
CALLERS = table("""
# the control plane and the node
kubelet, node-agent | system:node:n1 | kubelet/v1.36.2 K8S
kubelet, node-agent | system:node:n1 | Go-http-client/2.0
kubelet, node-agent | system:node:n1 |
kubelet, node-agent | system:node:n1 | k3s/v1.29.3+k3s1 K8S
kube-scheduler, scheduler | system:kube-scheduler | k3s/v1.29.3+k3s1 K8S
node-doctor, node-agent | system:node:n1 | node-doctor/v1.2
kubectl, platform | system:node:n1 | kubectl/v1.29.1 K8S
kubelet, node-agent | system:bootstrap:abcdef | kubelet/v1.30.0 K8S
kube-controller-manager, controller | system:kube-controller-manager | KCM/leader-election
kube-controller-manager, controller | system:kube-controller-manager | KCM/tokens-controller
kube-controller-manager, autoscaler | | KCM/SA:kube-system:horizontal-pod-autoscaler
kube-controller-manager, controller | kube-system/pod-garbage-collector |
kube-controller-manager, autoscaler | kube-system/horizontal-pod-autoscaler |
kube-controller-manager, controller | system:kube-controller-manager | Go-http-client/2.0
kube-apiserver, control-plane | system:apiserver |
cloud-controller-manager, control-plane | kube-system/default | azure-cloud-controller-manager/v1.29
cloud-controller-manager, control-plane | system:gcp-controller-manager | gcp-controller-manager
eks:node-manager, control-plane | eks:node-manager |
# names that nearly say nothing
node-agent, unknown | telemetry/node-agent | node-agent/v0.0.0 GO
cart-operator, unknown | shop/cart-operator | manager/v0.0.0 GO
shop/default, unknown | shop/default | main/v0.0.0 GO
shop/controller, unknown | shop/controller | controller/v0.0.0 GO
grafana-operator, telemetry | shop/grafana-operator | v5/v0.0.0 GO/leader-election
kubernetes-admin, human | kubernetes-admin | ___go_build_example_com_shop/v0.0.0 GO
Go-http-client, unknown | | Go-http-client/1.1
unknown, unknown | |
anonymous, unknown | system:anonymous |
spark, unknown | shop/spark | okhttp/4.9.3
prometheus, telemetry | monitoring/prometheus-k8s | OpenAPI-Generator/28.1.0/python
billing, unknown | shop/billing | Kubernetes Java Client/8.0
jenkins, ci | jenkins/jenkins | fabric8-kubernetes-client/6.9.2
shop-backend, unknown | shop/default | shop-backend/1.0
# DNS and network
coredns, dns | kube-system/coredns | Go-http-client/2.0
coredns, dns | kube-system/coredns | coredns/v0.0.0 GO
dns-autoscaler, dns | kube-system/coredns-autoscaler |
cilium-operator, network | kube-system/cilium-operator | cilium-operator-aws/1.15.1
cilium-agent, network | kube-system/cilium | cilium-agent/1.16.4
hubble, network | kube-system/hubble-relay | hubble-relay/v0.0.0 GO
calico-node, network | calico-system/calico-node | node/v0.0.0 GO
calico-typha, network | calico-system/calico-typha | typha/v0.0.0 GO
ovn-kubernetes, network | openshift-ovn-kubernetes/ovn-kubernetes-node | ovnkube-node/v0.0.0 GO
linkerd-destination, network | linkerd/linkerd-destination |
# GitOps
argocd-server, gitops | argocd/argocd-server | argocd-server/v2.10.0 GO
argocd-applicationset-controller, gitops | argocd/default | argocd-applicationset-controller
flux-source-controller, gitops | flux-system/source-controller | source-controller/v0.0.0 GO
flux-helm-controller, gitops | flux-system/helm-controller | helm-controller/v0.0.0 GO
# telemetry, logs
otel-agent, telemetry | telemetry/otel-agent | otelcol-contrib/0.115.0 (linux/amd64)
otel-gateway, telemetry | telemetry/otel-gateway | otelcol-contrib/0.115.0 (linux/amd64)
opentelemetry-collector, telemetry | telemetry/default | otelcol-contrib/0.115.0 (linux/amd64)
opentelemetry-collector, telemetry | | otelcol-contrib/0.115.0 (linux/amd64)
otel-agent, telemetry | telemetry/otel-agent | Go-http-client/2.0
prometheus-operator, telemetry | monitoring/kube-prometheus-stack-operator | operator/v0.0.0 GO
datadog-cluster-agent, telemetry | datadog/datadog-cluster-agent | datadog-cluster-agent/7.66.0
datadog-agent, telemetry | datadog/datadog-agent | agent/v0.0.0 GO
vector, logging | logging/vector |
fluent-bit, logging | logging/fluent-bit | Fluent-Bit
# security, storage, certificates, ingress, autoscaling
kyverno, security | kyverno/kyverno-admission-controller | kyverno/v0.0.0 GO
gatekeeper, security | gatekeeper-system/gatekeeper-admin | manager/v0.0.0 GO
velero, backup | velero/velero-server | velero-server/v1.13.0 (linux/amd64) 76670e9
csi-attacher, storage | kube-system/ebs-csi-controller-sa | csi-attacher/v4.4.3 GO
ebs-csi-driver, storage | kube-system/ebs-csi-node-sa |
cert-manager, certificates | cert-manager/cainjector | cert-manager-cainjector/v1.13.3
ingress-nginx, ingress | web/nginx | nginx-ingress-controller/v1.9.5
karpenter, autoscaler | karpenter/karpenter | karpenter
cluster-autoscaler, autoscaler | kube-system/cluster-autoscaler | cluster-autoscaler/v1.29.0 GO
# platforms
olm-catalog, platform | openshift-operator-lifecycle-manager/olm | catalog/v0.0.0 GO
catalog, unknown | shop/catalog | catalog/v0.0.0 GO
console-operator, platform | openshift-console-operator/console-operator | console-operator/v0.0.0
openshift-insights/operator, platform | openshift-insights/operator | operator/v0.0.0 GO
rancher, platform | cattle-system/rancher | rancher/v0.0.0 GO
# pipelines and people
kubectl, human | kubernetes-admin | kubectl/v1.36.2 K8S
kubectl, ci | ci/deployer | kubectl/v1.36.2 K8S
kubectl, ci | ci@project.iam.gserviceaccount.com | kubectl/v1.36.2 K8S
helm, human | oidc:alice@example.com | Helm/3.14.0
k9s, human | kubernetes-admin | k9s/v0.0.0 GO
kong.li@example.com, human | kong.li@example.com | python-requests/2.31.0
etl@p.iam.gserviceaccount.com, unknown | etl@p.iam.gserviceaccount.com | python-requests/2.31.0
ops, human | ops | CHROME
kubernetes-dashboard, access-proxy | kubernetes-dashboard/kubernetes-dashboard | CHROME
lens, human | oidc:alice@example.com | CHROME OpenLens/6.5.2
shopctl, human | oidc:alice | shopctl/1.0
shopctl, unknown | shop/oidc:alice@example.com | shopctl/1.0
terraform, ci | kubernetes-admin | HashiCorp/1.0 Terraform/1.6.6
gitlab-runner, ci | gitlab/runner | gitlab-runner 16.7.0 (16-7-stable; go1.20.10; linux/amd64)
# told apart by what they call
kube-apiserver, control-plane | system:apiserver | kube-apiserver/v1.36.2 K8S | probe
prometheus, telemetry | system:monitoring-scraper | Prometheus/2.42.0+ds | metrics
monitoring-scraper, telemetry | system:monitoring-scraper | Go-http-client/1.1 | metrics
metrics-scraper, telemetry | system:anonymous | Go-http-client/1.1 | metrics
vm_promscrape, telemetry | monitoring/vmagent | vm_promscrape | metrics
kubectl, human | oidc:alice@example.com | kubectl/v1.36.2 K8S | discovery
kubernetes-admin, human | kubernetes-admin | curl/8.5.0 | metrics
oidc:alice@example.com, human | oidc:alice@example.com | curl/8.5.0 | probe
kube-probe, probe | system:anonymous | kube-probe/1.29 | probe
health-check, probe | system:anonymous | Go-http-client/2.0 | probe
health-check, probe | | | probe
""")

GENERIC = [
    "",
    "Go-http-client/1.1",
    "Go-http-client/2.0",
    "curl/8.5.0",
    "python-requests/2.31.0",
    "Python-urllib/3.11",
    "Python/3.11 aiohttp/3.9.1",
    "OpenAPI-Generator/28.1.0/python",
    "Swagger-Codegen/11.0.0/python",
    "okhttp/4.9.3",
    "Java/17.0.9",
    "Apache-HttpClient/4.5.13",
    "fabric8-kubernetes-client/6.9.2",
    "Kubernetes Java Client/19.0.0",
    "kubernetes-client/1.0",
    "rest-client/2.1.0 (linux x86_64) ruby/2.7.0p0",
    "Ruby",
    "node-fetch/1.0",
    "client-go/v0.29.0",
    f"app/v0.0.0 {GO}",
    f"main/v0.0.0 {GO}",
    "manager",
    f"manager/v0.0.0 {GO}/leader-election",
    f"controller/v0.0.0 {GO}",
    f"___go_build_shop/v0.0.0 {GO}",
    f"v2/v0.0.0 {GO}",
]

USER_AGENTS = [
    ("kubelet/v1.36.2 (linux/amd64) kubernetes/98b3519", "kubelet", "v1.36.2"),
    ("otelcol-contrib/0.115.0 (linux/amd64)", "otelcol-contrib", "0.115.0"),
    ("Prometheus/2.42.0+ds", "Prometheus", "2.42.0+ds"),
    (f"node-agent/v0.0.0 {GO}", "node-agent", None),
    ("kubectl/v0.0.0-master+$Format$ (linux/amd64) kubernetes/$Format", "kubectl", None),
    (
        "operator/v0.0.0-20240102030405-0123456789ab",
        "operator",
        "v0.0.0-20240102030405-0123456789ab",
    ),
    (CHROME, "Mozilla", "5.0"),
    ("OpenAPI-Generator/28.1.0/python", "OpenAPI-Generator", "28.1.0"),
    ("Kubernetes Java Client/8.0", "Kubernetes Java Client", "8.0"),
    ("github.com/example/tool/v2.1.0 (darwin/arm64)", "github.com/example/tool", "v2.1.0"),
    ("gitlab-runner 16.7.0 (16-7-stable; go1.20.10)", "gitlab-runner", "16.7.0"),
    ("vpc-resource-controller/git-version", "vpc-resource-controller", None),
    ("karpenter", "karpenter", None),
    ("  spaced   tool/1.0 ", "spaced tool", "1.0"),
    ("(compatible)", "(compatible)", None),
    ("", "", None),
    ("x" * 10_000, "x" * 100, None),
]

CONTROLLERS = [
    (f"{KCM}/leader-election", "system:kube-controller-manager", "leader-election"),
    (f"{KCM}/shared-informers", "system:kube-controller-manager", "shared-informers"),
    (f"{KCM}/system:serviceaccount:kube-system:job-controller", "", "job-controller"),
    ("", account("kube-system", "job-controller"), "job-controller"),
    (f"external-secrets/v0.0.0 {GO}/leader-election", "", "leader-election"),
    ("kubelet/v1.36.2 (linux/amd64) kubernetes/98b3519", "system:node:n1", None),
    ("traefik/2.10.7 (linux/amd64) kubernetes/crd", "", None),
]

HOSTILE = [
    "a" * 10_000,
    "a/" * 5_000,
    "a-" * 5_000,
    ") a/b/" * 2_000,
    "kube-controller-manager" * 500,
    "mozilla " + "lens" * 3_000,
    "csi-" * 3_000,
    "{client}" * 1_000,
    "\n\x00\t" * 3_000,
]


@pytest.mark.parametrize(("component", "kind", "username", "user_agent", "shape"), CALLERS)
def test_names_the_caller(
    component: str, kind: str, username: str, user_agent: str, shape: str
) -> None:
    found = classify(username, user_agent, shape)
    assert (found.name, found.kind) == (component, kind)


@pytest.mark.parametrize(("user_agent", "name", "version"), USER_AGENTS)
def test_reads_name_and_version(user_agent: str, name: str, version: str | None) -> None:
    assert parse_user_agent(user_agent) == (name, version)


@pytest.mark.parametrize(("user_agent", "username", "controller"), CONTROLLERS)
def test_names_the_controller(user_agent: str, username: str, controller: str | None) -> None:
    assert classify(username, user_agent, "resource").controller == controller


def test_keeps_what_the_client_said() -> None:
    found = classify(account("telemetry", "otel-agent"), "otelcol-contrib/0.115.0", "resource")
    assert found == Component("otel-agent", "telemetry", "otelcol-contrib", "0.115.0", None)


TELLING = [rule for rule in rules() if not rule.generic]


@pytest.mark.parametrize("rule", TELLING, ids=lambda rule: f"{rule.component}, {rule.kind}")
def test_every_rule_decides_about_its_example(rule: Rule) -> None:
    assert rule.example.keys() <= {"user_agent", "username", "shape"}
    caller = {"username": "", "user_agent": "", "shape": "resource"} | dict(rule.example)
    assert decide(**caller)[0] is rule


@pytest.mark.parametrize("user_agent", GENERIC)
def test_a_generic_user_agent_leaves_it_to_the_identity(user_agent: str) -> None:
    assert classify(account("shop", "cart"), user_agent, "resource").name == "cart"
    assert classify("kubernetes-admin", user_agent, "resource").name == "kubernetes-admin"
    assert classify("system:node:n1", user_agent, "resource").name == "kubelet"


def test_every_kind_has_a_rule() -> None:
    assert {rule.kind for rule in rules()} == kinds().keys()


RULE = '[[rule]]\ncomponent = "shop"\nkind = "{kind}"\n{condition}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULE.format(kind="shopping", condition="shape = 'probe'"), "kind 'shopping' is none of"),
        (RULE.format(kind="ci", condition="user_agents = 'shop'"), "user_agents"),
        (RULE.format(kind="ci", condition="user_agent = 'shop('"), "unterminated|missing"),
        (RULE.format(kind="ci", condition="username = '*'"), "nothing to repeat"),
        (RULE.format(kind="ci", condition="shape = 'round'"), "shape 'round' is none of"),
        (RULE.format(kind="ci", condition="username = 7"), "first argument must be string"),
        (RULE.format(kind="ci", condition="controller = '{pod}'\nshape = 'probe'"), "pod"),
        (RULE.format(kind="ci", condition=""), "needs user_agent, username or shape"),
        ("[[rule]]\nuser_agent = 'shop'\n", "component"),
    ],
)
def test_names_the_rule_that_is_wrong(text: str, message: str) -> None:
    good = RULE.format(kind="ci", condition="user_agent = 'shop'")
    with pytest.raises(ValueError, match=rf"component rule 2, .*{message}"):
        load_rules(good + text)


def test_reads_rules_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULE.format(kind="ci", condition="user_agent = 'shop'"), encoding="utf-8")
    assert load_rules(path) == (Rule("shop", "ci", user_agent="shop"),)


def test_adds_columns_to_callers() -> None:
    callers = pl.DataFrame(
        {
            "username": ["system:node:n1", None, "system:node:n2"],
            "user_agent": [None, "tool/1.2", "kubelet/v1.36.2"],
            "shape": ["resource", None, "resource"],
            "requests": [3, 1, 2],
        }
    )
    found = classify_callers(callers)
    assert found.select(callers.columns).equals(callers)
    assert found["component"].to_list() == ["kubelet", "tool", "kubelet"]
    assert found["client_version"].to_list() == [None, "1.2", "v1.36.2"]
    assert set(found.drop("requests").dtypes) == {pl.String}


def test_classifies_no_callers() -> None:
    nobody = pl.DataFrame(schema=["username", "user_agent", "shape"])
    assert classify_callers(nobody).columns[3:] == [
        "component",
        "kind",
        "client_name",
        "client_version",
        "controller",
    ]


names = st.text(max_size=40)
agents = st.one_of(
    st.text(max_size=300),
    st.sampled_from([caller[3] for caller in CALLERS] + HOSTILE),
    st.builds("{}/{} ({})".format, names, names, names),
)
users = st.one_of(
    st.text(max_size=80),
    st.sampled_from([caller[2] for caller in CALLERS] + HOSTILE),
    st.builds("system:serviceaccount:{}:{}".format, names, names),
    st.builds("system:{}".format, st.sampled_from(HOSTILE)),
)
shapes = st.one_of(st.sampled_from(SHAPES), st.text(max_size=10))


@settings(deadline=None)
@given(users, agents, shapes)
def test_always_finds_a_name_and_a_kind(username: str, user_agent: str, shape: str) -> None:
    found = classify(username, user_agent, shape)
    assert 0 < len(found.name) <= components.LONGEST
    assert found.kind in kinds()
    assert len(found.client_name) <= components.LONGEST
    assert found.controller != ""


@settings(deadline=None)
@given(names, names, agents, shapes)
def test_renaming_a_node_changes_nothing(one: str, two: str, user_agent: str, shape: str) -> None:
    first, second = (classify(f"system:node:{node}", user_agent, shape) for node in (one, two))
    assert first == second


@settings(deadline=None)
@given(agents, names, names)
def test_an_account_is_no_human(user_agent: str, namespace: str, name: str) -> None:
    found = classify(account(namespace, name), user_agent, "resource")
    by_agent = classify("", user_agent, "resource")
    assert found.kind != "human" or by_agent.kind == "human"
