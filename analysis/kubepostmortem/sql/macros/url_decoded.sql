-- Text of a URL with its percent signs decoded; as it is where that gives no text.
create or replace macro url_decoded(text) as
-- Clients write what they like into a URL: %ff must not stop the reading of a whole log.
case when contains(text, '%') then coalesce(try(url_decode(text)), text) else text end;
comment on macro url_decoded is 'Text of a URL with its percent signs decoded; as it is where that gives no text.';
