-- What one request of a class costs an uncongested API server.
create or replace view unit_costs as
-- The tenth percentile of the time that answered requests took outside queues: under overload
-- everybody's latency grows, and a mean would charge the victims for it.
select *, coalesce(quiet_cost_ms, overall_cost_ms) as unit_cost_ms
from (
    select
        requests.cluster, component, verb, resource, subresource, scope,
        count(*) as answered,
        quantile_cont(server_ms, 0.1) as overall_cost_ms,
        quantile_cont(server_ms, 0.1)
            filter (received_at >= quiet.begins_at and received_at < quiet.ends_at)
            as quiet_cost_ms
    from (
        select
            *,
            -- Of a watch only the start is work of its own; its lifetime is no cost.
            greatest(
                if(verb = 'watch', (epoch_us(started_at) - epoch_us(received_at)) / 1e3, latency_ms)
                - coalesce(apf_queue_wait_ms, 0), 0) as server_ms
        from requests
        where code < 400
            and (not is_long_running(verb, subresource)
                or verb = 'watch' and started_at is not null)
    ) as requests
    left join incident as quiet
        on quiet.cluster = requests.cluster and quiet.time_window = 'baseline'
    group by all
);
comment on view unit_costs is 'What one request of a class costs an uncongested API server: the tenth percentile of latency without queue wait, over answered requests; of a watch, the time to its start. Other long-running requests have none.';
comment on column unit_costs.cluster is 'Cluster.';
comment on column unit_costs.component is 'Component.';
comment on column unit_costs.verb is 'Verb.';
comment on column unit_costs.resource is 'Resource; null: non-resource URL.';
comment on column unit_costs.subresource is 'Subresource.';
comment on column unit_costs.scope is 'Scope.';
comment on column unit_costs.overall_cost_ms is 'Cost over the whole log, milliseconds.';
comment on column unit_costs.quiet_cost_ms is 'Cost in the baseline window, milliseconds; null where the class was not seen there.';
comment on column unit_costs.unit_cost_ms is 'Cost used: of the baseline where there is one, else of the whole log, milliseconds.';
comment on column unit_costs.answered is 'Answered requests that the cost is taken from.';
