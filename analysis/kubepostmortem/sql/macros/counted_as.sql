-- The verb under which a request is reconciled, where releases and the audit log differ in it.
create or replace macro counted_as(verb, subresource) as
case
    -- Counted as CONNECT or under the HTTP method.
    when coalesce(subresource in ('attach', 'exec', 'portforward', 'proxy'), false) then 'connect'
    -- Counted as DELETE or as DELETECOLLECTION.
    when verb = 'deletecollection' then 'delete'
    else verb
end;
comment on macro counted_as is 'Audit verb under which a request is reconciled with the request counter, where releases label it differently: connect for streams (attach, exec, portforward, proxy), delete for deletecollection.';
