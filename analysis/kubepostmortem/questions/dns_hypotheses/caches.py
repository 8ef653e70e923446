"""Hypotheses about answers that run out: upstream resolvers, a time to live, node caches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kubepostmortem.questions.dns_hypotheses.cliffs import ANSWERS, HITS, Fitted, first_fall
from kubepostmortem.questions.dns_hypotheses.facts import Facts
from kubepostmortem.questions.dns_hypotheses.verdict import (
    CACHES,
    METRICS,
    PROBES,
    Verdict,
    clock,
)
from kubepostmortem.questions.question import Missing
from kubepostmortem.questions.words import number, percent, span

UPSTREAM = "The path to upstream resolvers failed"
CLIFF = "Cached answers ran out one by one, by their time to live (the cliff)"
MASKED = "Caches on the nodes hid that the cluster DNS failed"
FAILING = 0.05  # of the answers of upstream resolvers
STEADY = 2.0  # the pace of lookups may change by so many times before hits fall for another reason


def upstream(one: Facts) -> Verdict:
    """H4: names outside of the cluster fail, those inside do not."""
    failures = sum(row["failures"] - row["failures_before"] for row in one.lookups)
    inside = sum(row["in_cluster_failures"] for row in one.lookups)
    if one.counts("upstream failures", "upstream answers"):
        failed, answered = one.total("upstream failures"), one.total("upstream answers")
        share = failed / (failed + answered) if failed + answered else 0.0
        before = one.total("upstream failures", "before")
        numbers = {"failed": failed, "answered": answered, "failed_before": before}
        finding = f"{percent(share)} of {number(failed + answered)} upstream answers failed."
        bad = share > FAILING and failed > 2 * before
        return Verdict("H4", UPSTREAM, "supported" if bad else "contradicted", finding, numbers)
    if failures and inside >= failures:
        finding = f"All {failures} failed lookups are of names in the cluster."
        return Verdict("H4", UPSTREAM, "contradicted", finding, {"failures": failures})
    missing = Missing(
        "coredns_proxy_request_duration_seconds (before CoreDNS 1.11: coredns_forward_*)",
        METRICS.collect,
    )
    return Verdict("H4", UPSTREAM, "not testable", "No metric of forwarding.", missing=[missing])


def run_out(one: Facts, found: Sequence[Fitted]) -> Verdict:
    """H5: a straight fall over a time to live that began at the overload, with steady lookups."""
    cluster = [f for f in found if not f.is_node_cache]
    known = [f for f in cluster if f.cliff.shape != "too few" and f.share in (HITS, ANSWERS)]
    if not known:
        return Verdict("H5", CLIFF, "not testable", "No probes.", missing=[PROBES, CACHES])
    fall = first_fall(found)
    if fall is None:
        told = " ".join(_no_cliff(one, f) for f in known)
        missing = [] if any(f.share == HITS for f in known) else [CACHES]
        return Verdict("H5", CLIFF, "contradicted", told, missing=missing)
    told, numbers = _fell(fall), fall.facts
    latest = fall.bounds[1]
    tolerance = timedelta(seconds=max(one.interval_s, 10.0))
    if latest is not None and latest < one.overload_at - tolerance:
        return Verdict("H5", CLIFF, "contradicted", f"{told} It began too early.", numbers)
    if not _steady(fall):
        told += " Lookups changed as much at the same time, which moves hits as well."
        return Verdict("H5", CLIFF, "not testable", told, numbers, [PROBES])
    missing = [
        Missing("the configured TTL", "kubectl -n kube-system get configmap coredns -o yaml")
    ]
    return Verdict("H5", CLIFF, "supported", told, numbers, missing)


def _fell(fall: Fitted) -> str:
    cliff = fall.cliff
    assert cliff.before is not None and cliff.after is not None and fall.began_at is not None
    usual = f" That fits {' or '.join(fall.named_ttls)}." if fall.named_ttls else ""
    return (
        f"The share of {fall.share} fell in a straight line from {percent(cliff.before)} to "
        f"{percent(max(cliff.after, 0.0))}, from {clock(fall.began_at)}: a time to live of "
        f"{ttl(fall)}.{usual}"
    )


def ttl(fall: Fitted) -> str:
    """Write a fitted time to live with its interval."""
    cliff = fall.cliff
    assert cliff.ttl_s is not None and cliff.ttl_low_s is not None
    most = "or more" if cliff.ttl_high_s is None else f"to {number(cliff.ttl_high_s)} s"
    return f"{number(cliff.ttl_s)} s ({number(cliff.ttl_low_s)} s {most})"


def _steady(fall: Fitted) -> bool:
    before, after = fall.before_per_s, fall.after_per_s
    if fall.share != HITS or not before or not after:
        return True
    return 1 / STEADY <= after / before <= STEADY


def _no_cliff(one: Facts, found: Fitted) -> str:
    shape = found.cliff.shape
    if shape == "step" and found.began_at is not None:
        assert found.cliff.before is not None and found.cliff.after is not None
        return (
            f"The share of {found.share} fell at once, at {clock(found.began_at)}, from "
            f"{percent(found.cliff.before)} to {percent(found.cliff.after)}: caches that run out "
            "fall gradually."
        )
    if shape == "other":
        return f"The share of {found.share} changed, but not in one straight fall: no TTL fits."
    length = span((one.ends_at - one.overload_at).total_seconds())
    return f"The share of {found.share} did not fall in {length} of overload, nor after a TTL."


def masked(one: Facts, found: Sequence[Fitted]) -> Verdict:
    """H6: hits of node caches are steady until a time to live has passed, and then fall."""
    caches = [f for f in found if f.is_node_cache and f.cliff.shape != "too few"]
    if not caches:
        missing = Missing("coredns_cache_* of the node caches (port 9253)", METRICS.collect)
        finding = "No metrics of caches on the nodes; there may be none."
        return Verdict("H6", MASKED, "not testable", finding, missing=[missing])
    falls = [f for f in caches if f.cliff.shape == "cliff" and f.began_at]
    late = [f for f in falls if f.began_at and f.began_at >= one.overload_at]
    numbers = {"node_caches": len(caches), "with_a_cliff": len(late)}
    if not late:
        finding = f"Hits of none of {len(caches)} node caches ran out."
        return Verdict("H6", MASKED, "contradicted", finding, numbers)
    times = sorted(f.began_at for f in late if f.began_at)
    apart = (times[-1] - times[0]).total_seconds()
    finding = (
        f"Hits of {len(late)} of {len(caches)} node caches ran out, beginning within "
        f"{span(apart)} of each other from {clock(times[0])}, {ttl(late[0])}."
    )
    status = "supported" if len(late) * 2 >= len(caches) else "contradicted"
    return Verdict("H6", MASKED, status, finding, numbers | {"apart_s": apart})  # type: ignore[arg-type]
