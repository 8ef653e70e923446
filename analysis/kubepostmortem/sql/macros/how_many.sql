-- A number with its noun, as sentences write it.
create or replace macro how_many(amount, one, many) as
if(amount = 1, '1 ' || one, format('{:,} ', amount::bigint) || many);
comment on macro how_many is 'A number with its noun: 1 file, 1,234 files.';
