from __future__ import annotations

from datetime import datetime

import pytest

from kubepostmortem.sources import dns_probes

HEADER = "time,server,qname,outcome,rcode,answers,ms"


def test_reads_answers_and_failures(look, load, store):
    answered = "2024-12-11T22:51:00.5Z,10.0.0.10,web.shop.svc,ok,0,10.1.2.3,0.29"
    failed = "2024-12-11T22:51:01Z,10.0.0.10,web.shop.svc,TimeoutError,,,2000.1"

    load(dns_probes, look(f"{HEADER}\n{answered}\n{failed}\n"))

    first, second = store.rows("select * exclude ingest_id from dns_probes order by probed_at")
    assert first == {
        "cluster": "prod",
        "probed_at": datetime(2024, 12, 11, 22, 51, 0, 500_000),
        "server": "10.0.0.10",
        "qname": "web.shop.svc",
        "outcome": "ok",
        "rcode": "0",
        "answers": "10.1.2.3",
        "latency_ms": 0.29,
    }
    assert (second["outcome"], second["rcode"], second["answers"]) == ("TimeoutError", None, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-12-11T22:51:00,s,q,ok,0,1,1", "time without a zone"),
        (",s,q,ok,0,1,1", "no usable time"),
        ("2024-12-11T22:51:00Z,s,q,ok,0,1,fast", "ms is not a number"),
        ("2024-12-11T22:51:00Z,s,q", "cut off: the last line has no end"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected(look, load, row, reason):
    reading = load(dns_probes, look(f"{HEADER}\n{row}"))

    assert reading.rejected == {reason: 1}


def test_reads_what_a_real_probe_recorded(recorded, load, store):
    assert load(dns_probes, recorded("dns_probes.csv")).loaded == 9
    failed = "select count(*) from dns_probes where outcome = 'TimeoutError'"
    assert store.value(failed) == 4
