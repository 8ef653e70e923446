-- One row per cluster, component and evaluation: how much more it sends than it did before.
create or replace view client_load_growth as
with steps as (
    select cluster, unnest(generate_series(time_bucket(interval 30 second, begins_at),
        time_bucket(interval 30 second, ends_at), interval 30 second)) as step_at
    from intervals
),
counted as (
    select cluster, component, time_bucket(interval 30 second, interval_at) as step_at,
        sum(requests)::double as requests
    from load_rollup
    group by all
),
dense as (
    select cluster, component, step_at, coalesce(requests, 0) as requests
    from steps
    join (select distinct cluster, component from counted) using (cluster)
    left join counted using (cluster, component, step_at)
),
compared as (
    select cluster, component, step_at,
        avg(requests) over (before rows between 1 preceding and current row) as now,
        -- The last minute but one is the end of what was before; half of the steps decide.
        median(requests) over (before rows between 21 preceding and 2 preceding) as usual,
        count(*) over (before rows between 21 preceding and 2 preceding) as steps_before
    from dense
    window before as (partition by cluster, component order by step_at)
)
select cluster, component, step_at + interval 30 second as evaluated_at,
    now / 30 as requests_per_s,
    usual / 30 as usual_per_s,
    (now - usual) / nullif(sum(usual) over (partition by cluster, step_at), 0) as value
from compared
-- A minute of history at least: nobody has grown before anything is known.
where steps_before >= 2
qualify value is not null;
comment on view client_load_growth is 'How much more each component sends than it did before, every 30 seconds: what an early alert rule over the audit log evaluates.';
comment on column client_load_growth.cluster is 'Cluster.';
comment on column client_load_growth.component is 'Component.';
comment on column client_load_growth.evaluated_at is 'When the rule is evaluated, UTC; it knows what was received before.';
comment on column client_load_growth.requests_per_s is 'Requests per second of the last minute.';
comment on column client_load_growth.usual_per_s is 'Median of the ten minutes before that, in steps of 30 seconds, or of what there is of them.';
comment on column client_load_growth.value is 'The difference, as a part of what all components usually send together.';
