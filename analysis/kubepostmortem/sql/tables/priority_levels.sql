-- One row per PriorityLevelConfiguration object.
create table if not exists priority_levels (
    cluster varchar not null,
    name varchar not null,
    type varchar,
    nominal_shares integer,
    lendable_percent integer,
    borrowing_limit_percent integer,
    limit_response varchar,
    queues integer,
    hand_size integer,
    queue_length_limit integer,
    ingest_id integer not null,
    primary key (cluster, name)
);
comment on table priority_levels is 'One row per PriorityLevelConfiguration of API Priority and Fairness.';
comment on column priority_levels.cluster is 'Cluster.';
comment on column priority_levels.name is 'Name of the priority level.';
comment on column priority_levels.type is 'Limited or Exempt.';
comment on column priority_levels.nominal_shares is 'nominalConcurrencyShares.';
comment on column priority_levels.lendable_percent is 'lendablePercent.';
comment on column priority_levels.borrowing_limit_percent is 'borrowingLimitPercent; null: no limit.';
comment on column priority_levels.limit_response is 'What happens at the limit: Queue or Reject.';
comment on column priority_levels.queues is 'Number of queues.';
comment on column priority_levels.hand_size is 'Hand size of shuffle sharding.';
comment on column priority_levels.queue_length_limit is 'Longest queue allowed.';
comment on column priority_levels.ingest_id is 'File that the row was read from: ingests.ingest_id.';
