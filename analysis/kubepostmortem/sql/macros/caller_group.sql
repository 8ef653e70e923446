-- To which group of callers a request belongs: whom an overload must not reach, and who is left.
create or replace macro caller_group(
    username, user_groups, component, kind, verb, resource, subresource
) as
case
    when username like 'system:apiserver%' then 'others'
    when list_contains(user_groups, 'system:masters') then 'system:masters'
    when kind = 'human' and username not like 'system:%' then 'admins'
    when component = 'kubelet' and resource = 'leases' then 'kubelet leases'
    when component = 'kubelet' and resource = 'nodes' and verb in ('create', 'update', 'patch')
        then 'node status'
    when component = 'coredns' then 'CoreDNS'
    when kind in ('controller', 'scheduler', 'gitops') then 'controllers'
    else 'others'
end;
comment on macro caller_group is 'Group of callers that a request belongs to: system:masters, admins, kubelet leases, node status, CoreDNS, controllers or others. The identity decides, not the name that a client gives itself, but for admins and add-ons.';
