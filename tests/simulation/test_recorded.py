"""What the log shows of an overload: tries, refusals, answers, how many requests execute."""

from __future__ import annotations

import polars as pl
import pytest

from kubepostmortem.questions.question import Inquiry
from kubepostmortem.simulation.load import Suspect
from kubepostmortem.simulation.recorded import Recorded, lag_of_retries, recorded
from kubepostmortem.store import Store
from planted import at, request
from simulation.planted_calls import ADMIN, LEASE, OTEL, WAITED, calls, even
from simulation.planted_loads import BEGIN_NS, SECOND

PODS = {"verb": "list", "resource": "pods"}


def shown(store: Store, suspect: Suspect | None = None, begins: float = 0) -> Recorded:
    span = (at(begins).isoformat(), at(100).isoformat())
    return recorded(Inquiry(store), "prod", *span, suspect)


def of_group(found: Recorded, group: str) -> dict[str, object]:
    return found.by_group.row(by_predicate=pl.col("caller_group") == group, named=True)


def lag_s(store: Store) -> float:
    return lag_of_retries(Inquiry(store), "prod", str(at(0)), str(at(300)))


def test_tries_are_counted_apart_from_calls(read, store: Store) -> None:
    read([*calls((1, 429), (2.5, 429), (5, 200), (20, 404), (30, 504), **ADMIN)])

    told = of_group(shown(store), "admins")
    told_of = [told[name] for name in ("tries", "refused", "answered", "calls")]
    assert told_of == [5, 2, 2, 3]
    assert shown(store).refused_share == 0.4


def test_service_times_are_of_what_succeeded_without_waits(read, store: Store) -> None:
    waited = {"annotations": {WAITED: "1s"}}
    read(
        [
            *calls((1, 200, 1.2), **ADMIN, **waited),
            *calls((2, 200, 0.4), (3, 404, 9.0), (4, 429, 3.0), **ADMIN),
        ]
    )

    told = of_group(shown(store), "admins")
    assert told["p50_ms"] == pytest.approx(300)


def test_streams_and_strangers_are_left_out(read, store: Store) -> None:
    (stranger,) = calls((9, 401), **ADMIN)
    del stranger["user"]["username"]
    read(
        [
            *calls((1, 200), (2, 200), **ADMIN),
            *calls((3, 101, 60.0), subresource="exec", **ADMIN),
            *calls((4, 200, 60.0), **OTEL | {"verb": "watch"}),
            *request("open", received=5, stages=("RequestReceived",), **OTEL, **PODS),
            stranger,
        ]
    )

    found = shown(store)

    told = of_group(found, "admins")
    assert (told["tries"], told["calls"]) == (2, 2)
    assert found.by_group["tries"].sum() == 3
    assert found.executing["executing"].to_list() == [pytest.approx(0.002)]


def test_executing_is_the_mean_number_at_a_time(read, store: Store) -> None:
    """Two requests a second that take half a second each; then two a second that take 2 s."""
    long = [(t, 200, 2.0) for t, _ in even(10, 20, 0.5)]
    short = [(t, 200, 0.5) for t, _ in even(0, 10, 0.5)]
    read([*calls(*short, *long, (21, 429, 5.0), **OTEL, **PODS)])

    assert shown(store).executing.rows() == [
        (BEGIN_NS, pytest.approx(1.0)),
        (BEGIN_NS + 10 * SECOND, pytest.approx(4.0)),
    ]


def test_the_culprit_is_a_group_of_its_own(read, store: Store) -> None:
    read([*calls((1, 200), **OTEL, **PODS), *calls((2, 200), **LEASE)])

    found = shown(store, Suspect("otel-agent", ("list",)))

    assert found.by_group["caller_group"].to_list() == ["culprit", "kubelet leases"]
    assert found.by_group["calls"].to_list() == [1, 1]


def test_only_the_span_is_shown(read, store: Store) -> None:
    read([*calls((9.999, 200), (10, 200), (99.999, 200), (100, 200), **OTEL)])

    assert shown(store, begins=10).by_group["tries"].to_list() == [2]


def test_an_empty_span_has_no_refusals(store: Store) -> None:
    found = shown(store)

    assert (found.by_group.is_empty(), found.refused_share) == (True, 0.0)


@pytest.mark.parametrize(
    ("pause", "clients", "lag"), [(1.3, 20, 0.3), (0.5, 20, 0.0), (2, 19, 0.0)]
)
def test_retries_later_than_told_have_a_lag(
    read, store: Store, pause: float, clients: int, lag: float
) -> None:
    for n in range(clients):
        asked = OTEL | {"pod": f"otel-agent-{n:05}"}
        read([*calls((n, 429, 0.0), (n + pause, 200), **asked)], f"{n}.log")

    assert lag_s(store) == pytest.approx(lag, abs=0.01)
