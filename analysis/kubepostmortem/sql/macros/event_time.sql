-- A time of an audit event; null where it cannot be one.
create or replace macro event_time(stamp) as
-- Go writes the year 1 for no time at all, and nothing is older than Kubernetes.
case when stamp >= timestamp '2014-01-01' and isfinite(stamp) then stamp end;
comment on macro event_time is 'A time of an audit event; null where it cannot be one (infinite, or older than Kubernetes).';
