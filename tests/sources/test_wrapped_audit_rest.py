"""What comes wrapped along with audit events, or damaged, is counted by name."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from audit_wrappings import (
    POD,
    STREAM,
    WRAPPINGS,
    aks_record,
    as_csv,
    counts,
    insights,
    insights_results,
    log_events,
    subscribed,
    texts,
)
from kubepostmortem.errors import NoUsableInput
from kubepostmortem.sources.unwrapping import CUT_MESSAGE, NO_EVENT
from planted import event, request

EVENTS = [
    one for n in range(12) for one in request(f"00000000-0000-4000-8000-{n:012x}", received=n)
]

every_wrapping = pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)


def left_out(outcome) -> str:
    return (outcome.reading.notes or "").partition("left out: ")[2]


KLOG = 'I0301 12:00:00.1 1 httplog.go:132] "HTTP" verb="LIST" auditID="x"'
AUTHENTICATOR = 'time="2026-03-01T12:00:00Z" level=info msg="access granted" arn="arn:aws"'
GOOD = texts(EVENTS[:2])
ODD = [KLOG, AUTHENTICATOR, '{"level":"info","msg":"started"}', "", "\u0000{"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"events": log_events([*ODD, *GOOD], logStreamName=STREAM)}),
        subscribed([*ODD, *GOOD]),
        json.dumps(insights_results([*ODD, *GOOD])),
        as_csv(insights([*ODD, *GOOD])),
        "\n".join(json.dumps(aks_record(text)) for text in [*ODD, *GOOD]),
        json.dumps([{"log_s": text, "pod_s": POD} for text in [*ODD, *GOOD]]),
    ],
    ids=["filter-log-events", "Firehose", "Insights JSON", "Insights CSV", "AKS", "Log Analytics"],
)
def test_messages_of_other_logs_are_left_out_by_name(give, text):
    outcome = give(text)

    assert counts(outcome) == (2, 0, len(ODD), 0)
    assert left_out(outcome) == f"{len(ODD)} {NO_EVENT}"


def test_other_categories_and_control_messages_are_left_out_by_name(give):
    other = [aks_record(KLOG, "kube-scheduler"), aks_record(GOOD[0], "guard"), {"category": "x"}]
    azure = give("\n".join(map(json.dumps, [aks_record(GOOD[0]), *other])), "azure")
    control = subscribed(["CWL CONTROL MESSAGE: Checking health"], "CONTROL_MESSAGE")
    amazon = give(control + subscribed(GOOD[1:]) + control, "amazon")

    assert (counts(azure), left_out(azure)) == ((1, 0, 3, 0), "3 records of other categories")
    assert counts(amazon) == (1, 0, 2, 0)
    assert left_out(amazon) == "2 control messages of the subscription"


def test_a_message_that_the_log_service_cut_is_rejected_as_such(store, give):
    messages = [GOOD[0], GOOD[1][:200] + "[Truncated...]"]
    text = json.dumps({"events": log_events(messages, logStreamName=STREAM)}, indent=1)

    assert counts(give(text)) == (1, 0, 0, 1)
    (row,) = store.rows("from rejected_lines")
    assert row["reason"] == CUT_MESSAGE
    assert row["excerpt"] == messages[1]
    assert json.JSONDecoder().raw_decode(text[row["byte_offset"] :])[0]["message"] == messages[1]


BAD = {
    **event("00000000-0000-4000-8000-000000000099"),
    "stage": "Nonsense",
    "requestURI": "/" + "x" * 5000,
}


@every_wrapping
def test_a_rejected_record_is_shown_where_it_stands(store, give, wrap):
    text = wrap([*EVENTS[:9], BAD, *EVENTS[9:]]).encode()

    assert counts(give(text)) == (len(EVENTS), 0, 0, 1)
    (row,) = store.rows("from rejected_lines")
    assert row["reason"] == "no known stage"
    assert 900 < len(row["excerpt"]) <= 1024 and "Nonsense" not in row["excerpt"][1000:]
    place = text.index(BAD["auditID"].encode())
    assert row["byte_offset"] <= place
    held = text[row["byte_offset"] : place].count(b"00000000-0000-4000-8000-")
    # The record is the event, or what a subscription or table delivers at once.
    assert held == 0 or text[row["byte_offset"] :].startswith((b'{"messageType"', b'{"name"'))


@pytest.mark.parametrize(
    "text",
    [
        '{"messageType":"DATA_MESSAGE","logGroup":"","logStream":1,"logEvents":7}',
        '{"messageType":"DATA_MESSAGE","logGroup":"","logStream":[],"logEvents":[1,{},{"message":{}}]}',
        '{"events":[{"message":"x"},7,null,{"message":3}]}',
        '{"results":[[{"field":"@message","value":7}],7,[1],[{"field":[],"value":1}],{}]}',
        '{"tables":[7,{"columns":7,"rows":[[]]},{"columns":[1],"rows":[1,[1,2],["log_s"]]}],'
        '"x":{"columns":"log_s"}}',
        '[{"log_s":7,"pod_s":[]},{"log_s":null},{},7,{"auditid":1e400}]',
        '[{"AuditId":123456789012345678901234567890,"RequestUri":[],"Verb":{},"RequestReceivedTime":"{"}]',
        '{"category":"kube-audit","properties":"{","x":"kube-apiserver"}\n{"category":[],"properties":7}',
        '{"category":"kube-audit","properties":{"log":{},"pod":7,"a":"kube-apiserver"}}',
        '{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","x":"k8s.io"},'
        '"operation":{"last":7},"serviceName":"k8s.io"}\n{"operation":{"id":[]},"y":"k8s.io"}',
        '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[1,"a",[],null,{"auditID":7}]}',
        '2026-03-01T12:00:00Z AUDIT: id="x response="²"\n2026-03-01T12:00:00Z AUDIT: id="<none>"\n',
    ],
)  # fmt: skip
def test_values_of_any_type_are_counted_and_never_raise(store, give, text):
    with suppress(NoUsableInput):
        give(text)

    (row,) = store.rows("from ingests")
    assert row["format"] != "unknown"
    assert row["lines"] == row["loaded"] + row["filtered"] + row["rejected"] > 0
    assert row["rejected"] == store.value("select count(*) from rejected_lines")
