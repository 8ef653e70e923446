"""The model of an incident database: which relations there are, and how they are built."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import resources

# Tables that are made from others, one cluster at a time: a new model makes them anew.
DERIVED = ("intervals", "load_rollup", "class_costs", "unit_costs")
# Build order: DuckDB binds a view to what it reads when the view is created.
TABLES = (
    "model",
    "ingests",
    "redaction",
    "rejected_lines",
    "clusters",
    "incident",
    "callers",
    "requests",
    "http_log",
    "api_request_counts",
    "metric_series",
    "metric_samples",
    "deploys",
    "nodes",
    "workloads",
    "kube_events",
    "listed_objects",
    "flow_schemas",
    "priority_levels",
    "apiserver_config",
    "dns_probes",
    "timeline_notes",
    *DERIVED,
)
MACROS = (
    "audit_verb",
    "caller_group",
    "counted_as",
    "end_of_interval",
    "event_time",
    "feature_gate",
    "go_duration_ms",
    "how_many",
    "in_percent",
    "in_utc",
    "is_dns_process",
    "is_estimated_as_list",
    "is_long_running",
    "is_served_from_cache",
    "kubernetes_minor",
    "listed_bytes",
    "names_one_object",
    "node_of_identity",
    "objects_in_page",
    "objects_weighed",
    "outcome_of",
    "list_seats",
    "read_seats",
    "url_decoded",
    "query_parameter",
    "request_shape",
    "revision_of_pod",
    "service_account",
    "stage_rank",
    "url_shape",
    "verb_class",
    "with_unit_cost",
    "workload_of_pod",
    "write_linger_ns",
    "write_seats",
)
VIEWS = (
    "ledger",
    "latency_inflation",
    "new_nodes",
    "new_node_load",
    "server_versions",
    "program_versions",
    "client_versions",
    "version_changes",
    "enabled_features",
    "consistent_reads",
    "objects_count",
    "level_seats",
    "level_limits",
    "flow_control_changes",
    "seat_rules",
    "stored_objects",
    "list_sizes",
    "cluster_sizes",
    "watchers",
    "request_seats",
    "cell_seats",
    "request_load",
    "load_by_window",
    "load_growth",
    "load_by_interval",
    "load_series",
    "comparison",
    "comparison_bins",
    "load_in_bins",
    "throttled_requests",
    "open_requests",
    "overload_requests",
    "retries",
    "offered_load",
    "client_calls",
    "client_fan_out",
    "client_load_growth",
    "harm_over_time",
    "admin_requests",
    "admin_operations",
    "process_health",
    "overload_circumstances",
    "requests_with_flow",
    "growth_by_hour",
    "callers_first_seen",
    "workload_changes",
    "pods_first_seen",
    "rollouts",
    "rollout_doses",
    "deploy_steps",
    "deploy_candidates",
    "growth_by_client",
    "metric_rate",
    "apiserver_cpu",
    "counter_gains",
    "flow_control_samples",
    "seats_over_time",
    "in_flight_over_time",
    "refusals",
    "coverage_by_request",
    "coverage_by_window",
    "coverage",
    "policy_holes",
    "audit_stages",
    "audit_seconds",
    "audit_gaps",
    "sink_plateaus",
    "clock_skew",
    "audit_counters",
    "limits_of_inputs",
    "limits_of_counters",
    "limits_of_time",
    "evidence_limits",
    "availability_over_time",
    "availability_by_window",
    "lease_lapses",
    "followed_changes",
    "storage_load",
    "recovery_actions",
    "server_restarts",
    "dns_counters",
    "dns_lookups",
    "dns_outages",
    "dns_pods",
    "dns_restarts",
    "endpoint_lags",
    "timeline",
)
TABLE_MACROS = ("load_between",)
MODEL = tuple(
    f"{folder}/{name}"
    for folder, names in (
        ("tables", TABLES),
        ("macros", MACROS),
        ("views", VIEWS),
        ("macros", TABLE_MACROS),
    )
    for name in names
)

# Views that hand columns through, and where those columns are described.
COMMENTS_FROM = {
    "ledger": "ingests",
    "request_load": "requests",
    "throttled_requests": "requests",
    "open_requests": "requests",
    "overload_requests": "requests",
    "retries": "requests",
    "admin_requests": "requests",
    "requests_with_flow": "requests",
    "load_growth": "load_by_window",
    "limits_of_inputs": "evidence_limits",
    "limits_of_counters": "evidence_limits",
    "limits_of_time": "evidence_limits",
}


def statement(name: str) -> str:
    """Return the SQL text kept under this name, like views/load_growth."""
    return resources.files("kubepostmortem").joinpath("sql", f"{name}.sql").read_text("utf-8")


@cache
def fingerprint() -> str:
    """Return a digest of the whole model: a database that carries it needs no building."""
    text = "".join(statement(name) for name in MODEL)
    return sha256(text.encode()).hexdigest()
