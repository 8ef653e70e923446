"""Rows that workloads and their revisions give: what runs, and when it was changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubepostmortem.sources.content import dig, listed
from kubepostmortem.sources.kube_fields import Row, created_at, first_time, name_of, number, said

REPORTED_BY = "kubectl objects"
REVISION = "deployment.kubernetes.io/revision"


def workload(thing: Any) -> Iterator[Row]:
    """A Deployment, DaemonSet or StatefulSet as it is, and its creation as a change."""
    kind, name = said(thing, "kind"), name_of(thing)
    namespace = said(thing, "metadata", "namespace") or "default"
    images = _images(dig(thing, "spec", "template"))
    account = said(thing, "spec", "template", "spec", "serviceAccountName") or "default"
    row = {
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "created_at": created_at(thing),
        "service_account": f"{namespace}:{account}",
        "images": images,
    }
    yield "workloads", row | _pods(thing)
    if row["created_at"]:
        version = ", ".join(_tags(images)) or None
        yield _change(thing, "created", kind, name, version, _creator(thing))


def controller_revision(thing: Any) -> Iterator[Row]:
    """A revision of a DaemonSet or StatefulSet, as a change of its owner."""
    template = dig(thing, "data", "spec", "template")
    yield from _revision(thing, said(thing, "revision"), template)


def replica_set(thing: Any) -> Iterator[Row]:
    """A revision of a Deployment, as a change of its owner."""
    revision = said(thing, "metadata", "annotations", REVISION)
    yield from _revision(thing, revision, dig(thing, "spec", "template"))


def tag(image: str) -> str:
    """Return the tag of a container image; else its digest, shortened."""
    repository, _, digest = image.partition("@")
    return repository.rpartition("/")[2].partition(":")[2] or digest[:19] or "latest"


def _revision(thing: Any, revision: str | None, template: Any) -> Iterator[Row]:
    owner = _owner(thing)
    if owner is None:
        return
    tags = ", ".join(_tags(_images(template)))
    version = f"revision {revision}" + (f" ({tags})" if tags else "")
    yield _change(thing, "revision created", said(owner, "kind"), said(owner, "name"), version)


def _change(
    thing: Any,
    action: str,
    kind: str | None,
    service: str | None,
    version: str | None,
    actor: str | None = None,
) -> Row:
    """A row of deploys, dated by the creation of the object."""
    row = {
        "applied_at": first_time(thing, ("metadata", "creationTimestamp")),
        "namespace": said(thing, "metadata", "namespace"),
        "service": service,
        "kind": kind,
        "version": version,
        "actor": actor,
        "action": action,
        "reported_by": REPORTED_BY,
    }
    return "deploys", row


def _owner(thing: Any) -> Any:
    """The workload that owns a revision; None where it stands alone."""
    owners = listed(dig(thing, "metadata", "ownerReferences"))
    return next((owner for owner in owners if said(owner, "kind") and said(owner, "name")), None)


def _images(template: Any) -> list[str]:
    containers = listed(dig(template, "spec", "containers"))
    return [image for container in containers if (image := said(container, "image"))]


def _tags(images: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(tag, images)))


def _pods(thing: Any) -> dict[str, int | None]:
    """Pods wanted and pods ready, None where the object does not tell."""
    status = dig(thing, "status")
    if said(thing, "kind") == "DaemonSet":
        wanted, ready = number(status, "desiredNumberScheduled"), number(status, "numberReady")
        return {"replicas": wanted, "ready": ready}
    none_ready = 0 if status else None
    return {
        "replicas": number(thing, "spec", "replicas"),
        "ready": number(status, "readyReplicas") or none_ready,
    }


def _creator(thing: Any) -> str | None:
    """The field manager of the first write, as far as the object still tells."""
    fields = listed(dig(thing, "metadata", "managedFields"))
    writes = [write for write in fields if not dig(write, "subresource")]
    return said(min(writes, key=lambda write: str(dig(write, "time")), default=None), "manager")
