-- The span of a cluster's requests, and the widths of the intervals that its load is counted in.
insert into intervals by name
select *, least(interval_s, 10) as rollup_s
from (
    -- The finest round width that divides the span into at most 240 parts.
    select
        *,
        coalesce((
            select min(width)
            from unnest([1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800]) as widths(width)
            where width * 240 >= epoch(ends_at - begins_at)
        ), 3600 * ceil(epoch(ends_at - begins_at) / 3600 / 240))::integer as interval_s
    from (
        select
            cluster,
            min(received_at) as begins_at,
            max(received_at) as ends_at,
            count(*) as requests,
            sum(stages_seen) as stages
        from requests
        where cluster = $cluster
        group by cluster
    )
)
