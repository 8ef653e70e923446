"""Records of any shape: each is loaded, left out or rejected, and nothing raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import (
    argocd,
    deploy_timeline,
    flux,
    github,
    gitlab,
    helm,
    incident_timeline,
    spinnaker,
)
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Target

TIME = "2024-12-11T22:51:02Z"
# By source: the fields of a record that it loads, and further fields that it looks into.
RECORDS = {
    argocd: (
        {"metadata": {"name": "a"}, "spec": {"destination": {}}, "status": {}},
        "history operationState resources deployedAt initiatedBy revisions source phase kind name",
    ),
    deploy_timeline: ({"time": TIME, "service": "a"}, "end version kind actor cluster namespace"),
    flux: (
        {
            "involvedObject": {"kind": "HelmRelease", "name": "a"},
            "reportingController": "",
            "severity": "",
            "timestamp": TIME,
        },
        "reason message metadata kind name namespace",
    ),
    github: (
        {"sha": "1", "ref": "a", "task": "b", "environment": "c", "created_at": TIME},
        "payload _statuses creator login state url repository name deployment_url run_number",
    ),
    gitlab: (
        {"iid": 1, "sha": "1", "ref": "a", "environment": {"name": "b"}, "created_at": TIME},
        "deployable user username name stage status started_at finished_at pipeline web_url",
    ),
    helm: ({"chart": "a-1.0.0", "updated": TIME, "revision": 1}, "name namespace description"),
    incident_timeline: (
        {"time": TIME, "event": "a", "actor": "b"},
        "channel summary user name new_incident_status body status content updater",
    ),
    spinnaker: (
        {"application": "a", "stages": [], "startTime": 1733957462000},
        "name type context manifests metadata kind account trigger user hash status endTime",
    ),
}


def anything(fields: list[str]) -> st.SearchStrategy:
    scalars = st.none() | st.booleans() | st.integers(-9, 10**14) | st.sampled_from([TIME, "a"])
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(fields), inner, max_size=3)
        ),
        max_leaves=8,
    )


@pytest.mark.parametrize("source", RECORDS, ids=lambda source: source.name)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_of_any_shape_is_counted(source, data, tmp_path_factory):
    usual, further = RECORDS[source]
    fields = [*usual, *further.split()]
    odd = data.draw(st.dictionaries(st.sampled_from(fields), anything(fields), max_size=4))
    path = tmp_path_factory.mktemp("records") / "given"
    path.write_text(json.dumps([usual, usual | odd]))

    contents = source.read(InputFile.look(path), Target(None, "prod"))

    told = {row["record"] for rows in contents.tables.values() for row in rows}
    assert contents.records == len(told) + contents.filtered + len(contents.rejections)
    assert contents.records >= 2
