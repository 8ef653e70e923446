"""Redacted databases: nothing private in the file, and the same answers as from the evidence."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kubepostmortem.cli import app
from kubepostmortem.errors import UsageError
from kubepostmortem.ingest import ingest
from kubepostmortem.postmortem import Postmortem
from kubepostmortem.redaction import Redaction, keys
from kubepostmortem.store import Store
from planted import Storm, event, lines, request, telemetry_storm, write_log

ONE, OTHER = Redaction(b"1" * 32), Redaction(b"2" * 32)
BY = ONE.by
SAMPLE = Path(__file__).parent.parent / "data" / "telemetry-rollout"
FORMATS = Path(__file__).parent / "data" / "formats"
SECRET = re.compile("zorblax|alice|hunter2|10[.-]77[.-]", re.IGNORECASE)

ALIKE = """
select
    cluster, if(component in ('checkout', 'scanner') or starts_with(component, 'name-x'), 'own',
        component) as component,
    kind, verb, resource, subresource, scope, node_from, code, page_limit,
    resource_version, watch, field_selector is null as without_fields,
    label_selector is null as without_labels, continues, uri_path is null as without_path,
    username is null as without_user, workload is null as without_workload,
    count(*) as requests, count(distinct username) as users, count(distinct node) as nodes,
    count(distinct pod) as pods, count(distinct workload) as workloads,
    count(distinct name) as names, count(distinct namespace) as namespaces,
    count(distinct source_ip) as addresses
from requests group by all order by all
"""


def planted_evidence(folder: Path) -> Path:
    """Evidence of all kinds in which everything private holds a word of SECRET."""
    user = "system:serviceaccount:zorblax-prod:zorblax-pay"
    events = [
        event(
            user=user,
            agent="zorblax-pay/v1.9.3-alice (linux/amd64) alice-laptop 10.77.0.9",
            namespace="zorblax-prod",
            name="zorblax-pay-84ffb4bd84-6drts",
            uri="/api/v1/namespaces/zorblax-prod/pods/zorblax-pay-84ffb4bd84-6drts?token=hunter2"
            "&labelSelector=zorblax.io%2Fteam%3Dzorblax&fieldSelector=spec.nodeName%3Dip-10-77-0-1",
            pod="zorblax-pay-84ffb4bd84-6drts",
            node="ip-10-77-0-1",
            ip="10.77.0.1",
            impersonatedUser={"username": "alice@zorblax.com"},
            requestObject={"password": "hunter2"},
            responseObject={"data": "hunter2"},
        ),
        event(
            "zorblax-made-id",
            user="alice@zorblax.com",
            agent="curl/8.0",
            resource=None,
            uri="/zorblax",
        ),
        event(
            "3f2c0000-0000-4000-8000-000000000002", user="system:node:ip-10-77-0-1", ip="10.77.0.1"
        ),
    ]
    log = folder / "zorblax" / "kube-apiserver" / "ip-10-77-0-1-audit.log"
    write_log(log, [*events, b'{"kind":"Event","zorblax":"hunter2"}\n', b"zorblax hunter2\n"])
    (folder / "zorblax-deploys.csv").write_text(
        "time,namespace,service,version,actor,action,status\n"
        "2026-03-01T12:00:00Z,zorblax-prod,zorblax-pay,registry.zorblax.io/pay:v1,alice,"
        "deploy zorblax-pay,started\n"
        "yesterday,zorblax-prod,zorblax-pay,v1,alice,deploy,started\n"
    )
    (folder / "dns.csv").write_text(
        "time,server,qname,outcome,rcode,answers,ms\n"
        "2026-03-01T12:00:00Z,10.77.0.10,pay.zorblax-prod.svc.cluster.local,ok,0,10.77.3.4,1\n"
        "2026-03-01T12:00:01Z,10.77.0.10,www.zorblax.com.,ok,0,10.77.3.4,1\n"
    )
    (folder / "metrics.prom").write_text(
        "# TYPE kube_pod_info gauge\n"
        'kube_pod_info{namespace="zorblax-prod",pod="zorblax-0",node="ip-10-77-0-1",'
        'instance="10.77.0.1:8080",team="zorblax",verb="LIST"} 1\n'
    )
    (folder / "objects.json").write_text(OBJECTS)
    return folder


OBJECTS = """{"apiVersion": "v1", "kind": "List", "items": [
{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "ip-10-77-0-1",
 "labels": {"zorblax.io/pool": "zorblax", "kubernetes.io/hostname": "ip-10-77-0-1"}},
 "status": {"addresses": [{"type": "InternalIP", "address": "10.77.0.1"}]}},
{"apiVersion": "v1", "kind": "Event", 
 "metadata": {"name": "zorblax-pay.17a", "namespace": "zorblax-prod"},
 "involvedObject": {"kind": "Pod", "name": "zorblax-pay-84ffb4bd84-6drts"}, "reason": "Killing",
 "message": "Stopping container zorblax-pay for alice", "lastTimestamp": "2026-03-01T12:00:00Z"},
{"apiVersion": "apps/v1", "kind": "Deployment",
 "metadata": {"name": "zorblax-pay",
 "namespace": "zorblax-prod", "creationTimestamp": "2026-03-01T12:00:00Z"},
 "spec": {"template": {"spec": {"serviceAccountName": "zorblax-pay",
  "containers": [{"image": "registry.zorblax.io/pay:v1"}]}}}}
]}"""


def texts(store: Store) -> list[str]:
    """Every text in every table, lists and maps written out."""
    columns = store.rows(
        "select table_name as name, column_name as col from duckdb_columns() where not internal "
        "and table_name in (select table_name from duckdb_tables() where not temporary) "
        "and (contains(lower(data_type), 'varchar') or data_type = 'JSON')"
    )
    found: list[str] = []
    for row in columns:
        frame = store.frame(f'select "{row["col"]}"::varchar as text from "{row["name"]}"')
        found += [f"{row['name']}.{row['col']}: {text}" for text in frame["text"].drop_nulls()]
    return found


Load = Callable[..., Path]


@pytest.fixture
def load(empty: Path, tmp_path: Path) -> Load:
    """Ingest paths into a new database, and return it."""

    def load_into_new(name: str, *paths: Path, redaction: Redaction | None = None) -> Path:
        database = Path(shutil.copyfile(empty, tmp_path / f"{name}.duckdb"))
        with Store.create(database) as store:
            ingest(store, paths, "prod", redaction=redaction)
        return database

    return load_into_new


def test_nothing_private_is_in_the_file(load: Load, tmp_path: Path) -> None:
    evidence = planted_evidence(tmp_path / "evidence")
    plain = load("plain", evidence)
    redacted = load("redacted", evidence, redaction=ONE)
    with Store.open(plain) as store:
        tables = {text.split(":")[0] for text in texts(store) if SECRET.search(text)}
    assert {"requests.uri_path", "callers.component", "deploys.service", "ingests.path"} <= tables
    assert {"rejected_lines.excerpt", "nodes.labels", "metric_series.labels"} <= tables
    with Store.open(redacted) as store:
        assert [text for text in texts(store) if SECRET.search(text)] == []
        assert store.value("select count(*) from requests") == 3
    for file in redacted.parent.glob("redacted.duckdb*"):
        content = file.read_bytes()
        assert not re.search(rb"zorblax|hunter2|1111111111111111", content)


def test_every_format_goes_in_under_pseudonyms(load: Load) -> None:
    """The examples of the formats are about node-agent in telemetry, and the people behind it."""
    private = re.compile(r"node-agent|alice|node-0042|10\.1\.4|git\.example|telemetry|pager|x7k2p")
    with Store.open(load("plain", FORMATS)) as store:
        assert sum(private.search(text) is not None for text in texts(store)) > 20
    with Store.open(load("redacted", FORMATS, redaction=ONE)) as store:
        assert [text for text in texts(store) if private.search(text)] == []


def test_bodies_are_not_read_even_without_redaction(load: Load, tmp_path: Path) -> None:
    log = write_log(tmp_path / "audit.log", [event(requestObject={"password": "hunter2"})])
    with Store.open(load("plain", log)) as store:
        assert [text for text in texts(store) if "hunter2" in text] == []


def test_names_in_different_evidence_still_join(load: Load, tmp_path: Path) -> None:
    database = load("redacted", planted_evidence(tmp_path / "evidence"), redaction=ONE)
    workload = f"{BY.namespace('zorblax-prod')}/{BY.name('zorblax-pay')}"
    with Store.open(database) as store:
        (row,) = store.rows("from requests where pod is not null")
        assert (row["workload"], row["node"]) == (workload, BY.node("ip-10-77-0-1"))
        assert row["component"] == BY.name("zorblax-pay")
        assert store.value("select namespace || '/' || service from deploys limit 1") == workload
        assert store.value("select namespace || '/' || name from workloads") == workload
        assert store.value("select node from nodes join requests using (node) limit 1")
        assert store.value("select labels['node'] from metric_series") == row["node"]


@pytest.mark.parametrize("seed", [1, 2])
def test_requests_are_alike_but_for_the_names(load: Load, tmp_path: Path, seed: int) -> None:
    storm = Storm(nodes=8, baseline_s=60, overload_s=60, latecomer=True, seed=seed)
    refused = event("refused before it had a user", code=401) | {"user": {}}
    log = write_log(tmp_path / "audit.log", [*telemetry_storm(storm), refused])
    answers = []
    for name, redaction in (("plain", None), ("redacted", ONE)):
        with Store.open(load(name, log, redaction=redaction)) as store:
            answers.append(store.frame(ALIKE))
    assert answers[0].equals(answers[1])


def test_the_same_cause_is_found(recorded: Path, load: Load) -> None:
    plain = Postmortem.open(recorded)
    redacted = Postmortem.open(load("redacted", SAMPLE, redaction=ONE))
    for question in ("who-grew", "why-nodes", "which-deploy", "what-changed"):
        told, under_pseudonyms = plain.ask(question), redacted.ask(question)
        assert under_pseudonyms.status == told.status
        assert numbers(under_pseudonyms.evidence) == pytest.approx(numbers(told.evidence))
    cause = redacted.ask("who-grew").evidence["causes"][0]
    suspect = redacted.ask("which-deploy").evidence["suspects"][0]
    assert cause["component"] == suspect["service"] == "otel-agent"
    assert cause["user"].split(":")[2] == suspect["namespace"] == BY.namespace("telemetry")
    workload = redacted.ask("why-nodes").evidence["workload"]
    assert workload == f"{suspect['namespace']}/{suspect['service']}"
    redacted.store.close()
    plain.store.close()


def numbers(value: Any) -> list[float]:
    """All numbers in an answer's evidence, in order."""
    if isinstance(value, dict):
        return [n for entry in value.values() for n in numbers(entry)]
    if isinstance(value, list | tuple):
        return [n for entry in value for n in numbers(entry)]
    return [float(value)] if isinstance(value, int | float) else []


def test_reading_again_with_the_key_adds_nothing(load: Load, tmp_path: Path) -> None:
    evidence = planted_evidence(tmp_path / "evidence")
    database = load("redacted", evidence, redaction=ONE)
    copy = shutil.copytree(evidence, tmp_path / "copy")
    with Store.create(database) as store:
        before = texts(store)
        assert all(outcome.skipped for outcome in ingest(store, [evidence], "prod", redaction=ONE))
        again = ingest(store, [copy], "prod", redaction=ONE)
        assert sum(outcome.reading.loaded for outcome in again) == 0
        after = [t for t in texts(store) if not t.startswith(("ingests", "rejected_lines"))]
    assert sorted(after) == sorted(
        t for t in before if not t.startswith(("ingests", "rejected_lines"))
    )


@pytest.mark.parametrize(
    ("first", "then", "says"),
    [
        (ONE, None, "is redacted"),
        (ONE, OTHER, "another key"),
        (None, ONE, "as it was"),
    ],
)
def test_a_database_holds_evidence_under_one_key_or_none(
    load: Load, tmp_path: Path, first: Redaction | None, then: Redaction | None, says: str
) -> None:
    logs = [write_log(tmp_path / f"{i}.log", [event(received=i)]) for i in range(2)]
    database = load("first", logs[0], redaction=first)
    with Store.create(database) as store:
        with pytest.raises(UsageError, match=says):
            ingest(store, logs[1:], "prod", redaction=then)
        assert store.value("select count(*) from requests") == 1


def test_two_files_in_two_runs_make_one_request(load: Load, tmp_path: Path) -> None:
    received, complete = request("made up by alice", took=0.25)
    first = write_log(tmp_path / "a.log", [received])
    database = load("redacted", first, redaction=ONE)
    with Store.create(database) as store:
        ingest(store, [write_log(tmp_path / "b.log", [complete])], "prod", redaction=ONE)
        (row,) = store.rows("from requests")
    assert (row["stages_seen"], row["latency_ms"]) == (1 | 4, 250)
    assert "alice" not in row["audit_id"]


def test_a_line_is_counted_whatever_becomes_of_its_names(load: Load, tmp_path: Path) -> None:
    text = lines([event(user="ünïcødé\u202e", agent="\x00\x07" + "x" * 3000, uri="/%ff?%zz&=&&")])
    log = write_log(tmp_path / "audit.log", [*text, b"rubbish\n"])
    with Store.open(load("redacted", log, redaction=ONE)) as store:
        (row,) = store.rows("from ingests")
        assert (row["lines"], row["loaded"], row["rejected"]) == (2, 1, 1)
        assert store.value("select count(*) from requests") == 1


Command = Callable[..., Any]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the ingest command on a new log, into one database."""
    log = write_log(tmp_path / "audit.log", [event(user="alice")])

    def run(*options: str, key: str = "") -> Any:
        monkeypatch.setenv(keys.VARIABLE, key)
        database = ["-d", str(tmp_path / "incident.duckdb")]
        return CliRunner().invoke(app, ["ingest", str(log), *database, *options])

    return run


def test_a_new_key_is_printed_once_and_opens_the_database_again(
    command: Command, tmp_path: Path
) -> None:
    first = command("--redact")
    (key,) = re.findall(r"^redaction key: (\S+)$", first.stderr, re.MULTILINE)
    assert key not in first.stdout
    assert key.encode() not in (tmp_path / "incident.duckdb").read_bytes()
    assert command("--redact", key=key).exit_code == 0
    refused = command("--redact")
    assert isinstance(refused.exception, UsageError)
    assert "redaction key" not in refused.stderr
    assert isinstance(command().exception, UsageError)


def test_no_key_is_made_for_a_database_that_holds_plain_evidence(command: Command) -> None:
    assert command().exit_code == 0
    refused = command("--redact")
    assert isinstance(refused.exception, UsageError)
    assert "redaction key" not in refused.stderr
