"""YAML is read as plain values: nothing expands, nothing is guessed, damage costs one document."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.sources import yaml_content
from kubepostmortem.sources.files import InputFile

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


def values(look, text: str) -> list:
    found, damaged = yaml_content.documents(look(text))
    assert damaged == []
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-12-11", "2024-12-11"),
        ("2024-12-11T22:51:02Z", "2024-12-11T22:51:02Z"),
        ("1.10", "1.10"),
        ("0123456", "0123456"),
        ("1e10", "1e10"),
        ("9" * 5000, "9" * 5000),
        ("12", 12),
        ("-3", -3),
        ("'12'", "12"),
        ("true", True),
        ("'true'", "true"),
        ("yes", "yes"),
        ("", None),
        ("~", None),
        ("null", None),
        ("''", ""),
        ("!!python/object/apply:os.getcwd x", "x"),
        ("{b: [1, two]}", {"b": [1, "two"]}),
        ("|\n  --- no end\n  b: c", "--- no end\nb: c\n"),
    ],
)
def test_a_value_is_what_kubernetes_means_by_it(look, written, meant):
    assert values(look, f"a: {written}\n") == [{"a": meant}]


def test_documents_follow_each_other(look):
    text = "%YAML 1.2\n---\n# first\na: 1\n--- \n---\n- b\n...\n---\n{c: d}\n"

    assert values(look, text) == [{"a": 1}, ["b"], {"c": "d"}]


@pytest.mark.parametrize(
    ("bad", "line", "reason"),
    [
        ("a: 1\nb: c: d\n", 2, "not YAML: mapping values are not allowed in this context"),
        ("a: 1\nb: 2\n- 1\n", 3, "not YAML: did not find expected key"),
        (BOMB, 1, yaml_content.ANCHORED),
        ("a: 1\nb: *c\n", 2, yaml_content.ANCHORED),
        ("a: 1\n? [b]\n: 2\n", 2, yaml_content.ODD_KEY),
        ("a:\n b: " + "[" * 300 + "]" * 300 + "\n", 2, yaml_content.TOO_DEEP),
        ("ä: 1\na: \x07\n", 2, "not YAML: control characters are not allowed"),
    ],
)
def test_a_damaged_document_costs_only_itself_and_shows_its_place(look, bad, line, reason):
    before, after = "ä: 1\n", "---\nz: 26\n"

    found, (rejection,) = yaml_content.documents(look(f"{before}---\n{bad}{after}"))

    assert found == [{"ä": 1}, {"z": 26}]
    lines = bad.splitlines(keepends=True)
    offset = len(f"{before}---\n{''.join(lines[: line - 1])}".encode())
    assert rejection.reason == reason
    assert (rejection.line, rejection.byte_offset) == (line + 2, offset)
    assert rejection.excerpt.startswith(lines[line - 1][:200].encode())


def test_a_gzip_file_that_breaks_off_is_reported(look):
    file = look("a: 1\n" * 9, packed=True)
    file.path.write_bytes(file.path.read_bytes()[:-8])

    _, damaged = yaml_content.documents(InputFile.look(file.path))

    assert [rejection.reason for rejection in damaged] == [
        "cut off: the compressed file ends early"
    ]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
PLAIN = st.recursive(
    st.booleans() | st.integers(-(10**17), 10**17) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


class Unabridged(yaml.SafeDumper):
    """Writes a value out each time it occurs."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@settings(deadline=None)
@given(written=st.lists(PLAIN, min_size=1, max_size=3))
def test_what_was_written_is_read(written, tmp_path_factory):
    path = tmp_path_factory.mktemp("yaml") / "given"
    text = yaml.dump_all(written, Dumper=Unabridged, explicit_start=True, allow_unicode=True)
    path.write_bytes(text.encode())

    assert yaml_content.documents(InputFile.look(path)) == (written, [])


@settings(deadline=None)
@given(value=PLAIN)
def test_json_is_yaml(value, tmp_path_factory):
    path = tmp_path_factory.mktemp("yaml") / "given"
    path.write_text(json.dumps({"a": value}, ensure_ascii=False), encoding="utf-8")

    assert yaml_content.documents(InputFile.look(path)) == ([{"a": value}], [])


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_anything_is_read_or_rejected(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("yaml") / "given"
    path.write_bytes(b"a:\n- b: {c: 1}\n---\n" + data)

    found, damaged = yaml_content.documents(InputFile.look(path))

    assert found[:1] == [{"a": [{"b": {"c": 1}}]}]
    assert all(rejection.line >= 4 for rejection in damaged)
