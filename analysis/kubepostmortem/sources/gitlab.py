"""GitLab: deployments, and the jobs that deploy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubepostmortem.sources.changes import (
    NO_SERVICE,
    Change,
    Fields,
    begun_at,
    deploys,
    ended_at,
    first_plain,
    is_deploy,
    thing_in,
)
from kubepostmortem.sources.content import Unusable, dig
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_fields import first_said, said
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.structured import first_keys, records

name = "GitLab"
describes = "GET /projects/ID/deployments or /projects/ID/jobs of GitLab's API, as JSON"

DEPLOYMENT = frozenset({"iid", "sha", "ref", "environment", "created_at"})
JOB = frozenset({"stage", "pipeline", "started_at", "created_at"})

NOT_BEGUN = frozenset({"created", "blocked", "manual", "pending", "scheduled", "skipped"})
ENDS = frozenset({"success", "failed", "canceled"})
PROJECT = re.compile(r"^https?://\S*?/([^/\s]+)/-/")


def recognises(file: InputFile) -> bool:
    """The fields of a deployment, or of a job of a pipeline."""
    keys = first_keys(file)
    return keys >= DEPLOYMENT or keys >= JOB


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the deployments that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of deploys per deployment, or per job that deploys."""
    return deploys(records(file), _change, _left_out)


def _left_out(fields: Fields) -> str | None:
    if "stage" in fields and not (is_deploy(said(fields, "name")) or is_deploy(_stage(fields))):
        return "jobs that deploy nothing"
    status = first_plain(fields.get("status"))
    return f"status {status}, so not begun" if status in NOT_BEGUN else None


def _stage(fields: Fields) -> str | None:
    return first_plain(fields.get("stage"))


def _change(fields: Fields) -> Change:
    service = _service(fields)
    if service is None:
        raise Unusable(NO_SERVICE)
    job = dig(fields, "deployable") or fields
    return {
        "applied_at": begun_at(said(job, "started_at"), fields.get("created_at")),
        "ends_at": _ended(fields),
        "service": service,
        "version": first_said(fields, ("sha",), ("commit", "id"), ("ref",)),
        "actor": said(fields, "user", "username"),
        "action": _action(fields),
        "status": first_plain(fields.get("status")),
        "reported_by": name,
    }


def _service(fields: Fields) -> str | None:
    """What the job's name says it deploys; else the project, or the environment."""
    job = dig(fields, "deployable") or fields
    environment = said(fields, "environment", "name")
    under = environment.rpartition("/")[2] if environment else None
    return first_plain(thing_in(said(job, "name")), _project(job), under, said(job, "name"))


def _project(job: Fields) -> str | None:
    urls = (said(job, "web_url"), said(job, "pipeline", "web_url"))
    found = next(filter(None, (PROJECT.search(url) for url in urls if url)), None)
    return found[1] if found else None


def _action(fields: Fields) -> str | None:
    """The job, and where it deploys to."""
    job, environment = dig(fields, "deployable") or fields, said(fields, "environment", "name")
    did = said(job, "name") or "deploy"
    return f"{did} to {environment}" if environment else did


def _ended(fields: Fields) -> object:
    finished = first_said(fields, ("deployable", "finished_at"), ("finished_at",))
    done = first_plain(fields.get("status")) in ENDS
    return ended_at(finished or (fields.get("updated_at") if done else None))
