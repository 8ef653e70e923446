-- The audit verb of a verb label of API server metrics.
create or replace macro audit_verb(metric_verb) as
case upper(metric_verb)
    when 'POST' then 'create'
    when 'PUT' then 'update'
    when 'APPLY' then 'patch'
    when 'WATCHLIST' then 'watch'
    else lower(metric_verb)
end;
comment on macro audit_verb is 'Audit verb (create, update, ...) of a verb label of API server metrics (POST, PUT, ...).';
