"""Alert rules replayed: PromQL over recorded samples, evaluated as Prometheus does."""
