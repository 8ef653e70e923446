"""GitHub: deployments and their statuses, releases, and runs of workflows that deploy."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

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
from kubepostmortem.sources.content import Unusable, listed
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_fields import first_said, said
from kubepostmortem.sources.source import Numbered, Reading, Target
from kubepostmortem.sources.structured import first_keys, keys_at, records

name = "GitHub"
describes = "gh api repos/O/R/deployments (or statuses, releases, actions/runs), gh run list --json"

WRAPPERS = ("workflow_runs", "deployments", "releases")
DEPLOYMENT = frozenset({"sha", "ref", "environment", "created_at", "task"})
STATUS = frozenset({"state", "deployment_url", "created_at"})
RUNS = (
    frozenset({"run_number", "head_sha", "created_at"}),
    frozenset({"workflowName", "createdAt"}),
    frozenset({"workflowName", "startedAt"}),
)
RELEASES = (frozenset({"tag_name", "published_at"}), frozenset({"tagName", "publishedAt"}))
KNOWN = (DEPLOYMENT, STATUS, *RUNS, *RELEASES)

ENDS = frozenset({"success", "failure", "error"})
NO_CHANGE = frozenset({"inactive", "queued", "pending"})
REPOSITORY = re.compile(r"/repos/[^/\s]+/([^/\s?#]+)|^https?://github[^/]*/[^/\s]+/([^/\s?#]+)")
URLS = ("repository_url", "deployment_url", "statuses_url", "url", "html_url")
VERSIONS = ("tag_name", "tagName", "sha", "head_sha", "headSha", "ref")
NAMED = ("service", "component", "app", "name", "chart")


def recognises(file: InputFile) -> bool:
    """The fields by which GitHub knows a deployment, its status, a release or a run."""
    keys = first_keys(file, *WRAPPERS)
    return any(keys >= fields for fields in KNOWN) or "workflow_runs" in keys_at(file)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the deployments that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read one row of deploys per deployment, status, release or run."""
    return deploys(records(file, *WRAPPERS), _change, _left_out)


def _left_out(fields: Fields) -> str | None:
    if _is_run(fields):
        return None if is_deploy(_told_by(fields)) else "runs of workflows that deploy nothing"
    if "tag_name" in fields or "tagName" in fields:
        draft = first_plain(fields.get("draft"), fields.get("isDraft")) == "true"
        return "releases not published" if draft else None
    state = first_plain(fields.get("state"))
    return f"statuses {state}" if "deployment_url" in fields and state in NO_CHANGE else None


def _is_run(fields: Fields) -> bool:
    return "workflowName" in fields or "run_number" in fields


def _told_by(fields: Fields) -> str:
    """What a run says about its purpose: the workflow's name and file, and what set it off."""
    said_of = (fields.get(key) for key in ("workflowName", "name", "path", "event"))
    return " ".join(text for value in said_of if (text := first_plain(value)))


def _change(fields: Fields) -> Change:
    service = _service(fields)
    if service is None:
        raise Unusable(NO_SERVICE)
    return {
        "applied_at": begun_at(*map(fields.get, _times(fields))),
        "ends_at": _ended(fields),
        "service": service,
        "version": first_plain(*map(fields.get, VERSIONS)),
        "actor": first_said(fields, *((key, "login") for key in ("actor", "creator", "author"))),
        "action": _action(fields),
        "status": _status(fields),
        "reported_by": name,
    }


def _times(fields: Fields) -> Sequence[str]:
    if _is_run(fields):
        return ("run_started_at", "startedAt", "created_at", "createdAt")
    return ("published_at", "publishedAt", "created_at", "createdAt")


def _service(fields: Fields) -> str | None:
    """What a payload names, or a task; else the repository; else where it was deployed."""
    workflow = first_plain(fields.get("workflowName"), fields.get("name"))
    task = first_plain(fields.get("task"))
    named = [said(_payload(fields.get("payload")), key) for key in NAMED]
    things = thing_in(task), thing_in(workflow if _is_run(fields) else None)
    repository = said(fields, "repository", "name") or _repository(fields)
    telling = task if task != "deploy" else None
    fallback = workflow if _is_run(fields) else None
    return first_plain(*named, *things, repository, telling, fallback, fields.get("environment"))


def _payload(value: Any) -> Any:
    """The payload of a deployment: an object, or a text that may hold one."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None


def _repository(fields: Fields) -> str | None:
    urls = (first_plain(fields.get(key)) for key in URLS)
    found = next(filter(None, (REPOSITORY.search(url) for url in urls if url)), None)
    return (found[1] or found[2]) if found else None


def _action(fields: Fields) -> str | None:
    if _is_run(fields):
        return first_plain(fields.get("workflowName"), fields.get("name"))
    if "tag_name" in fields or "tagName" in fields:
        return "release"
    task, environment = first_plain(fields.get("task")) or "deploy", said(fields, "environment")
    return f"{task} to {environment}" if environment else task


def _last_status(fields: Fields) -> Any:
    """The newest of the statuses that a deployment carries along."""
    statuses = listed(fields.get("_statuses")) or listed(fields.get("statuses"))
    return max(statuses, key=lambda one: said(one, "created_at") or "", default=None)


def _status(fields: Fields) -> str | None:
    last = said(_last_status(fields), "state")
    return last or first_plain(*map(fields.get, ("state", "conclusion", "status")))


def _ended(fields: Fields) -> Any:
    last = _last_status(fields)
    if said(last, "state") in ENDS:
        return ended_at(said(last, "created_at"))
    done = _is_run(fields) and first_plain(fields.get("status")) == "completed"
    return (
        ended_at(first_plain(fields.get("updated_at"), fields.get("updatedAt"))) if done else None
    )
