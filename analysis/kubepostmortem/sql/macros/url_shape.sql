-- What kind of URL is called: tells clients apart whose user agent says nothing.
create or replace macro url_shape(resource, path) as
case
    when resource is not null then 'resource'
    when regexp_matches(path, '^/metrics') then 'metrics'
    when regexp_matches(path, '^/(healthz|livez|readyz)') then 'probe'
    when regexp_matches(path, '^/(api|apis|openapi|version)(/|\?|$)') then 'discovery'
    else 'nonresource'
end;
comment on macro url_shape is 'What kind of URL is called: resource, metrics, probe, discovery or nonresource.';
