"""What a method and a URL ask for, and how a list asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.classify import Call
from kubepostmortem.flowcontrol.list_options import ListOptions, list_options
from kubepostmortem.flowcontrol.request_info import name_selected, requested

LEASES = "/apis/coordination.k8s.io/v1/namespaces/a/leases"


@pytest.mark.parametrize(
    ("method", "url", "call"),
    [
        ("GET", "/api/v1/pods", Call("list", "", "pods")),
        ("HEAD", "/api/v1/pods/", Call("list", "", "pods")),
        ("GET", "/api/v1/pods?watch=1", Call("watch", "", "pods")),
        ("GET", "/api/v1/pods?watch", Call("watch", "", "pods")),
        ("GET", "/api/v1/pods?watch=false", Call("list", "", "pods")),
        ("DELETE", "/api/v1/namespaces/a/pods", Call("deletecollection", "", "pods", "", "a")),
        ("DELETE", LEASES + "/l", Call("delete", "coordination.k8s.io", "leases", "", "a", "l")),
        ("GET", "/api/v1/namespaces", Call("list", "", "namespaces")),
        ("GET", "/api/v1/namespaces/a", Call("get", "", "namespaces", "", "a", "a")),
        (
            "PUT",
            "/api/v1/namespaces/a/finalize",
            Call("update", "", "namespaces", "finalize", "a", "a"),
        ),
        (
            "POST",
            "/api/v1/namespaces/a/pods/p/exec?command=ls",
            Call("create", "", "pods", "exec", "a", "p"),
        ),
        ("GET", "/api/v1/watch/namespaces/a/pods", Call("watch", "", "pods", "", "a")),
        ("GET", "/api/v1/proxy/nodes/n/logs", Call("proxy", "", "nodes", "", "", "n")),
        ("OPTIONS", "/api/v1/pods/p", Call("", "", "pods", "", "", "p")),
        ("GET", "/apis/apps/v1", Call("get", path="/apis/apps/v1")),
        ("POST", "/metrics?x=1", Call("post", path="/metrics")),
        ("GET", "/healthz/etcd", Call("get", path="/healthz/etcd")),
        ("GET", "/", Call("get", path="/")),
    ],
)
def test_requests_are_resolved(method: str, url: str, call: Call) -> None:
    assert requested(method, url) == call


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name=p", "p"),
        ("metadata.name==p", "p"),
        ("spec.nodeName=n,metadata.name=p", "p"),
        ("metadata.name!=p", ""),
        ("metadata.namespace=p", ""),
        ("metadata.name=", ""),
        ("metadata.name=..", ""),
        ("metadata.name=a/b", ""),
        ("", ""),
    ],
)
def test_one_name_is_selected(selector: str, name: str) -> None:
    assert name_selected(selector) == name


def test_all_that_a_list_asks() -> None:
    url = (
        "/api/v1/pods?limit=5&continue=x&resourceVersion=7&resourceVersionMatch=Exact"
        "&fieldSelector=spec.nodeName%3Dn&sendInitialEvents=TRUE&limit=9"
    )

    assert list_options(url) == ListOptions(5, True, "7", "Exact", "spec.nodeName=n", True, True)


@pytest.mark.parametrize("query", ["", "?", "?limit=0", "?continue=&labelSelector=", "?x=%zz"])
def test_nothing_asked(query: str) -> None:
    assert list_options(f"/api/v1/pods{query}") == ListOptions()


@pytest.mark.parametrize("limit", ["", "1_0", " 1", "1.0", "0x1", "٣", "99999999999999999999"])
def test_numbers_that_cannot_be_read(limit: str) -> None:
    assert not list_options(f"/api/v1/pods?limit={limit}").valid


@given(method=st.sampled_from(["GET", "PUT", "BREW"]), url=st.text(max_size=60))
def test_any_url_is_resolved(method: str, url: str) -> None:
    call = requested(method, "/" + url)

    assert call.of_resource or call.path is not None
    list_options("/" + url)
