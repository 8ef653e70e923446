-- Requests that stay open by design; their duration is no latency.
create or replace macro is_long_running(verb, subresource) as
-- The API server's own rule: watches and the streaming subresources.
verb = 'watch'
    or coalesce(subresource in ('attach', 'exec', 'log', 'portforward', 'proxy'), false);
comment on macro is_long_running is 'True for watches and streaming subresources, which stay open by design: their duration is no latency.';
