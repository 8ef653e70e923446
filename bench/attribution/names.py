"""Names of agents and scripts that a cluster may not have had before."""

AGENTS = (
    ("otel-agent", "telemetry"), ("grafana-alloy", "telemetry"), ("telegraf", "telemetry"),
    ("pixie", "telemetry"), ("beyla", "telemetry"), ("vmagent", "telemetry"),
    ("cloudwatch-agent", "telemetry"), ("promtail", "logging"), ("vector", "logging"),
    ("filebeat", "logging"), ("sysdig", "security"), ("trivy-node", "security"),
)  # fmt: skip

SCRIPTS = (
    ("terraform", "ci"), ("ansible", "ci"), ("jenkins", "ci"), ("inventory-script", "unknown"),
    ("bob@example.com", "human"), ("cost-report", "telemetry"), ("k9s", "human"),
)  # fmt: skip
