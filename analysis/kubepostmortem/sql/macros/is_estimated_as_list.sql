-- Reads that the API server estimates by the objects they go through.
create or replace macro is_estimated_as_list(
    verb, resource_version, send_initial_events, minor, watch_lists
) as
case
    when verb = 'list' then true
    when verb <> 'watch' or not watch_lists then false
    -- A watch that goes on from a version it knows is sent no collection.
    else send_initial_events or (minor >= 34 and coalesce(resource_version, '0') = '0')
end;
comment on macro is_estimated_as_list is 'True for reads that the API server estimates by the objects they go through: lists, and watches that are sent the whole collection first.';
