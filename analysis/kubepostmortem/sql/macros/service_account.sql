-- namespace/name of a service account identity.
create or replace macro service_account(username) as
case when starts_with(username, 'system:serviceaccount:')
    then split_part(username, ':', 3) || '/' || split_part(username, ':', 4) end;
comment on macro service_account is 'namespace/name of a service account user; null for other users.';
