-- Node name of a kubelet identity.
create or replace macro node_of_identity(username) as
case when starts_with(username, 'system:node:') then username[13:] end;
comment on macro node_of_identity is 'Node name in a kubelet identity (system:node:NAME); null for other users.';
