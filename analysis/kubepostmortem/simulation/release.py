"""The release of an API server, and by which rules it estimates requests."""

from __future__ import annotations

from kubepostmortem.errors import MissingEvidence
from kubepostmortem.flowcontrol.work import WidthRules
from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.setting import Origin, Setting

RULES = """
select minor, minor_from, by_size, watch_lists, consistent_lists
from seat_rules
where cluster = $cluster
"""
KNOWN: dict[str, tuple[Origin, str]] = {
    "metric": ("metrics", "kubernetes_build_info names it."),
    "user agent": ("audit log", "User agents of the control plane name it."),
    "assumed": ("release defaults", "No source names the version: this one is assumed."),
}


def rules_in_force(asks: Asks, cluster: str) -> tuple[Setting, WidthRules]:
    """Return the version as a setting, and the rules. Raises MissingEvidence without a cluster."""
    rows = asks.frame("rules by which seats are estimated", RULES, cluster=cluster).to_dicts()
    if not rows:
        raise MissingEvidence("clusters", f"ingest evidence of cluster {cluster}")
    (row,) = rows
    origin, detail = KNOWN[row.pop("minor_from")]
    return Setting("Kubernetes version", f"1.{row['minor']}", origin, detail), WidthRules(**row)
