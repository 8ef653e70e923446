-- A share as sentences write it; small ones with a digit.
create or replace macro in_percent(share) as
case
    when share is null then 'an unknown part'
    when share > 0 and share < 0.0005 then 'less than 0.1%'
    when share > 0 and share < 0.0995 then format('{:.1f}%', 100.0 * share)
    -- What is not all must not read as all.
    when share > 0.994 and share < 1 then 'more than 99%'
    else format('{:.0f}%', 100.0 * share)
end;
comment on macro in_percent is 'A share as sentences write it: 12%, 3.4%.';
