"""Every source knows its own format from the first bytes, and no other's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_wrappings import WRAPPINGS, aks_record, log_events, subscribed
from kubepostmortem.sources import (
    SOURCES,
    apiserver_flags,
    apiserver_log,
    argocd,
    audit_batches,
    audit_legacy,
    audit_log,
    azure_diagnostics,
    cloud_logging,
    cloudwatch,
    cloudwatch_export,
    cloudwatch_insights,
    deploy_timeline,
    dns_probes,
    exposition,
    flux,
    github,
    gitlab,
    grafana_csv,
    helm,
    incident_timeline,
    kube_objects,
    log_analytics,
    metrics_table,
    prometheus_api,
    prometheus_listing,
    spinnaker,
    victoriametrics,
)
from kubepostmortem.sources.files import InputFile

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
APP = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}}
RELEASE = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {}}
FLUX = {"involvedObject": {}, "severity": "info", "timestamp": "", "reportingController": ""}
GITHUB = {"sha": "9f1c2ab", "ref": "main", "task": "deploy", "environment": "prod"}
GITLAB = {
    "iid": 2,
    "sha": "9f1c2ab",
    "ref": "main",
    "environment": {},
    "created_at": "",
    "user": {},
}
RUN = {"name": "CD", "head_sha": "9f1c", "run_number": 7, "created_at": "", "actor": {}}
NOTE = {"created_at": "2024-12-11T23:13:00Z", "content": "alerts fired", "user": {}}


KLOG = 'I1211 22:53:09.871301       1 httplog.go:132] "HTTP" verb="LIST" URI="/api" resp=200\n'
KLOG_JSON = '{"ts":1733957589871.3,"v":3,"msg":"HTTP","verb":"LIST","URI":"/api","resp":200}\n'


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
    "the log of an API server": (apiserver_log, KLOG),
    "the beginning of its log": (
        apiserver_log,
        'I1211 22:53:09.871301 1 flags.go:64] FLAG: --etcd-servers="[http://e]"\n',
    ),
    "its log in JSON": (apiserver_log, KLOG_JSON),
    "its log behind other lines": (apiserver_log, "I1211 22:53:09.1 1 a.go:1] b\n" * 99 + KLOG),
    "its log from CRI": (apiserver_log, f"2024-12-11T22:53:09.87Z stderr F {KLOG}"),
    "its JSON log from CRI": (apiserver_log, f"2024-12-11T22:53:09.87Z stderr F {KLOG_JSON}"),
    "its log from docker": (
        apiserver_log,
        json.dumps({"log": KLOG, "stream": "stderr", "time": "2024-12-11T22:53:09.87Z"}) + "\n",
    ),
    "its JSON log from docker": (
        apiserver_log,
        json.dumps({"log": KLOG_JSON, "stream": "stderr", "time": "2024-12-11T22:53:09.87Z"}),
    ),
    "its log from journald": (apiserver_log, f"Dec 11 22:53:09 a kube-apiserver[1]: {KLOG}"),
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
    "a dump of native histograms": (
        exposition,
        '{__name__="h"} {count:3, sum:5, [-1,1]:3} 1733957610000\n',
    ),
    "metrics with names in UTF-8": (exposition, '{"my.metric", "k.v"="a"} 1\n'),
    "series of Prometheus": (
        prometheus_listing,
        '{"status":"success","data":[{"__name__":"up","job":"a"}]}',
    ),
    "labels of Prometheus": (
        prometheus_listing,
        '{"status":"success","data":["__name__","job"]}',
    ),
    "no series": (prometheus_listing, '{"status":"success","data":[]}'),
    "alerts of Prometheus": (prometheus_listing, '{"status":"success","data":{"alerts":[]}}'),
    "rules of Prometheus": (
        prometheus_listing,
        json.dumps({"status": "success", "data": {"groups": [{"name": "a", "rules": []}]}}),
    ),
    "series of VictoriaMetrics": (
        victoriametrics,
        '{"metric":{"__name__":"up"},"values":[1],"timestamps":[1]}\n',
    ),
    "a long series of VictoriaMetrics": (
        victoriametrics,
        '{"metric":{"__name__":"up"},"values":[' + "1.5," * 30_000,
    ),
    "a panel of Grafana": (
        grafana_csv,
        '"Time","LIST pods"\n"2024-12-11 22:53:00","120.4 req/s"\n',
    ),
    "a panel of Grafana for Excel": (
        grafana_csv,
        '\ufeffsep=,\r\n"Time","{verb=""LIST"", code=""200""}"\r\n1733957580000,1.2\r\n',
    ),
    "a panel that begins with a gap": (grafana_csv, '"Time","a"\n1733957580000,\n'),
    "one series of Grafana": (grafana_csv, '"Time","Value"\n1733957580000,1\n'),
    "a table panel of Grafana": (metrics_table, '"Time","verb","Value"\n1733957580000,GET,1\n'),
    "measurements": (metrics_table, "time,name,value,user\n2024-12-11T15:13:00Z,up,1,a\n"),
    "measurements without rows": (metrics_table, "timestamp;metric;value\n"),
    "a column per metric": (metrics_table, "timestamp,up,go_threads\n1733957580,1,12\n"),
    "a column per series": (
        metrics_table,
        'time,"apiserver_request_total{verb=""LIST"",code=""200""}"\n1733957580,1\n',
    ),
    "Parquet": (metrics_table, "PAR1\x15\x04"),
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
    "deploys with numbers": (deploy_timeline, "time,app,version\n2024-12-11T15:13:00Z,1,2\n"),
    "named deploys": (deploy_timeline, "created_at,name,version\n"),
    "deploys as an array": (deploy_timeline, json.dumps([DEPLOY], indent=1)),
    "deploys as lines": (deploy_timeline, json.dumps(DEPLOY) + "\n" + json.dumps(DEPLOY) + "\n"),
}

YAML = "apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n"
ITEM = "- " + YAML.replace("\n", "\n  ").rstrip() + "\n"
APP_YAML = YAML.replace("v1", "argoproj.io/v1alpha1").replace("Node", "Application")

OURS |= {
    "deploys in a wrapper": (deploy_timeline, json.dumps({"deploys": [DEPLOY] * 2000})),
    "deploys as YAML": (deploy_timeline, "# ours\n- time: 2024-12-11\n  service: web\n"),
    "wrapped deploys as YAML": (deploy_timeline, "changes:\n- date: 2024-12-11\n  app: web\n"),
    "one object as YAML": (kube_objects, YAML),
    "an object of a must-gather": (kube_objects, f"---\n{YAML}"),
    "an object behind a directive": (kube_objects, f"%YAML 1.2\n--- # one\n{YAML}"),
    "several objects as YAML": (kube_objects, f"# all\n{YAML}---\n{APP_YAML}"),
    "a list as YAML": (kube_objects, f"apiVersion: v1\nitems:\n{ITEM}kind: List\n"),
    "a long list as YAML": (kube_objects, f"apiVersion: v1\nitems:\n{ITEM * 2000}kind: List\n"),
    "a ConfigMap with much data": (kube_objects, "apiVersion: v1\ndata:\n" + "  a: b\n" * 20_000),
    "a list with an Application": (kube_objects, json.dumps({**LIST, "items": [APP, NODE]})),
    "Applications": (argocd, json.dumps({**LIST, "items": [APP] * 2000}, indent=4)),
    "an Application": (argocd, json.dumps(APP)),
    "an Application as YAML": (argocd, APP_YAML),
    "argocd app list": (argocd, json.dumps([{"metadata": {}, "spec": {"destination": {}}}])),
    "objects of Flux": (flux, json.dumps({**LIST, "items": [RELEASE, RELEASE]})),
    "an event of Flux": (flux, json.dumps(FLUX)),
    "events of Flux": (flux, json.dumps([FLUX, FLUX], indent=1)),
    "helm list": (
        helm,
        json.dumps([{"name": "a", "revision": "1", "updated": "", "chart": "a-1"}]),
    ),
    "helm history": (helm, json.dumps([{"revision": 1, "updated": "", "chart": "a-1.0.0"}])),
    "helm list as YAML": (helm, '- chart: a-1.0.0\n  revision: "1"\n  updated: 2024-12-11\n'),
    "deployments": (github, json.dumps([{**GITHUB, "created_at": "", "creator": {}}], indent=2)),
    "statuses": (github, json.dumps([{"state": "", "deployment_url": "", "created_at": ""}])),
    "workflow runs": (github, json.dumps({"total_count": 1, "workflow_runs": [RUN]})),
    "an array of workflow runs": (github, json.dumps([RUN])),
    "gh run list": (github, json.dumps([{"workflowName": "CD", "createdAt": "", "name": "x"}])),
    "releases": (
        github,
        json.dumps([{"tag_name": "", "published_at": "", "name": "", "author": ""}]),
    ),
    "deployments of GitLab": (gitlab, json.dumps([GITLAB])),
    "jobs of GitLab": (
        gitlab,
        '[{"name":"a","stage":"deploy","pipeline":{},"started_at":"","created_at":"","user":{}}]',
    ),
    "pipelines of Spinnaker": (
        spinnaker,
        '[{"name":"a","application":"b","startTime":1733957462000,"stages":[],"trigger":{}}]',
    ),
    "notes": (incident_timeline, "time,event,actor\n2024-12-11T15:13:00-08:00,alerts fired,a\n"),
    "log entries": (incident_timeline, json.dumps({"log_entries": [NOTE]})),
    "notes of an incident": (incident_timeline, json.dumps({"notes": [NOTE], "more": False})),
    "notes as an array": (incident_timeline, json.dumps([NOTE])),
    "an incident page": (
        incident_timeline,
        json.dumps({"incidents": [{"name": "x", "created_at": "", "incident_updates": []}]}),
    ),
}

SOURCES_OF = {
    "lines": audit_log, "filter": cloudwatch, "get-log": cloudwatch, "Firehose": cloudwatch,
    "Kinesis": cloudwatch, "S3": cloudwatch_export, "Insights": cloudwatch_insights,
    "PT1H": azure_diagnostics, "event hub": azure_diagnostics, "properties": azure_diagnostics,
    "Azure": log_analytics, "AKS": log_analytics,
}  # fmt: skip
EVENT = {
    **AUDIT,
    "verb": "list",
    "stageTimestamp": "2024-12-11T22:53:09.871301Z",
}
AUDIT_LOG = "type.googleapis.com/google.cloud.audit.AuditLog"
ENTRY = {"insertId": "a", "protoPayload": {"@type": AUDIT_LOG, "serviceName": "k8s.io"}}
OLD = {**AUDIT, "apiVersion": "audit.k8s.io/v1beta1"}

OURS |= {
    f"{much} audit events as {name}": (
        next((s for begin, s in SOURCES_OF.items() if name.startswith(begin)), audit_batches),
        wrap([EVENT] * number),
    )
    for name, wrap in WRAPPINGS.items()
    for much, number in (("few", 2), ("many", 2000))
}
OURS |= {
    "an audit list": (audit_batches, json.dumps({**AUDIT, "kind": "EventList", "items": [AUDIT]})),
    "old audit events": (audit_log, json.dumps(OLD) + "\n"),
    "a control message": (cloudwatch, subscribed(["CWL CONTROL MESSAGE"], "CONTROL_MESSAGE")),
    "no log events yet": (cloudwatch, subscribed([])),
    "log events of another stream": (cloudwatch, json.dumps({"events": log_events(["x"])})),
    "other categories of AKS": (azure_diagnostics, json.dumps(aks_record("x", "kube-scheduler"))),
    "entries of Cloud Logging": (cloud_logging, json.dumps([ENTRY] * 500, indent=1)),
    "lines of Cloud Logging": (cloud_logging, f"{json.dumps(ENTRY)}\n" * 500),
    "a cloud query": (cloudwatch_insights, "@timestamp,@message,@logStream\n"),
    "a legacy audit line": (
        audit_legacy, '2024-12-11T22:53:09Z AUDIT: id="6f2c" stage="ResponseComplete"\n',
    ),
}  # fmt: skip

FOREIGN = {
    "nothing": "",
    "blank lines": "\n \r\n\t\n",
    "a byte order mark": "\ufeff",
    "prose": "It began at noon.\nThen node_a Not found\n",
    "Markdown": "# TYPE of outage\n\ntime, service, and so on\n",
    "a log line": "I1211 22:53:09.871301 1 httplog.go:132] apf_iseats=10 resp=200\n",
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
    "deep YAML": "a: " + "[" * 60_000,
    "a Kustomization file": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
    "settings": "server:\n  port: 80\n  name: web\n",
    "a log with users": '{"time":"2024-12-11T22:51:00Z","level":"info","user":"a","message":"x"}\n',
    "an index of queries": json.dumps({"up": {"query": "up", "series": 1, "bytes": 1}}, indent=1),
    "a document with metric and values": '{"metric":"up","values":[1]}\n{"metric":"down"}\n',
    "a table of texts": "Time,server,outcome\n2024-12-11T15:13:00Z,1.2.3,ok\n",
    "streams of Loki": '{"status":"success","data":{"resultType":"streams","result":[]}}',
    "deployments of GitHub": '[{"id":42,"sha":"9f1c2ab","ref":"main","created_at":"2024-12-11"}]',
    "releases of Helm": '[{"name":"a","namespace":"b","updated":"2024-12-11","chart":"a-1"}]',
    "a log as JSON": '{"time":"2024-12-11T22:51:00Z","level":"info","service":"web","msg":"x"}\n',
    "checks": "time,server,outcome\n2024-12-11T15:13:00Z,a,ok\n",
    "events of Kubernetes": json.dumps({"kind": "Unknown", "items": [{"kind": "Event"}]}),
    "alarms of CloudWatch": '{"events":[{"eventName":"x","alarm":"y"}]}',
    "diagnostics of another service": '{"category":"SignInLogs","properties":{"log":"x"}}\n',
    "a query of other tables": '{"tables":[{"name":"T","columns":[{"name":"a"}],"rows":[["b"]]}]}',
    "other entries of Cloud Logging": '[{"insertId":"a","textPayload":"protoPayload"}]',
    "an audit policy": '{"kind":"Policy","apiVersion":"audit.k8s.io/v1","rules":[]}',
    "a log line with a time": "2024-12-11T22:53:09Z {braces} and more\n",
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
    return [source.name for source in SOURCES if source.recognises(file)]


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
