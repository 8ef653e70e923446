-- One row per run of lookups at one DNS server that all failed: an outage as a client saw it.
create or replace view dns_outages as
with marked as (
    select
        *,
        count(*) filter (not failed) over (
            partition by cluster, server order by probed_at, qname
            rows between unbounded preceding and current row) as answers_before,
        lead(probed_at) over (partition by cluster, server order by probed_at, qname) as next_at
    from dns_lookups
)
select
    cluster, server,
    min(probed_at) filter (failed) as began_at,
    max(probed_at) filter (not failed) as last_answer_at,
    arg_max_null(next_at, probed_at) as next_answer_at,
    count(*) filter (failed) as failures,
    count(*) filter (came_of_it = 'time-out') as time_outs,
    count(*) filter (came_of_it = 'SERVFAIL') as servfails
from marked
group by cluster, server, answers_before
having count(*) filter (failed) > 0
order by began_at, cluster, server;
comment on view dns_outages is 'Runs of failed lookups at one DNS server, as probing clients saw them, and the answers before and after.';
comment on column dns_outages.cluster is 'Cluster.';
comment on column dns_outages.server is 'DNS server asked.';
comment on column dns_outages.began_at is 'First lookup that failed, UTC.';
comment on column dns_outages.last_answer_at is 'Last lookup before it that was answered, UTC; null: none was.';
comment on column dns_outages.next_answer_at is 'First lookup after it that was answered, UTC; null: none until the end of the evidence.';
comment on column dns_outages.failures is 'Lookups that failed.';
comment on column dns_outages.time_outs is 'Of these, without any answer.';
comment on column dns_outages.servfails is 'Of these, answered SERVFAIL.';
