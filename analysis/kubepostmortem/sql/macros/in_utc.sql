-- A time as sentences write it.
create or replace macro in_utc(moment) as
strftime(moment, '%Y-%m-%d %H:%M:%S UTC');
comment on macro in_utc is 'A time as sentences write it: 2026-03-01 12:00:00 UTC.';
