-- One row per cluster and window: what is compared.
create table if not exists incident (
    cluster varchar not null,
    time_window varchar not null,
    begins_at timestamp not null,
    ends_at timestamp not null,
    chosen_by varchar not null,
    reason varchar not null,
    primary key (cluster, time_window)
);
comment on table incident is 'The two windows that are compared, per cluster; half-open, UTC. Found from the load, or set by the user.';
comment on column incident.cluster is 'Cluster.';
comment on column incident.time_window is 'baseline or overload.';
comment on column incident.begins_at is 'First instant of the window, UTC.';
comment on column incident.ends_at is 'First instant after the window, UTC.';
comment on column incident.chosen_by is 'change-point: found from the load; user: set by hand.';
comment on column incident.reason is 'Why this window: the method and what it saw.';
