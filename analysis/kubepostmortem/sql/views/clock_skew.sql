-- One row per pair of API servers that both logged the same requests: how far their clocks differ.
create or replace view clock_skew as
with shared as (
    select one.cluster, one.apiserver, other.apiserver as other_apiserver,
        -- What an aggregated server does lies within what the one before it does, whichever it is.
        epoch_us(other.received_at) - epoch_us(one.received_at) as received_us,
        epoch_us(other.finished_at) - epoch_us(one.finished_at) as finished_us
    from requests as one
    join requests as other
        on other.cluster = one.cluster and other.audit_id = one.audit_id
        and other.apiserver > one.apiserver
    where one.finished_at is not null and other.finished_at is not null
        -- Clients may send an Audit-ID of their own, again and again.
        and abs(received_us) < 60e6
)
select
    cluster, apiserver, other_apiserver, count(*) as shared_requests,
    -- Tails are left out: one reused Audit-ID must not decide.
    quantile_cont(least(received_us, finished_us), 0.95) / 1e3 as least_ms,
    quantile_cont(greatest(received_us, finished_us), 0.05) / 1e3 as most_ms
from shared
group by all
order by all;
comment on view clock_skew is 'How far the clock of one API server is ahead of another: bounds from requests that both logged, a front server and an aggregated one. The inner request lies within the outer one.';
comment on column clock_skew.cluster is 'Cluster.';
comment on column clock_skew.apiserver is 'One API server.';
comment on column clock_skew.other_apiserver is 'The other one.';
comment on column clock_skew.shared_requests is 'Requests that both logged, by audit ID and within a minute.';
comment on column clock_skew.least_ms is 'Lower bound of how far the other clock is ahead of the one, milliseconds; negative: behind.';
comment on column clock_skew.most_ms is 'Upper bound; below the lower one where the clocks drifted.';
