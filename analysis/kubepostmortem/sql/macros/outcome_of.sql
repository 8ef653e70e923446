-- What became of a request, whatever it asked for.
create or replace macro outcome_of(code, started_at) as
case
    when code = 429 then 'refused'
    when code >= 500 then 'failed'
    when code is null and started_at is null then 'open'
    else 'answered'
end;
comment on macro outcome_of is 'What became of a request: refused (429), failed (5xx), open (no answer in the log, nor a stream that began), or answered.';
