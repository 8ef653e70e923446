-- A time of an audit event; null where it cannot be one.
create or replace macro event_time(stamp) as
-- Go writes the year 1 for no time at all, and nothing is older than Kubernetes. Years of five
-- digits and those that leave no room for a window around them are no times of ours either.
case when stamp >= timestamp '2014-01-01' and stamp < timestamp '2200-01-01' then stamp end;
comment on macro event_time is 'A time of an audit event; null where it cannot be one (older than Kubernetes, or of 2200 and later).';
