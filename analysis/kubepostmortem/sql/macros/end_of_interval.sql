-- The end of the interval that a span ends in; intervals begin at round times.
create or replace macro end_of_interval(moment, width_s) as
time_bucket(to_seconds(width_s), moment + to_seconds(width_s) - to_microseconds(1));
comment on macro end_of_interval is 'The first end of an interval of width_s seconds that is not before this time: time_bucket rounds down, this rounds up.';
