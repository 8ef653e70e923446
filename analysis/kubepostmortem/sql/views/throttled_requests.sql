-- One row per request that was answered 429 Too Many Requests.
create or replace view throttled_requests as
select * from requests where code = 429;
comment on view throttled_requests is 'Requests answered 429 Too Many Requests: shed by Priority and Fairness, the in-flight limits, or an eviction budget.';
