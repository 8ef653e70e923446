-- Milliseconds of a duration as Go prints it: 1h2m3.5s, 2.766708s, 412.1ms, 35µs, 900ns.
create or replace macro go_duration_ms(duration) as
case
    when duration is null then null
    when ends_with(duration, 'ms') then try_cast(left(duration, -2) as double)
    when ends_with(duration, 'µs') then try_cast(left(duration, -2) as double) / 1e3
    when ends_with(duration, 'ns') then try_cast(left(duration, -2) as double) / 1e6
    -- Plain seconds are by far the most common; the general form below is ten times slower.
    when try_cast(left(duration, -1) as double) is not null and ends_with(duration, 's')
        then try_cast(left(duration, -1) as double) * 1e3
    when regexp_full_match(duration, '(\d+h)?(\d+m)?[0-9.]+s') then
        coalesce(try_cast(nullif(regexp_extract(duration, '(\d+)h', 1), '') as double), 0) * 3.6e6
        + coalesce(try_cast(nullif(regexp_extract(duration, '(\d+)m', 1), '') as double), 0) * 6e4
        + try_cast(regexp_extract(duration, '([0-9.]+)s', 1) as double) * 1e3
end;
comment on macro go_duration_ms is 'Milliseconds of a duration as Go prints it; null where it is none.';
