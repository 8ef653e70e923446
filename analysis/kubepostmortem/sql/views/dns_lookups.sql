-- One row per DNS lookup by a probing client, with what came of it.
create or replace view dns_lookups as
select
    cluster, probed_at, coalesce(server, '') as server, qname, latency_ms,
    case
        when regexp_matches(coalesce(outcome, ''), '(?i)time.?d?.?out|deadline') then 'time-out'
        when upper(rcode) in ('2', 'SERVFAIL') then 'SERVFAIL'
        when upper(rcode) in ('3', 'NXDOMAIN') then 'no such name'
        when upper(rcode) in ('0', 'NOERROR') then 'answered'
        when rcode is null and lower(outcome) in ('ok', 'success', 'answered') then 'answered'
        else 'other failure'
    end as came_of_it,
    came_of_it not in ('answered', 'no such name') as failed,
    regexp_matches(lower(coalesce(qname, '')), '\.svc\.?$|\.svc\.|\.cluster\.local\.?$') as in_cluster
from dns_probes;
comment on view dns_lookups is 'DNS lookups by probing clients, and what came of each.';
comment on column dns_lookups.cluster is 'Cluster.';
comment on column dns_lookups.probed_at is 'When the lookup began, UTC.';
comment on column dns_lookups.server is 'DNS server asked; empty where the probe does not tell.';
comment on column dns_lookups.qname is 'Name asked for.';
comment on column dns_lookups.latency_ms is 'Time to answer or failure, milliseconds.';
comment on column dns_lookups.came_of_it is 'answered, no such name, SERVFAIL, time-out or other failure.';
comment on column dns_lookups.failed is 'True for all but answered and no such name.';
comment on column dns_lookups.in_cluster is 'True for names of services and pods of the cluster, which no upstream resolver answers.';
