-- Requests whose node no token or identity tells: it is that of their address, where the address
-- belongs to exactly one node: a kubelet's, or a listed InternalIP.
update requests
set node = addresses.node, node_from = if(addresses.node is null, null, 'source-ip')
from (
    -- A load balancer or SNAT shows many kubelets behind one address: that says nothing.
    select source_ip, if(count(distinct node) = 1, any_value(node), null) as node
    from (
        select source_ip, node from requests
        where cluster = $cluster and node_from = 'identity' and source_ip is not null
        union
        select internal_ip, node from nodes where cluster = $cluster and internal_ip is not null
    )
    group by source_ip
) as addresses
where requests.cluster = $cluster
    and (requests.node is null or requests.node_from = 'source-ip')
    and requests.node is distinct from addresses.node
    and requests.source_ip = addresses.source_ip
