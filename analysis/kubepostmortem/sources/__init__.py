"""Sources: one file per format. The order matters only where two formats look alike."""

from __future__ import annotations

from kubepostmortem.sources import (
    apiserver_flags,
    audit_log,
    deploy_timeline,
    dns_probes,
    exposition,
    kube_objects,
    prometheus_api,
)
from kubepostmortem.sources.source import Source

SOURCES: tuple[Source, ...] = (
    audit_log,
    apiserver_flags,
    kube_objects,
    prometheus_api,
    exposition,
    dns_probes,
    deploy_timeline,
)
