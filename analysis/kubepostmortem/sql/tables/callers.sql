-- One row per distinct caller: user, user agent and shape of the URL.
create table if not exists callers (
    username varchar not null,
    user_agent varchar not null,
    shape varchar not null,
    component varchar not null,
    kind varchar not null,
    client_name varchar not null,
    client_version varchar,
    controller varchar,
    primary key (username, user_agent, shape)
);
comment on table callers is 'One row per distinct caller and the component that the rules of components.toml make of it.';
comment on column callers.username is 'Authenticated user; empty where the log has none.';
comment on column callers.user_agent is 'User-Agent header; empty where the log has none.';
comment on column callers.shape is 'What kind of URL was called: resource, metrics, probe, discovery or nonresource.';
comment on column callers.component is 'Component named by the rules.';
comment on column callers.kind is 'Kind of the component.';
comment on column callers.client_name is 'Client program named in the user agent.';
comment on column callers.client_version is 'Client version named in the user agent.';
comment on column callers.controller is 'Controller inside the component, where the client names one.';
