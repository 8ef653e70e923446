-- Windows of a cluster reach from the beginning of an interval of its load to the end of one.
update incident
set begins_at = time_bucket(to_seconds(rollup_s), incident.begins_at),
    ends_at = end_of_interval(incident.ends_at, rollup_s)
from intervals
where intervals.cluster = incident.cluster and incident.cluster = $cluster
