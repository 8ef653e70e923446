-- One parameter of a URL's query, decoded; null where it is not given.
create or replace macro query_parameter(uri, parameter) as
case
    -- Plain searches first: most URLs lack most parameters, most values need no decoding, and
    -- regular expressions are slow.
    when not contains(uri, parameter || '=') then null
    when contains(uri, '%') or contains(uri, '+') then nullif(url_decoded(replace(
        regexp_extract(uri, '(?:^|[?&])' || parameter || '=([^&#]*)', 1), '+', ' ')), '')
    else nullif(regexp_extract(uri, '(?:^|[?&])' || parameter || '=([^&#]*)', 1), '')
end;
comment on macro query_parameter is 'One parameter of the query of a URL, decoded; null where it is not given or empty.';
