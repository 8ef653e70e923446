-- How a read asks for data, in words: what makes one list cheap and another expensive.
create or replace macro request_shape(
    verb, scope, page_limit, continues, resource_version, field_selector, label_selector,
    send_initial_events
) as
case
    when verb = 'watch' and send_initial_events then 'watch with initial list'
    when verb = 'watch' then 'watch'
    when verb = 'get' then 'get one object'
    when verb <> 'list' then verb
    when field_selector is not null or label_selector is not null then 'list with selector'
    when page_limit is not null or continues then 'list in pages'
    when resource_version = '0' then 'list all, from cache'
    when scope = 'namespace' then 'list a namespace'
    else 'list all, most recent'
end;
comment on macro request_shape is 'How a read asks for data: get, watch, list in pages, list all from cache (resourceVersion=0), list all, most recent, ...';
