-- How long the seats of a write stay occupied after it ran.
create or replace macro write_linger_ns(watchers, final_seats) as
-- 5 ms for each 10 watches, shared by the seats.
if(final_seats > 0, ceil(watchers / 10)::bigint * 5_000_000 // final_seats, 0);
comment on macro write_linger_ns is 'How long the final seats of a write stay occupied, nanoseconds.';
