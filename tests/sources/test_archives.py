"""Archives: every file in them is read or refused by name, and none gets out."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import warnings
import zipfile
import zlib

import pytest
import zstandard

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.ingest import ingest
from kubepostmortem.sources.archives import (
    DAMAGED_ARCHIVE,
    DAMAGED_MEMBER,
    LEADS_OUT,
    LOCKED,
    NO_FILE,
)
from kubepostmortem.sources.finding import DEEPEST, TOO_DEEP
from kubepostmortem.sources.packing import CUT_OFF
from planted import event, lines, request


def ids(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def log(number: int) -> bytes:
    return b"".join(lines(request(ids(number), received=number)))


def in_tar(files, mode: str = "w") -> bytes:
    """A tar archive of contents by name; a TarInfo stands for itself."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode) as tar:
        for name, content in files:
            entry = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def in_zip(files, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", how) as packed:
        for name, content in files:
            packed.writestr(zipfile.ZipInfo(name), content, how)
    return archive.getvalue()


ARCHIVES = {
    "tar": in_tar,
    "tar.gz": lambda files: in_tar(files, "w:gz"),
    "tar.bz2": lambda files: in_tar(files, "w:bz2"),
    "tar.xz": lambda files: in_tar(files, "w:xz"),
    "tar.zst": lambda files: zstandard.compress(in_tar(files)),
    "zip": in_zip,
    "stored zip": lambda files: in_zip(files, zipfile.ZIP_STORED),
    "zip.gz": lambda files: gzip.compress(in_zip(files)),
}
every_archive = pytest.mark.parametrize("pack", ARCHIVES.values(), ids=ARCHIVES)


@pytest.fixture
def told(store, tmp_path):
    """Ingest an archive, and return by name what became of each file."""

    def ingest_it(data: bytes) -> dict[str, str]:
        given = tmp_path / "given"
        given.write_bytes(data)
        try:
            outcomes = ingest(store, [given], "prod")
        except NoUsableInput:
            outcomes = []
        rows = store.rows("select path, loaded, ingest_id from ingests order by ingest_id")
        reasons = {r["ingest_id"]: r["reason"] for r in store.rows("from rejected_lines")}
        assert len(outcomes) in (0, len(rows))
        found = [
            (row["path"].removeprefix(str(given)).lstrip("/"), row["loaded"], row["ingest_id"])
            for row in rows
        ]
        return {name: reasons.get(number, loaded) for name, loaded, number in found}

    return ingest_it


def requests(store) -> int:
    return store.value("select count(*) from requests")


@every_archive
def test_each_file_of_an_archive_is_read(store, told, pack):
    files = [("b/audit.log", log(1)), ("a.log.gz", gzip.compress(log(2))), ("README", b"hello")]

    assert told(pack(files)) == {
        "b/audit.log": 2, "a.log.gz": 2, "README": "format not recognised",
    }  # fmt: skip
    assert requests(store) == 2


@every_archive
def test_an_archive_that_was_read_before_adds_nothing(store, told, tmp_path, pack):
    told(pack([("a.log", log(1)), ("b.log", log(2))]))

    again = ingest(store, [tmp_path / "given"], "prod")

    assert [outcome.skipped for outcome in again] == [True, True]


@every_archive
def test_an_empty_archive_is_no_usable_input(store, tmp_path, pack):
    (tmp_path / "given").write_bytes(pack([]))

    with pytest.raises(NoUsableInput):
        ingest(store, [tmp_path / "given"], "prod")


@every_archive
def test_a_name_that_leads_out_is_refused(told, tmp_path, pack):
    names = ["../out.log", "/out.log", "a/../../out.log", "C:\\out.log", "..\\out.log"]

    found = told(pack([*((name, log(n)) for n, name in enumerate(names)), ("in.log", log(9))]))

    assert list(found.values()).count(LEADS_OUT) == len(names)
    assert found["in.log"] == 2
    assert not list(tmp_path.parent.glob("**/out.log"))


def test_what_is_no_file_is_refused(told):
    odd = []
    for name, kind in {
        "link": tarfile.SYMTYPE,
        "hard": tarfile.LNKTYPE,
        "device": tarfile.CHRTYPE,
        "fifo": tarfile.FIFOTYPE,
    }.items():
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        odd.append((entry, b""))

    found = told(in_tar([*odd, ("audit.log", log(1))]))

    assert found == dict.fromkeys(["link", "hard", "device", "fifo"], NO_FILE) | {"audit.log": 2}


def test_an_encrypted_file_is_refused_and_the_others_are_read(told):
    packed = bytearray(in_zip([("a.log", log(1)), ("b.log", log(2))]))
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(magic) + flags] |= 1

    assert told(bytes(packed)) == {"a.log": LOCKED, "b.log": 2}


@pytest.mark.parametrize(
    ("place", "reason"),
    [(8, DAMAGED_MEMBER), (60, CUT_OFF)],
    ids=["an unknown method", "damaged content"],
)
def test_a_damaged_file_of_a_zip_costs_only_itself(told, place, reason):
    packed = bytearray(in_zip([("a.log", log(1)), ("b.log", log(2))]))
    packed[place] ^= 0x5F
    if place == 8:
        packed[packed.index(b"PK\x01\x02") + 10] ^= 0x5F

    found = told(bytes(packed))

    assert (found["a.log"], found["b.log"]) == (reason, 2)


@pytest.mark.parametrize("depth", [2, DEEPEST, DEEPEST + 1])
def test_archives_within_archives_are_opened_up_to_a_depth(told, depth):
    data = log(1)
    for level in range(depth):
        data = (in_tar, in_zip)[level % 2]([("x", data)])

    assert set(told(data).values()) == {2 if depth <= DEEPEST else TOO_DEEP}


@every_archive
def test_two_files_of_one_name_are_both_read(store, told, pack):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile does not like to write what others do write
        data = pack([("audit.log", log(1)), ("audit.log", log(2))])
    told(data)

    assert requests(store) == 2


@pytest.mark.parametrize("pack", [in_tar, in_zip])
def test_many_small_files_are_read(store, told, pack):
    found = told(pack([(f"{n}/audit.log", lines([event(ids(n))])[0]) for n in range(500)]))

    assert set(found.values()) == {1} and len(found) == 500
    assert requests(store) == 500


@pytest.mark.parametrize("name", ["tar", "tar.gz"])
def test_a_tar_that_was_cut_gives_what_comes_before(store, told, name):
    text = b"".join(lines([event(ids(n), agent=os.urandom(90).hex()) for n in range(900)]))
    data = ARCHIVES[name]([("a.log", log(1000)), ("b.log", text), ("c.log", log(1001))])

    found = told(data[: int(len(data) * 0.7)])

    assert found["a.log"] == 2
    assert found[""] == DAMAGED_ARCHIVE
    assert 400 < requests(store) < 900


def test_a_zip_that_was_cut_is_refused(told):
    assert told(in_zip([("a.log", log(1))])[:-30]) == {"": DAMAGED_ARCHIVE}


def test_a_file_may_begin_like_a_packed_one_without_being_one(told):
    bad = b"\x1f\x8b" + zlib.compress(b"x")

    assert told(in_tar([("a.gz", bad), ("b.log", log(1))])) == {
        "a.gz": CUT_OFF, "b.log": 2,
    }  # fmt: skip
