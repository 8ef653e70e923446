-- One row per class of requests and span of time: what answered requests of the class took.
create or replace table class_costs (
    cluster varchar not null,
    component varchar not null,
    verb varchar,
    resource varchar,
    subresource varchar,
    scope varchar not null,
    span varchar not null,
    answered bigint not null,
    cost_ms double
);
comment on table class_costs is 'Latency without queue wait that a tenth of the answered requests of a class stays below, over the whole log and in each window: what unit_costs are made of.';
comment on column class_costs.cluster is 'Cluster.';
comment on column class_costs.component is 'Component.';
comment on column class_costs.verb is 'Verb.';
comment on column class_costs.resource is 'Resource; null: non-resource URL.';
comment on column class_costs.subresource is 'Subresource.';
comment on column class_costs.scope is 'Scope.';
comment on column class_costs.span is 'log: all requests; baseline or overload: those of that window.';
comment on column class_costs.answered is 'Answered requests that the cost is taken from.';
comment on column class_costs.cost_ms is 'Tenth percentile, milliseconds, to 5 % where there are many requests; null: none was answered, or they are long-running.';
