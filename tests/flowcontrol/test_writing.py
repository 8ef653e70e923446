"""Manifests that are written: they read back as the same values, and hostile text stays text."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.flowcontrol.configuration import (
    CATCH_ALL_LEVEL,
    CATCH_ALL_SCHEMA,
    EXEMPT_LEVEL,
    EXEMPT_SCHEMA,
)
from kubepostmortem.flowcontrol.manifests import read_manifests
from kubepostmortem.flowcontrol.objects import (
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    Queuing,
    ResourceRule,
    Rule,
    Subject,
)
from kubepostmortem.flowcontrol.parsing import Malformed
from kubepostmortem.flowcontrol.validation import VERBS
from kubepostmortem.flowcontrol.writing import manifest

LEVEL = PriorityLevel("mine", False, 5, 50, 0, Queuing(16, 4, 20))
ANYTHING = ResourceRule(("*",), ("*",), ("*",), cluster_scope=True, namespaces=("*",))
SCHEMA = FlowSchema("s", "mine", 50, "ByUser", (Rule((Subject("User", "alice"),), (ANYTHING,)),))
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
HOSTILE = 'x\n- kind: "User"\r\x1b[2J\u202e\u2028\x85\x00\U0001f600 # \\'
COUNTS = st.integers(0, 2**31 - 1)


def several(texts: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    some = st.lists(texts.filter(lambda text: text != "*"), min_size=1, max_size=3).map(tuple)
    return st.just(("*",)) | some


def queuings() -> st.SearchStrategy[Queuing | None]:
    dealt = st.builds(Queuing, st.integers(8, 64), st.integers(1, 8), st.integers(1, 90))
    return st.none() | dealt


def levels() -> st.SearchStrategy[PriorityLevel]:
    names = NAMES.filter(lambda name: name not in ("exempt", "catch-all"))
    percents, most = st.integers(0, 100), st.none() | COUNTS
    limited = st.builds(PriorityLevel, names, st.just(False), COUNTS, percents, most, queuings())
    exempt = st.builds(PriorityLevel, st.just("exempt"), st.just(True), COUNTS, percents)
    return limited | exempt


def subjects() -> st.SearchStrategy[Subject]:
    accounts = st.builds(Subject, st.just("ServiceAccount"), NAMES | st.just("*"), NAMES)
    return accounts | st.builds(Subject, st.sampled_from(["User", "Group"]), TEXTS)


def rules() -> st.SearchStrategy[Rule]:
    verbs, namespaces = several(st.sampled_from(VERBS)), several(NAMES)
    paths = several(st.sampled_from(["/", "/metrics", "/a/*", "/yes", '/"', "/\u202e"]))
    resources = st.builds(
        ResourceRule,
        verbs,
        several(TEXTS),
        several(TEXTS | st.just("yes")),
        st.booleans(),
        namespaces,
    ) | st.builds(ResourceRule, verbs, several(TEXTS), several(TEXTS), st.just(True), st.just(()))
    nonresource = st.builds(NonResourceRule, verbs, paths)

    def lists(one: st.SearchStrategy, least: int) -> st.SearchStrategy:
        return st.lists(one, min_size=least, max_size=2).map(tuple)

    return st.builds(Rule, lists(subjects(), 1), lists(resources, 1), lists(nonresource, 0)) | (
        st.builds(Rule, lists(subjects(), 1), st.just(()), lists(nonresource, 1))
    )  # fmt: skip


def schemas() -> st.SearchStrategy[FlowSchema]:
    names = NAMES.filter(lambda name: name not in ("exempt", "catch-all"))
    distinguishers = st.sampled_from(["", "ByUser", "ByNamespace"])
    return st.builds(
        FlowSchema, names, NAMES, st.integers(2, 10_000), distinguishers,
        st.lists(rules(), max_size=2).map(tuple),
    )  # fmt: skip


@given(level=levels(), schema=schemas(), version=st.sampled_from(["v1", "v1beta3"]), why=TEXTS)
def test_what_is_written_reads_the_same(level, schema, version, why) -> None:
    fields = ("FlowSchema", "rules", "subjects", "name", "limited", "verbs", "kind")
    text = manifest(
        level, schema, f"flowcontrol.apiserver.k8s.io/{version}", dict.fromkeys(fields, why)
    )

    read = read_manifests(text)

    assert (read.priority_levels, read.flow_schemas) == ((level,), (schema,))
    assert all(char.isprintable() or char == "\n" for char in text)


@given(level=levels(), schema=schemas(), version=st.sampled_from(["v1beta2", "v1alpha1"]))
def test_older_versions_lose_lending_alone(level, schema, version) -> None:
    level = replace(level, shares=level.shares * (not level.exempt) or 1)
    text = manifest(level, schema, f"flowcontrol.apiserver.k8s.io/{version}")

    read = read_manifests(text)

    shares = 0 if level.exempt else level.shares
    kept = replace(level, shares=shares, lendable_percent=0, borrowing_limit_percent=None)
    assert (read.priority_levels, read.flow_schemas) == ((kept,), (schema,))
    assert level.exempt or "assuredConcurrencyShares" in text
    assert level.exempt or "neither lend nor borrow" in " ".join(text.split("#")).replace("\n", "")


def test_the_page() -> None:
    comments = {
        "PriorityLevelConfiguration": "What it is for.",
        "nominalConcurrencyShares": "Worth 12 seats. " * 8,
        "subjects": "Who.",
    }

    assert manifest(LEVEL, SCHEMA, comments=comments) == PAGE


PAGE = """\
# What it is for.
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata:
  name: mine
spec:
  type: Limited
  limited:
    # Worth 12 seats. Worth 12 seats. Worth 12 seats. Worth 12 seats. Worth 12 seats. Worth 12
    # seats. Worth 12 seats. Worth 12 seats.
    nominalConcurrencyShares: 5
    lendablePercent: 50
    borrowingLimitPercent: 0
    limitResponse:
      type: Queue
      queuing:
        queues: 16
        handSize: 4
        queueLengthLimit: 20
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata:
  name: s
spec:
  priorityLevelConfiguration:
    name: mine
  matchingPrecedence: 50
  distinguisherMethod:
    type: ByUser
  rules:
  # Who.
  - subjects:
    - kind: User
      user:
        name: alice
    resourceRules:
    - verbs: ["*"]
      apiGroups: ["*"]
      resources: ["*"]
      clusterScope: true
      namespaces: ["*"]
"""


def test_lists_that_are_too_long_for_a_line_get_more() -> None:
    resources = tuple(f"resource-number-{number}" for number in range(9))
    rule = Rule((Subject("User", "a"),), (replace(ANYTHING, resources=resources),))

    text = manifest(LEVEL, replace(SCHEMA, rules=(rule,)))

    assert max(map(len, text.splitlines())) <= 100
    assert read_manifests(text).flow_schemas[0].rules == (rule,)


def test_hostile_names_are_one_text_and_hostile_comments_one_comment() -> None:
    rule = Rule((Subject("User", HOSTILE),), (replace(ANYTHING, resources=(HOSTILE,)),))

    text = manifest(LEVEL, replace(SCHEMA, rules=(rule,)), comments={"subjects": HOSTILE})

    assert read_manifests(text).flow_schemas[0].rules == (rule,)
    assert text.isascii() or "\u202e" not in text
    assert sum(line.lstrip().startswith("#") for line in text.splitlines()) == 1


@pytest.mark.parametrize("name", ["yes", "No", "null", "1e3", "012", "~", "2024-01-01", "=", " a "])
def test_texts_that_yaml_would_take_for_something_else(name: str) -> None:
    rule = Rule((Subject("User", name),), (ANYTHING,))

    _, schema = yaml.safe_load_all(manifest(LEVEL, replace(SCHEMA, rules=(rule,))))

    assert schema["spec"]["rules"][0]["subjects"][0]["user"] == {"name": name}


def test_mandatory_objects_read_back() -> None:
    for level, schema in ((EXEMPT_LEVEL, EXEMPT_SCHEMA), (CATCH_ALL_LEVEL, CATCH_ALL_SCHEMA)):
        read = read_manifests(manifest(level, schema))

        assert (read.priority_levels, read.flow_schemas) == ((level,), (schema,))


@pytest.mark.parametrize(
    ("level", "schema", "version", "why"),
    [
        (LEVEL, SCHEMA, "v2", "no version 'v2'"),
        (replace(LEVEL, shares=-1), SCHEMA, "v1", "Configuration 'mine': .* less than 0"),
        (replace(LEVEL, shares=0), SCHEMA, "v1beta2", "without shares"),
        (LEVEL, replace(SCHEMA, precedence=1), "v1", "FlowSchema 's': .*Precedence 1"),
        (LEVEL, replace(SCHEMA, rules=(Rule((Subject("User", "\udc80"),), (ANYTHING,)),)), "v1",
         "no Unicode"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(level, schema, version, why) -> None:
    with pytest.raises(Malformed, match=why):
        manifest(level, schema, f"flowcontrol.apiserver.k8s.io/{version}")
