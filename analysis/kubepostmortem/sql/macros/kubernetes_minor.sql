-- The minor version in a version of Kubernetes.
create or replace macro kubernetes_minor(version) as
try_cast(regexp_extract(version, '^v?1\.(\d+)', 1) as integer);
comment on macro kubernetes_minor is 'Minor version in a version of Kubernetes: 31 of v1.31.4-eks-1; null where there is none.';
