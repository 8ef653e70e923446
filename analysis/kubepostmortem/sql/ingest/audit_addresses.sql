-- One row per source address that belongs to exactly one node: a kubelet's, or a listed InternalIP.
create or replace temp table audit_addresses as
select source_ip, any_value(node) as node
from (
    select distinct source_ips[-1] as source_ip, node_of_identity(username) as node
    from audit_events
    where starts_with(username, 'system:node:')
    union
    select internal_ip, node from nodes where cluster = $cluster
)
where source_ip is not null
group by source_ip
-- A load balancer or SNAT shows many kubelets behind one address: that says nothing.
having count(distinct node) = 1
