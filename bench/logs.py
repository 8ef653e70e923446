"""Audit logs to measure with: the recorded sample repeated, plain and in every wrapping."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

SAMPLE = Path(__file__).parent.parent / "data/telemetry-rollout/audit"
AUDIT_ID = re.compile(rb'"auditID":"([0-9a-f]{8})')
DAY = date(2026, 11, 24)  # of the recording

Event = bytes


def write_log(log: Path, gigabytes: float) -> None:
    """Repeat the sample, each copy with fresh audit IDs and a day later, up to the wanted size."""
    sample = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(SAMPLE.iterdir()))
    with log.open("wb") as out:
        for copy in _copies(sample):
            if out.tell() >= gigabytes * 1e9:
                return
            out.write(copy)


def _copies(sample: bytes) -> Iterator[bytes]:
    number = 0
    while True:
        mask = number * 0x9E3779B1 & 0xFFFFFFFF
        day = DAY + timedelta(days=number)
        later = sample.replace(f'"{DAY}T'.encode(), f'"{day}T'.encode())
        yield AUDIT_ID.sub(lambda m, x=mask: b'"auditID":"%08x' % (int(m[1], 16) ^ x), later)
        number += 1


def _event_list(events: list[Event]) -> Iterator[bytes]:
    for first in range(0, len(events), 100):
        items = b",".join(events[first : first + 100])
        yield b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[' + items + b"]}\n"


def _array(events: list[Event]) -> Iterator[bytes]:
    yield b"[" + b",\n".join(events) + b"]"


def _eks(events: list[Event]) -> Iterator[bytes]:
    yield b'{"events":['
    for number, event in enumerate(events):
        entry = {
            "logStreamName": "kube-apiserver-audit-1",
            "timestamp": 1733957589871,
            "message": event.decode(),
            "eventId": str(number),
        }
        yield (b"," if number else b"") + json.dumps(entry).encode()
    yield b"]}"


def _aks(events: list[Event]) -> Iterator[bytes]:
    for event in events:
        properties = {"log": event.decode(), "pod": "kube-apiserver-1"}
        entry = {"category": "kube-audit", "time": "2026-11-24T00:00:00Z", "properties": properties}
        yield json.dumps(entry).encode() + b"\n"


def _gke(events: list[Event]) -> Iterator[bytes]:
    for text in events:
        event = json.loads(text)
        reference = event.get("objectRef", {})
        group, version = reference.get("apiGroup", "core"), reference.get("apiVersion", "v1")
        resource = reference.get("resource", "readyz")
        payload = {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": event["user"].get("username")},
            "methodName": f"io.k8s.{group}.{version}.{resource}.{event['verb']}",
            "requestMetadata": {
                "callerIp": event["sourceIPs"][0],
                "callerSuppliedUserAgent": event.get("userAgent"),
            },
            "resourceName": f"{group}/{version}/{resource}",
            "serviceName": "k8s.io",
            "status": {},
        }
        entry = {
            "insertId": event["auditID"][:12],
            "labels": {"authorization.k8s.io/decision": "allow"},
            "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access",
            "operation": {"first": True, "id": event["auditID"], "last": True},
            "protoPayload": payload,
            "receiveTimestamp": event["stageTimestamp"],
            "timestamp": event["requestReceivedTimestamp"],
        }
        yield json.dumps(entry).encode() + b"\n"


WRAPPINGS: Mapping[str, Callable[[list[Event]], Iterator[bytes]]] = {
    "EventList": _event_list,
    "JSON array": _array,
    "EKS filter-log-events": _eks,
    "AKS storage": _aks,
    "GKE Cloud Logging": _gke,
}


def wrap(log: Path, name: str, to: Path) -> None:
    """Write the events of a log in this wrapping."""
    with to.open("wb") as out:
        out.writelines(WRAPPINGS[name](log.read_bytes().splitlines()))
