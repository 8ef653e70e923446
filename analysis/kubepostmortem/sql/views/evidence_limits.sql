-- One row per limit of the evidence: what it could not have shown, and how much that matters.
create or replace view evidence_limits as
select cluster, limit_kind, severity, subject, began_at, ended_at, share::double as share, says
from (
    from limits_of_inputs
    union all by name
    from limits_of_counters
    union all by name
    from limits_of_time
)
order by
    cluster, list_position(['blinds', 'weakens', 'info'], severity), limit_kind, began_at, subject;
comment on view evidence_limits is 'Could this evidence have shown the cause? One row per limit found; docs/coverage.md has the rule of each.';
comment on column evidence_limits.cluster is 'Cluster.';
comment on column evidence_limits.limit_kind is 'What kind of limit: no audit log, policy hole, log gap, ...';
comment on column evidence_limits.severity is 'info: good to know; weakens: answers are one step less sure; blinds: what matters may not be in the evidence.';
comment on column evidence_limits.subject is 'What it is about: a format, verb and resource, an API server, a stage, a window.';
comment on column evidence_limits.began_at is 'Since when it holds, UTC; null: throughout.';
comment on column evidence_limits.ended_at is 'Until when it holds, UTC; null: throughout.';
comment on column evidence_limits.share is 'How much: the part that is there (coverage, holes, events) or affected (rejected, cut, level None).';
comment on column evidence_limits.says is 'The limit in one sentence.';
