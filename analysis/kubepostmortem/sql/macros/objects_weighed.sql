-- Objects that the estimate of a list is made from.
create or replace macro objects_weighed(objects, page_limit, from_cache, selects, by_size) as
case
    when by_size and selects and not from_cache
        then greatest(objects_in_page(objects, page_limit), objects // 2)
    when by_size then objects_in_page(objects, page_limit)
    -- By number: a page from the cache goes through everything, etcd reads as much as it returns.
    when from_cache then objects
    when selects then objects + objects_in_page(objects, page_limit)
    else 2 * objects_in_page(objects, page_limit)
end;
comment on macro objects_weighed is 'Objects that the API server takes into the estimate of a list. by_size: the rule of Kubernetes 1.34 and later, which weighs bytes.';
