-- Objects that one page holds at most.
create or replace macro objects_in_page(objects, page_limit) as
if(try_cast(page_limit as bigint) > 0, least(try_cast(page_limit as bigint), objects), objects);
comment on macro objects_in_page is 'Objects that one page holds at most: all of them where no page size is asked for.';
