"""Spinnaker: executions of pipelines, and their stages that deploy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kubepostmortem.sources.changes import (
    NO_SERVICE,
    WORKLOADS,
    Change,
    Fields,
    begun_at,
    deploys,
    ended_at,
    first_plain,
    is_deploy,
    thing_in,
)
from kubepostmortem.sources.content import Record, Unusable, dig, listed, remarks
from kubepostmortem.sources.documents import Contents, load_documents
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.kube_fields import first_said, said
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target
from kubepostmortem.sources.structured import first_keys, records

name = "Spinnaker"
describes = "GET /applications/APP/pipelines of Spinnaker's Gate: executions with their stages"

NEEDED = frozenset({"application", "stages"})
TIMED = frozenset({"startTime", "buildTime", "endTime"})
CHANGES = frozenset(
    {"patchManifest", "deleteManifest", "scaleManifest", "resizeServerGroup", "destroyServerGroup"}
)
VERSION = (("tag",), ("hash",), ("buildInfo", "number"), ("branch",))

NOT_BEGUN = "not begun"


def recognises(file: InputFile) -> bool:
    """Executions: an application, stages and times since 1970."""
    keys = first_keys(file)
    return keys >= NEEDED and bool(keys & TIMED)


def load(batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Add the executions that are not known yet."""
    return load_documents(read, batch, target)


def read(file: InputFile, target: Target) -> Contents:
    """Read rows of deploys; a record is a pipeline, or a stage of it that deploys."""
    told = list(_with_stages(records(file)))
    contents = deploys(told, _change, _left_out)
    contents.notes = remarks(contents.notes, _accounts(told))
    return contents


def _with_stages(executions: Iterable[Record | Rejection]) -> Iterator[Record | Rejection]:
    for execution in executions:
        if isinstance(execution, Rejection):
            yield execution
            continue
        pipeline = execution.fields
        for stage in [None, *filter(_deploys, listed(pipeline.get("stages")))]:
            yield Record({"pipeline": pipeline, "stage": stage}, execution.text)


def _deploys(stage: Any) -> bool:
    kind = said(stage, "type")
    return kind in CHANGES or is_deploy(kind)


def _left_out(fields: Fields) -> str | None:
    begun = first_said(_told(fields), ("startTime",), ("buildTime",))
    return None if begun or said(_told(fields), "status") != "NOT_STARTED" else NOT_BEGUN


def _told(fields: Fields) -> Any:
    """What tells of the times and the outcome: the stage, or the pipeline as a whole."""
    return fields["stage"] or fields["pipeline"]


def _change(fields: Fields) -> Change:
    told, pipeline = _told(fields), fields["pipeline"]
    workload = _workload(fields)
    service = _service(pipeline, workload)
    if service is None:
        raise Unusable(NO_SERVICE)
    return {
        "applied_at": begun_at(dig(told, "startTime"), dig(told, "buildTime")),
        "ends_at": ended_at(dig(told, "endTime")),
        "namespace": said(workload, "metadata", "namespace"),
        "service": service,
        "kind": said(workload, "kind"),
        "version": first_said(dig(pipeline, "trigger"), *VERSION),
        "actor": first_said(pipeline, ("trigger", "user"), ("authentication", "user")),
        "action": said(told, "name"),
        "status": said(told, "status"),
        "reported_by": name,
    }


def _service(pipeline: Any, workload: Any) -> str | None:
    """The workload that is deployed; else what the pipeline's name says; else its application."""
    title = said(pipeline, "name")
    return first_plain(
        said(workload, "metadata", "name"), thing_in(title), said(pipeline, "application"), title
    )


def _workload(fields: Fields) -> Any:
    """The only workload of a stage (or of all stages); None where there is none or several."""
    stages = [fields["stage"]] if fields["stage"] else listed(fields["pipeline"].get("stages"))
    found = [workload for stage in stages for workload in _manifests(stage)]
    names = {said(workload, "metadata", "name") for workload in found}
    return found[0] if len(names) == 1 else None


def _manifests(stage: Any) -> list[Any]:
    manifests = listed(dig(stage, "context", "manifests"))
    return [one for one in manifests if said(one, "kind") in WORKLOADS]


def _accounts(told: Iterable[Record | Rejection]) -> str | None:
    """The clusters that the stages deploy to, by the names that Spinnaker has for them."""
    stages = (one.fields["stage"] for one in told if isinstance(one, Record))
    accounts = {account for stage in stages if (account := said(stage, "context", "account"))}
    return f"accounts named: {', '.join(sorted(accounts))}" if accounts else None
