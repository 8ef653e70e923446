-- One row per interval, cell of load and class of status codes: requests, counted once at ingest.
create or replace table load_rollup (
    cluster varchar not null,
    interval_at timestamp not null,
    component varchar not null,
    kind varchar not null,
    verb varchar,
    resource varchar,
    subresource varchar,
    scope varchar not null,
    code_class varchar not null,
    requests bigint not null,
    request_s double not null,
    queue_wait_s double not null
);
comment on table load_rollup is 'Requests per interval, component, verb, resource, scope and class of status codes: what the views of load read in place of requests. Filled when an ingest ends.';
comment on column load_rollup.cluster is 'Cluster.';
comment on column load_rollup.interval_at is 'Beginning of the interval, UTC; intervals.rollup_s seconds.';
comment on column load_rollup.component is 'Component.';
comment on column load_rollup.kind is 'Kind of the component.';
comment on column load_rollup.verb is 'Verb.';
comment on column load_rollup.resource is 'Resource; null: non-resource URL.';
comment on column load_rollup.subresource is 'Subresource.';
comment on column load_rollup.scope is 'Scope.';
comment on column load_rollup.code_class is '2xx, 3xx, 4xx without 429, 429, 5xx; open: no status code.';
comment on column load_rollup.requests is 'Requests received in the interval.';
comment on column load_rollup.request_s is 'Their latency, seconds; 0 for long-running requests.';
comment on column load_rollup.queue_wait_s is 'Of it queued by API Priority and Fairness, seconds; known of requests slower than 500 ms.';
