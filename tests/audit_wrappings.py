"""The same audit events in every wrapping that logs come in."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from kubepostmortem.ingest import Outcome
from planted import Event, lines

STREAM = "kube-apiserver-audit-4e9f"
POD = "kube-apiserver-7c9f8-abcde"
AKS_COLUMNS = {
    "AuditId": "auditID",
    "Level": "level",
    "Stage": "stage",
    "RequestUri": "requestURI",
    "Verb": "verb",
    "User": "user",
    "SourceIps": "sourceIPs",
    "UserAgent": "userAgent",
    "ObjectRef": "objectRef",
    "ResponseStatus": "responseStatus",
    "RequestReceivedTime": "requestReceivedTimestamp",
    "StageReceivedTime": "stageTimestamp",
    "Annotations": "annotations",
}


def texts(events: Sequence[Event]) -> list[str]:
    """Each event as a message of a log."""
    return [line.decode().rstrip("\n") for line in lines(events)]


def tens(events: Sequence[Any]) -> list[Sequence[Any]]:
    """Batches of ten."""
    return [events[n : n + 10] for n in range(0, len(events), 10)]


def event_list(events: Sequence[Event]) -> dict[str, Any]:
    """A batch as the webhook backend sends it."""
    return {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events}


def log_events(messages: Sequence[str], **more: Any) -> list[dict[str, Any]]:
    """Messages as CloudWatch gives them."""
    return [{"timestamp": 1, "message": text, "ingestionTime": 2, **more} for text in messages]


def subscribed(messages: Sequence[str], kind: str = "DATA_MESSAGE") -> str:
    """Messages as a subscription of CloudWatch delivers them."""
    told = {"messageType": kind, "owner": "1", "logGroup": "/aws/eks/a/cluster"}
    return json.dumps({**told, "logStream": STREAM, "logEvents": log_events(messages, id="3")})


def aks_record(text: Any, category: str = "kube-audit") -> dict[str, Any]:
    """A record of a diagnostic log of AKS."""
    properties = {"log": f"{text}\n", "stream": "stdout", "pod": POD}
    return {"category": category, "resourceId": "/SUBSCRIPTIONS/0", "properties": properties}


def aks_row(event: Event, *, as_text: bool = False) -> dict[str, Any]:
    """A row of AKSAudit."""
    row = {column: event.get(field) for column, field in AKS_COLUMNS.items()}
    if as_text:
        row = {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
    return {"TimeGenerated": event["stageTimestamp"], "PodName": POD, **row}


def table(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rows as the API of Log Analytics gives them."""
    columns = [{"name": name, "type": "string"} for name in rows[0]]
    held = [list(row.values()) for row in rows]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": held}]}


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def insights(messages: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of Logs Insights."""
    return [{"@timestamp": "2026", "@message": m, "@logStream": STREAM} for m in messages]


def insights_results(messages: Sequence[str]) -> dict[str, Any]:
    """Results of Logs Insights as its API gives them."""
    rows = [[{"field": k, "value": v} for k, v in row.items()] for row in insights(messages)]
    return {"results": rows, "statistics": {}, "status": "Complete"}


def _diagnostics(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [{"Category": "kube-audit", "log_s": text, "pod_s": POD} for text in texts(events)]


def _exported(events: Sequence[Event]) -> str:
    return "".join(
        f"{e['stageTimestamp'][:23]}Z {t}\n" for e, t in zip(events, texts(events), strict=True)
    )


Wrap = Callable[[Sequence[Event]], str]
WRAPPINGS: dict[str, Wrap] = {
    "lines": lambda es: "".join(f"{t}\n" for t in texts(es)),
    "lists per line": lambda es: "".join(f"{json.dumps(event_list(b))}\n" for b in tens(es)),
    "lists one after another": lambda es: "".join(json.dumps(event_list(b)) for b in tens(es)),
    "a pretty list": lambda es: json.dumps(event_list(es), indent=2),
    "sorted pretty lists": lambda es: "\n".join(
        json.dumps(event_list(b), indent=1, sort_keys=True) for b in tens(es)
    ),
    "an array": lambda es: json.dumps(es),
    "a pretty array": lambda es: json.dumps(es, indent=4),
    "an array of lists": lambda es: json.dumps([event_list(b) for b in tens(es)]),
    "an array, one per line": lambda es: "[\n" + ",\n".join(texts(es)) + "\n]\n",
    "pretty events": lambda es: "\n".join(json.dumps(e, indent=2) for e in es),
    "filter-log-events": lambda es: json.dumps(
        {"events": log_events(texts(es), logStreamName=STREAM), "searchedLogStreams": []}, indent=4
    ),
    "get-log-events": lambda es: json.dumps(
        {"events": log_events(texts(es)), "nextForwardToken": "f/1"}
    ),
    "Firehose": lambda es: "".join(subscribed(texts(b)) for b in tens(es)),
    "Kinesis lines": lambda es: "".join(f"{subscribed(texts(b))}\n" for b in tens(es)),
    "S3 export": _exported,
    "Insights CSV": lambda es: as_csv(insights(texts(es))),
    "Insights JSON": lambda es: json.dumps(insights_results(texts(es)), indent=4),
    "PT1H.json": lambda es: "".join(f"{json.dumps(aks_record(t))}\r\n" for t in texts(es)),
    "event hub": lambda es: "\n".join(
        json.dumps({"records": [aks_record(t) for t in texts(b)]}) for b in tens(es)
    ),
    "properties as text": lambda es: "".join(
        json.dumps({**(r := aks_record(t)), "properties": json.dumps(r["properties"])}) + "\n"
        for t in texts(es)
    ),
    "AzureDiagnostics tables": lambda es: json.dumps(table(_diagnostics(es))),
    "AzureDiagnostics rows": lambda es: json.dumps(_diagnostics(es), indent=2),
    "AzureDiagnostics CSV": lambda es: as_csv(_diagnostics(es)),
    "AKSAudit tables": lambda es: json.dumps(table([aks_row(e, as_text=True) for e in es])),
    "AKSAudit rows": lambda es: json.dumps([aks_row(e) for e in es], indent=2),
    "AKSAudit CSV": lambda es: as_csv([aks_row(e, as_text=True) for e in es]),
}


def members(parts: Sequence[bytes]) -> bytes:
    """Parts as members of one gzip file, as Firehose concatenates them."""
    return b"".join(map(gzip.compress, parts))


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    """Loaded, duplicates, filtered, rejected; they must add up."""
    reading = outcome.reading
    rejected = sum(reading.rejected.values())
    found = (reading.loaded, reading.duplicates, reading.filtered, rejected)
    assert reading.lines == sum(found)
    return found
