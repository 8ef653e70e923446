-- Name of the owner of a pod, inferred from the suffixes that Kubernetes gives to pod names.
create or replace macro workload_of_pod(pod) as
-- The suffixes use the alphabet of k8s.io/apimachinery/pkg/util/rand, which has no vowels.
coalesce(
    nullif(regexp_extract(pod, '^(.+)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$', 1), ''),
    nullif(regexp_extract(pod, '^(.+)-[bcdfghjklmnpqrstvwxz2456789]{5}$', 1), ''),
    nullif(regexp_extract(pod, '^(.+)-\d+$', 1), ''),
    pod
);
comment on macro workload_of_pod is 'Owner of a pod (Deployment, DaemonSet or StatefulSet name), inferred from the pod name.';
