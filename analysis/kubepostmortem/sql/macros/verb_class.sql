-- Whether a request reads or writes.
create or replace macro verb_class(verb) as
if(verb in ('get', 'list', 'watch', 'head', 'options'), 'read', 'write');
comment on macro verb_class is 'read or write, by the verb.';
