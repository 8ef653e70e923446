-- Field selectors that leave one object: the API server estimates such a list by that alone.
create or replace macro names_one_object(field_selector) as
coalesce(regexp_matches(field_selector, '(^|,)metadata\.name==?[^,]'), false);
comment on macro names_one_object is 'True where a field selector names one object (metadata.name=x).';
