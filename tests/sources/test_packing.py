"""Packed files: known by content, read as far as they go, and never beyond a limit."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import time
import tracemalloc
import zipfile
from itertools import pairwise

import pytest
import zstandard

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.ingest import ingest
from kubepostmortem.sources import spool
from kubepostmortem.sources.content import content
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.packing import CUT_OFF, MAGIC, TOO_LARGE
from planted import event, lines

PACK = {
    "gzip": lambda data: gzip.compress(data, 1),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bzip2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
}
WORDS = random.Random(1).choices([f"{n:x}" for n in range(99_999)], k=60_000)
TEXT = " ".join(WORDS).encode()
MIB = 1 << 20

every_packing = pytest.mark.parametrize("packing", PACK)


def damaged(packed: bytes, damage: str) -> bytes:
    half = len(packed) // 2
    return {
        "whole": packed,
        "zero-padded": packed + b"\0" * 1024,
        "two members": packed + packed,
        "padding between": packed + b"\0" * 512 + packed,
        "cut": packed[:half],
        "cut in its last bytes": packed[:-3],
        "trailing junk": packed + b"what is this?" * 9,
        "corrupted": packed[:half] + bytes(b ^ 0x55 for b in packed[half : half + 9])
        + packed[half + 9 :],
    }[damage]  # fmt: skip


WHOLE = {"whole": 1, "zero-padded": 1, "two members": 2, "padding between": 2}


@every_packing
@pytest.mark.parametrize("damage", WHOLE)
def test_a_sound_file_is_read_to_its_end(look, packing, damage):
    file = look(damaged(PACK[packing](TEXT), damage))

    assert file.packings == (packing,)
    assert content(file) == (TEXT * WHOLE[damage], None)


@every_packing
@pytest.mark.parametrize("damage", ["cut", "cut in its last bytes", "trailing junk", "corrupted"])
def test_a_damaged_file_gives_what_it_can_and_says_so(look, packing, damage):
    found, lost = content(look(damaged(PACK[packing](TEXT), damage)))

    assert lost == CUT_OFF
    assert damage == "corrupted" or TEXT.startswith(found)
    assert len(found) > len(TEXT) // 5
    assert damage != "trailing junk" or found == TEXT


@pytest.mark.parametrize(("outer", "inner"), [*pairwise([*PACK, "gzip", "gzip"])])
def test_packings_within_one_another_are_undone(look, outer, inner):
    file = look(PACK[outer](PACK[inner](TEXT)))

    assert file.packings == (outer, inner)
    assert content(file) == (TEXT, None)


@every_packing
def test_a_few_bytes_of_a_packed_file_are_no_error(look, packing):
    packed = PACK[packing](TEXT)
    for size in range(len(MAGIC[packing]), 40):
        found, lost = content(look(packed[:size]))
        assert TEXT.startswith(found) and lost == CUT_OFF


# Bombs. All begin as an audit log does, and go on with 10 GB of nothing.

HEAD = b"".join(lines([event()]))


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    nothing = bytes(64 * MIB)
    return {name: pack(HEAD) + pack(nothing) * 160 for name, pack in PACK.items()}


@pytest.fixture(autouse=True)
def small_limit(request, monkeypatch):
    if "bombs" in request.fixturenames:
        monkeypatch.setattr(spool, "SMALL", 8 * MIB)


def limited(path, expansion=1):
    return InputFile.look(path, most=max(8 * MIB, path.stat().st_size * expansion))


@every_packing
def test_a_bomb_costs_neither_time_nor_memory(tmp_path, bombs, packing):
    path = tmp_path / "bomb"
    path.write_bytes(bombs[packing])
    file = limited(path)
    begun = time.monotonic()
    tracemalloc.start()

    found, lost = content(file)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lost == TOO_LARGE
    assert found.startswith(HEAD)
    assert peak < 2 * file.most + 16 * MIB  # the content, and its pieces
    assert time.monotonic() - begun < 5


@every_packing
def test_the_ledger_names_the_limit_that_a_bomb_broke(store, tmp_path, bombs, packing):
    path = tmp_path / "audit.log"
    path.write_bytes(bombs[packing])

    (outcome,) = ingest(store, [path], "prod", expansion=1)

    assert outcome.format == "audit.k8s.io/v1 lines"
    assert outcome.reading.loaded == 1
    assert TOO_LARGE in outcome.reading.rejected


def test_a_bomb_within_a_bomb_is_no_worse(look, bombs):
    file = look(gzip.compress(gzip.compress(bombs["gzip"])))

    assert content(limited(file.path))[1] == TOO_LARGE


def in_tar(data: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("audit.log")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


def in_zip(data: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("audit.log", data)
    return archive.getvalue()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda bomb: in_tar(bomb),
        lambda bomb: in_zip(bomb),
        lambda bomb: gzip.compress(in_tar(bomb)),
        lambda bomb: in_zip(HEAD + bytes(64 * MIB)),
        lambda bomb: gzip.compress(in_tar(HEAD + bytes(64 * MIB))),
    ],
    ids=["tar of gzip", "zip of gzip", "tar.gz of gzip", "zip", "tar.gz"],
)
def test_a_bomb_in_an_archive_is_refused(store, tmp_path, bombs, wrap):
    (tmp_path / "given").write_bytes(wrap(bombs["gzip"]))

    try:
        outcomes = ingest(store, [tmp_path / "given"], "prod", expansion=1)
        reasons = [reason for outcome in outcomes for reason in outcome.reading.rejected]
    except NoUsableInput as refused:
        reasons = [str(refused)]

    assert any(TOO_LARGE in reason for reason in reasons)


def test_a_higher_limit_lets_a_large_file_in(store, tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "SMALL", MIB)
    text = HEAD + b"\n" * 3 * MIB
    (tmp_path / "audit.log.gz").write_bytes(gzip.compress(text))

    (refused,) = ingest(store, [tmp_path / "audit.log.gz"], "low", expansion=2)
    (read,) = ingest(store, [tmp_path / "audit.log.gz"], "high", expansion=2000)

    assert list(refused.reading.rejected) == [TOO_LARGE]
    assert (read.reading.loaded, read.reading.rejected) == (1, {})
