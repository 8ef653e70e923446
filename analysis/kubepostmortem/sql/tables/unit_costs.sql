-- One row per class of requests: what one of them costs an uncongested API server.
create or replace table unit_costs (
    cluster varchar not null,
    component varchar not null,
    verb varchar,
    resource varchar,
    subresource varchar,
    scope varchar not null,
    answered bigint not null,
    overall_cost_ms double,
    quiet_cost_ms double,
    overload_cost_ms double,
    unit_cost_ms double
);
comment on table unit_costs is 'What one request of a class costs an uncongested API server: the tenth percentile of latency without queue wait, over answered requests; of a watch, the time to its start. Other long-running requests have none. Filled when an ingest ends and when windows change.';
comment on column unit_costs.cluster is 'Cluster.';
comment on column unit_costs.component is 'Component.';
comment on column unit_costs.verb is 'Verb.';
comment on column unit_costs.resource is 'Resource; null: non-resource URL.';
comment on column unit_costs.subresource is 'Subresource.';
comment on column unit_costs.scope is 'Scope.';
comment on column unit_costs.answered is 'Answered requests in the whole log.';
comment on column unit_costs.overall_cost_ms is 'Cost over the whole log, milliseconds.';
comment on column unit_costs.quiet_cost_ms is 'Cost in the baseline window, milliseconds; null where the class was not seen there.';
comment on column unit_costs.overload_cost_ms is 'Cost in the overload window, milliseconds; null where the class was not seen there.';
comment on column unit_costs.unit_cost_ms is 'Cost used, milliseconds: of the baseline; where the class was not seen there, of the overload without its latency_inflation, or of the whole log if that is less; where none was answered, the median of others with this verb, resource and scope.';
