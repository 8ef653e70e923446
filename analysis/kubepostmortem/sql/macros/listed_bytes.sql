-- Bytes that a list holds in memory at once.
create or replace macro listed_bytes(weighed, objects, object_bytes, from_cache) as
least(
    case
        when object_bytes > 0 then weighed * object_bytes
        when objects = 0 then 0
        -- The largest object that etcd takes by default.
        else weighed * 1_500_000
    end,
    -- Answers from the cache are streamed.
    if(from_cache, 1_000_000, 'infinity'::double));
comment on macro listed_bytes is 'Bytes that the API server expects a list to hold in memory at once. Where the average size of the objects is unknown to it, each counts as 1.5 MB.';
