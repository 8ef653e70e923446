-- Pod-template hash in the name of a Deployment's pod: the part before its last one.
create or replace macro revision_of_pod(pod) as
-- A number there is the time at which a CronJob made its Job.
nullif(regexp_extract(regexp_extract(
    pod, '-([bcdfghjklmnpqrstvwxz2456789]{6,10})-[bcdfghjklmnpqrstvwxz2456789]{5}$', 1),
    '^.*[a-z].*$'), '');
comment on macro revision_of_pod is 'Pod-template hash in the name of a Deployment''s pod; null where the name has none.';
