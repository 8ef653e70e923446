"""Every source knows its own format from the first bytes, and no other's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.sources import (
    apiserver_flags,
    audit_log,
    deploy_timeline,
    dns_probes,
    exposition,
    kube_objects,
    prometheus_api,
)
from kubepostmortem.sources.files import InputFile

MODULES = (
    audit_log,
    apiserver_flags,
    prometheus_api,
    exposition,
    kube_objects,
    dns_probes,
    deploy_timeline,
)

AUDIT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "auditID": "a",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/pods",
    "objectRef": {"resource": "pods", "apiVersion": "v1"},
}
SERIES = {"metric": {"__name__": "up"}, "values": [[1733957580, "1"]]}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}
LIST = {"apiVersion": "v1", "items": [NODE], "kind": "List", "metadata": {}}
COMMAND = ["kube-apiserver", "--etcd-servers=http://e"]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"labels": {"component": "kube-apiserver"}, "name": "kube-apiserver-a"},
    "spec": {"containers": [{"command": COMMAND}]},
}
DEPLOY = {"time": "2024-12-11T22:51:00Z", "service": "web"}


def answer(result: object, **more: object) -> dict:
    return {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}


OURS = {
    "an audit event": (audit_log, json.dumps(AUDIT, separators=(",", ":")) + "\n"),
    "a cut audit event": (audit_log, json.dumps(AUDIT, separators=(",", ":"))[:99]),
    "a command line": (apiserver_flags, "/usr/bin/kube-apiserver --v=2 --a b\n"),
    "a line of ps": (apiserver_flags, "root  7 1.0 0:01 kube-apiserver --v=2\n"),
    "/proc/PID/cmdline": (apiserver_flags, "kube-apiserver\0--v=2\0"),
    "one flag per line": (apiserver_flags, "# flags\n--etcd-servers=http://e\n--v=2\n"),
    "flags as JSON": (apiserver_flags, json.dumps({"args": COMMAND, "policy": "p"}, indent=1)),
    "the pod of an API server": (apiserver_flags, json.dumps(POD, indent=4)),
    "a matrix": (prometheus_api, json.dumps(answer([SERIES]))),
    "an empty matrix": (prometheus_api, json.dumps(answer([]))),
    "a matrix with sorted keys": (
        prometheus_api,
        json.dumps(answer([SERIES] * 2000), sort_keys=True),
    ),
    "an error of the API": (
        prometheus_api,
        '{"status":"error","errorType":"bad_data","error":"parse error"}',
    ),
    "typed metrics": (exposition, "# HELP up Up.\n# TYPE up gauge\nup 1\n"),
    "metrics with labels": (exposition, 'up{job="a\\"}"} 1 1733957580000\n'),
    "metrics without comments": (exposition, "go_threads 12\n"),
    "a promtool dump": (exposition, '{__name__="up", job="a"} NaN 1733957610000\n'),
    "a list": (kube_objects, json.dumps(LIST, indent=4)),
    "a long list": (kube_objects, json.dumps({**LIST, "items": [NODE] * 2000}, indent=4)),
    "a raw list": (kube_objects, json.dumps({"kind": "PodList", "apiVersion": "v1", "items": []})),
    "one object": (kube_objects, json.dumps(NODE)),
    "objects in an array": (kube_objects, json.dumps([NODE, NODE])),
    "a list with a pod of an API server": (kube_objects, json.dumps({**LIST, "items": [POD]})),
    "a refusal of the API": (
        kube_objects,
        '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":403}',
    ),
    "probes": (dns_probes, "time,server,qname,outcome,rcode,answers,ms\n"),
    "deploys": (deploy_timeline, "time,cluster,namespace,service,version\n"),
    "deploys from a spreadsheet": (deploy_timeline, "\ufeffDate;App;Author\r\n"),
    "named deploys": (deploy_timeline, "created_at,name,version\n"),
    "deploys as an array": (deploy_timeline, json.dumps([DEPLOY], indent=1)),
    "deploys as lines": (deploy_timeline, json.dumps(DEPLOY) + "\n" + json.dumps(DEPLOY) + "\n"),
}

FOREIGN = {
    "nothing": "",
    "blank lines": "\n \r\n\t\n",
    "a byte order mark": "\ufeff",
    "prose": "It began at noon.\nThen node_a Not found\n",
    "Markdown": "# TYPE of outage\n\ntime, service, and so on\n",
    "a log line": "I1211 22:53:09.871301 1 httplog.go:132] apf_iseats=10 resp=200\n",
    "a legacy audit line": '2024-12-11T22:53:09Z AUDIT: id="6f2c" stage="ResponseComplete"\n',
    "a shell script": "#!/bin/sh\nkubectl get nodes --v=2\n",
    "YAML": "apiVersion: v1\nkind: Pod\nspec:\n- --v=2\n",
    "another program": "kube-controller-manager --v=2 --kubeconfig=/etc/k\n",
    "flags of another program": "--v=2\n--kubeconfig=/etc/k\n",
    "half JSON": '{"',
    "an empty object": "{}",
    "an empty array": "[]",
    "a number": "17",
    "deep nesting": "[" * 60_000,
    "deep objects": '{"a":' * 20_000,
    "an audit list": json.dumps({**AUDIT, "kind": "EventList", "items": [AUDIT], "metadata": {}}),
    "an index of queries": json.dumps({"up": {"query": "up", "series": 1, "bytes": 1}}, indent=1),
    "series of VictoriaMetrics": '{"metric":{"__name__":"up"},"values":[1],"timestamps":[1]}\n',
    "alerts of Prometheus": '{"status":"success","data":{"alerts":[]}}',
    "streams of Loki": '{"status":"success","data":{"resultType":"streams","result":[]}}',
    "deployments of GitHub": '[{"id":42,"sha":"9f1c2ab","ref":"main","created_at":"2024-12-11"}]',
    "releases of Helm": '[{"name":"a","namespace":"b","updated":"2024-12-11","chart":"a-1"}]',
    "a log as JSON": '{"time":"2024-12-11T22:51:00Z","level":"info","service":"web","msg":"x"}\n',
    "a timeline": "time,event,actor\n2024-12-11T15:13:00-08:00,alerts fired,pager\n",
    "measurements": "time,name,value,user\n2024-12-11T15:13:00Z,up,1,a\n",
    "checks": "time,server,outcome\n2024-12-11T15:13:00Z,a,ok\n",
    "a panel of Grafana": '"Time","LIST pods"\n"2024-12-11 22:53:00","120.4 req/s"\n',
    "a cloud query": "@timestamp,@message,@logStream\n",
}

JUNK = {
    "zeros": b"\0" * 5000,
    "binary": bytes(range(256)) * 20,
    "a TSDB block": b"\xba\xaa\xd7\x00\x01" + b"\x80" * 4000,
    "a broken gzip file": b"\x1f\x8b\x08\x00junk",
    "foreign letters": "time,sérvice\n".encode("latin-1"),
    "a line of blanks": b" " * 65_536,
    "a line of quotes": b'{a="' * 16_384,
    "a line of backslashes": b'up{a="' + b"\\" * 65_000,
    "a line of commas": b"," * 65_536,
    "a line of dashes": b"--a " * 16_000,
    "blanks behind a label": b'up{a="b"' + b" " * 65_000,
    "an endless label list": b"up{" + b'a="b",' * 10_000,
    "comments only": b"# \n" * 20_000,
}


def claimants(file: InputFile) -> list[str]:
    return [source.name for source in MODULES if source.recognises(file)]


@pytest.mark.parametrize(("source", "text"), OURS.values(), ids=OURS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_exactly_the_right_source_claims_a_file(look, source, text, packed):
    assert claimants(look(text, "no-suffix", packed=packed)) == [source.name]


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_no_source_claims_what_it_cannot_read(look, text):
    assert claimants(look(text)) == []


@pytest.mark.parametrize("data", JUNK.values(), ids=JUNK)
def test_no_source_claims_junk(look, data):
    assert claimants(look(data)) == []


@given(
    opening=st.sampled_from(["", *(text for _, text in OURS.values())]),
    at=st.integers(0, 400),
    rest=st.binary(max_size=200),
)
def test_no_source_raises_on_what_was_cut_or_damaged(opening, at, rest, tmp_path_factory):
    path = tmp_path_factory.mktemp("head") / "given"
    path.write_bytes(opening.encode()[:at] + rest)

    claimants(InputFile.look(path))
