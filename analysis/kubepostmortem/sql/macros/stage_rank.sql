-- Order of the audit stages, 1 to 4; null for a stage that Kubernetes does not have.
create or replace macro stage_rank(stage) as
case stage
    when 'RequestReceived' then 1
    when 'ResponseStarted' then 2
    when 'ResponseComplete' then 3
    when 'Panic' then 4
end;
comment on macro stage_rank is 'Order of the audit stages, 1 to 4; null for a stage that Kubernetes does not have.';
