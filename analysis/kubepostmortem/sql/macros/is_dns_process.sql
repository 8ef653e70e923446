-- Series of a process that answers DNS queries for pods.
create or replace macro is_dns_process(labels) as
-- Scrape configurations name it in one label or another: kube-dns is also the label of CoreDNS.
regexp_matches(
    concat_ws(' ', labels['job'], labels['k8s_app'], labels['service'], labels['container'], labels['pod']),
    '(core|kube-?|node-?local-?)dns|node-?cache')
and not regexp_matches(
    concat_ws(' ', labels['job'], labels['service'], labels['container'], labels['pod']),
    'autoscaler|external-?dns');
comment on macro is_dns_process is 'True for series of CoreDNS, kube-dns and node-local DNS caches, by the names of job, service, container or pod.';
