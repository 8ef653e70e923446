-- One row per DNS lookup by a probing client.
create table if not exists dns_probes (
    cluster varchar not null,
    probed_at timestamp not null,
    server varchar,
    qname varchar,
    outcome varchar,
    rcode varchar,
    answers varchar,
    latency_ms double,
    ingest_id integer not null
);
comment on table dns_probes is 'One row per DNS lookup made by a probing client.';
comment on column dns_probes.cluster is 'Cluster.';
comment on column dns_probes.probed_at is 'When the lookup began, UTC.';
comment on column dns_probes.server is 'DNS server asked.';
comment on column dns_probes.qname is 'Name asked for.';
comment on column dns_probes.outcome is 'ok, or the error of the client.';
comment on column dns_probes.rcode is 'DNS response code, where there was a response.';
comment on column dns_probes.answers is 'Answers, as the probe wrote them.';
comment on column dns_probes.latency_ms is 'Time to answer or failure, milliseconds.';
comment on column dns_probes.ingest_id is 'File that the row was read from: ingests.ingest_id.';
