-- One row per workload or service account: how much the load of its own calls grew.
create or replace view growth_by_client as
with counted as (
    select
        requests.cluster, component, verb, resource, subresource, scope, time_window,
        workload,
        service_account(username) as account,
        count(*) as requests,
        any_value(epoch(ends_at - begins_at)) as window_s
    from requests
    join incident
        on incident.cluster = requests.cluster
        and received_at >= begins_at and received_at < ends_at
    where workload is not null or account is not null
    group by all
),
loads as (
    select
        cluster,
        split_part(client, '/', 1) as namespace,
        split_part(client, '/', 2) as service,
        time_window,
        sum(requests * unit_cost_s / window_s) as demand,
        sum(requests / window_s) as rps
    from (
        -- A service account counts under its own name too: it is what deploys often name.
        select *, unnest(list_distinct([workload, account])) as client
        from with_unit_cost('counted')
    )
    where client is not null
    group by all
)
select
    cluster, namespace, service,
    coalesce(sum(demand) filter (time_window = 'overload'), 0)
        - coalesce(sum(demand) filter (time_window = 'baseline'), 0) as growth_demand,
    coalesce(sum(rps) filter (time_window = 'overload'), 0)
        - coalesce(sum(rps) filter (time_window = 'baseline'), 0) as growth_rps
from loads
group by all;
comment on view growth_by_client is 'Growth of the load of each workload''s (or service account''s) own calls between the windows.';
comment on column growth_by_client.cluster is 'Cluster.';
comment on column growth_by_client.namespace is 'Namespace.';
comment on column growth_by_client.service is 'Workload, or service account.';
comment on column growth_by_client.growth_demand is 'Growth in demand: seconds of uncongested API server time per second.';
comment on column growth_by_client.growth_rps is 'Growth in requests per second.';
