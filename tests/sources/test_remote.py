"""Files by URL: from a real object store, over HTTP and TLS, with and without the right to."""

from __future__ import annotations

import gzip
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubepostmortem.errors import NoUsableInput
from kubepostmortem.sources.remote import RemoteFile, download, is_remote, listing
from kubepostmortem.sources.remote_file import public_name
from s3_server import GETTER, LISTER, OPEN, S3Server, s3_server, without_credentials

LOGS = {
    "prod/master-0/audit.log": b"{}\n",
    "prod/master-0/audit-2024-12-11T22-59-01.123.log.gz": gzip.compress(b"{}\n" * 9),
    "prod/master-1/audit.log": b"{}\n{}\n",
    "prod-2/audit.log": b"other\n",
    "prod/wide name/ü%41?x#y &=+.log": b"odd\n",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        server.put("logs", LOGS)
        server.put(OPEN, {"audit.log": b"open\n"})
        yield server


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any credentials."""
    for name in without_credentials():
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


@pytest.fixture
def server(running: S3Server, nobody: pytest.MonkeyPatch) -> S3Server:
    """The server, and the environment that gives access to it."""
    for name, text in running.environment.items():
        nobody.setenv(name, text)
    return running


def fetched(file: RemoteFile, folder: Path) -> bytes:
    download(file, folder / "copy")
    return (folder / "copy").read_bytes()


def test_everything_under_a_prefix_in_order(server: S3Server, tmp_path: Path) -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    files = list(listing("s3://logs/prod/"))
    keys = [key for key in sorted(LOGS) if key.startswith("prod/")]
    assert [file.url for file in files] == [f"s3://logs/{key}" for key in keys]
    assert [fetched(file, tmp_path) for file in files] == [LOGS[key] for key in keys]
    assert [file.size for file in files] == [len(LOGS[key]) for key in keys]
    assert all(file.modified_ns > began.timestamp() * 1e9 for file in files)


@pytest.mark.parametrize(
    ("given_url", "count"),
    [
        ("s3://logs", 5),
        ("S3://logs/", 5),
        ("s3a://logs/prod", 4),
        ("s3://logs/prod/master-1/audit.log", 1),
        ("s3://logs/prod/wide name/ü%41?x#y &=+.log", 1),
    ],
)
def test_a_bucket_a_prefix_or_one_object(server: S3Server, given_url: str, count: int) -> None:
    assert len(list(listing(given_url))) == count


def test_an_object_and_what_lies_under_its_name(server: S3Server) -> None:
    server.put("both", {"a": b"1", "a/b": b"2"})
    assert [file.url for file in listing("s3://both/a")] == ["s3://both/a", "s3://both/a/b"]


@pytest.mark.parametrize(
    ("who", "given_url", "count"),
    [(GETTER, "s3://logs/prod-2/audit.log", 1), (LISTER, "s3://logs/prod", 4)],
)
def test_half_the_rights_are_enough(
    server: S3Server, nobody: pytest.MonkeyPatch, who: str, given_url: str, count: int
) -> None:
    nobody.setenv("AWS_ACCESS_KEY_ID", who)
    assert len(list(listing(given_url))) == count


def test_more_than_a_page_of_keys(server: S3Server) -> None:
    server.put("many", {f"audit-{number:04}.log": b"" for number in range(1_050)})
    assert len({file.url for file in listing("s3://many")}) == 1_050


MEASURE = """
import resource, sys
from pathlib import Path
from kubepostmortem.sources.remote import download, listing
(small,), (big,) = listing("s3://logs/prod-2/audit.log"), listing("s3://big/audit.log")
download(small, Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
download(big, Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_big_object_in_bounded_memory(server: S3Server, tmp_path: Path) -> None:
    size = 100 << 20
    obstore.put(server.bucket("big"), "audit.log", bytes(size))
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "copy"], capture_output=True, text=True
    )
    assert measured.stderr == ""
    assert (tmp_path / "copy").stat().st_size == size
    assert int(measured.stdout) < 32 << 10  # KiB


@pytest.mark.parametrize(
    ("given_url", "changed", "says"),
    [
        ("s3://absent/a", {}, r"not found: s3://absent/a \(NoSuchBucket\)"),
        ("s3://logs/absent.log", {}, "not found: s3://logs/absent.log"),
        ("s3://logs/pro", {}, "not found: s3://logs/pro; a prefix ends at a slash"),
        ("s3://", {}, "names no bucket"),
        ("s3://logs/a/../b", {}, "no client can name"),
        ("s3://logs", {"AWS_SECRET_ACCESS_KEY": "wrong"}, "no access .*SignatureDoesNotMatch"),
        ("s3://logs", {"AWS_ACCESS_KEY_ID": "wrong"}, "no access .*InvalidAccessKeyId"),
        ("s3://logs/prod", {"AWS_ACCESS_KEY_ID": GETTER}, "no access to s3://logs/prod"),
        ("s3://logs", {"AWS_ACCESS_KEY_ID": ""}, "no access .*without credentials: set AWS_ACC"),
        ("s3://logs", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot reach s3://logs: no ans"),
        ("s3://me:secret@logs/a", {}, "^credentials belong in environment variables"),
        ("az://logs/a", {}, "cannot reach az://logs/a: .*[Aa]ccount"),
        ("http://example.com/a?sig=secret", {}, "^http:// is not read.*: example.com/a$"),
        ("https://", {}, "names no host: https://$"),
    ],
)
def test_says_why_not(
    server: S3Server,
    nobody: pytest.MonkeyPatch,
    given_url: str,
    changed: dict[str, str],
    says: str,
) -> None:
    for name, text in changed.items():
        nobody.setenv(name, text)
    with pytest.raises(NoUsableInput, match=says) as refused:
        listing(given_url)
    assert "secret" not in str(refused.value)


def test_an_object_that_is_gone_leaves_no_copy(server: S3Server, tmp_path: Path) -> None:
    server.put("gone", {"a.log": b"1"})
    (file,) = listing("s3://gone/a.log")
    obstore.delete(server.bucket("gone"), "a.log")
    with pytest.raises(NoUsableInput, match="not found: s3://gone/a"):
        download(file, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_copy_that_cannot_be_kept(server: S3Server, tmp_path: Path) -> None:
    (file,) = listing("s3://logs/prod-2/audit.log")
    with pytest.raises(NoUsableInput, match="cannot keep a copy of s3://logs/prod-2"):
        download(file, tmp_path / "absent" / "copy")


def test_an_open_bucket_without_credentials(
    running: S3Server, nobody: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody.setenv("AWS_ENDPOINT_URL", running.endpoint)
    (file,) = listing(f"s3://{OPEN}")
    assert fetched(file, tmp_path) == b"open\n"


@pytest.mark.parametrize("key", ["..evil", "~root", "$(id)", "-rf", "C:evil", "a/...", "%2e%2e"])
def test_a_hostile_key_is_a_mere_label(server: S3Server, tmp_path: Path, key: str) -> None:
    server.put("hostile", {f"{key}/x": b"1"})
    (file,) = listing(f"s3://hostile/{key}")
    assert file.url == f"s3://hostile/{key}/x"
    assert fetched(file, tmp_path) == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


class Lying(BaseHTTPRequestHandler):
    """Lists a key that no object store should hold; redirects all else to plain HTTP."""

    def do_GET(self) -> None:
        listed = "list-type" in self.path
        self.send_response(200 if listed else 302)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()
        if listed:
            self.wfile.write(LISTED)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


LISTED = (
    b"<ListBucketResult><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents>"
    b"<Key>../../etc/passwd</Key><Size>1</Size><LastModified>2024-12-11T22:51:00.000Z"
    b"</LastModified></Contents></ListBucketResult>"
)


@contextmanager
def lying(certificates: Path | None = None) -> Iterator[int]:
    """Run a lying server, with TLS where a folder with its certificate is given."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Lying) as server:
        if certificates:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificates / "certificate.pem", certificates / "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_key_that_climbs_is_refused(nobody: pytest.MonkeyPatch) -> None:
    with lying() as port:
        nobody.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        with pytest.raises(NoUsableInput, match=r"cannot read s3://logs: a key there has `\.`"):
            listing("s3://logs")


def test_one_file_over_https(running: S3Server, nobody: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nobody.setenv("SSL_CERT_FILE", str(running.authority))
    (file,) = listing(f"{running.tls_endpoint}/{OPEN}/audit.log")
    (known,) = running.bucket(OPEN).list().collect()
    assert (file.size, file.modified_ns) == (5, known["last_modified"].timestamp() * 1e9)
    assert fetched(file, tmp_path) == b"open\n"


def test_a_signed_url_is_kept_without_its_signature(
    running: S3Server, nobody: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody.setenv("SSL_CERT_FILE", str(running.authority))
    bucket = running.bucket("logs", running.tls_endpoint)
    signed = obstore.sign(bucket, "GET", "prod/master-1/audit.log", timedelta(hours=1))
    (file,) = listing(signed)
    assert file.url == f"{running.tls_endpoint}/logs/prod/master-1/audit.log"
    assert "Signature" not in repr(file)
    assert fetched(file, tmp_path) == b"{}\n{}\n"
    with pytest.raises(NoUsableInput, match=r"no access to \S+audit.log \(Forbidden\)") as refused:
        listing(signed.replace("Signature=", "Signature=0"))
    assert "Signature=" not in str(refused.value)


def test_objects_over_tls_by_a_private_authority(
    server: S3Server, nobody: pytest.MonkeyPatch
) -> None:
    nobody.setenv("AWS_ENDPOINT_URL", server.tls_endpoint)
    with pytest.raises(NoUsableInput, match="its certificate is not trusted"):
        listing("s3://logs")
    with pytest.raises(NoUsableInput, match="cannot reach"):
        listing(f"{server.tls_endpoint}/{OPEN}/audit.log")
    nobody.setenv("SSL_CERT_FILE", str(server.authority))
    nobody.setenv("AWS_REGION", "eu-west-1")  # or the client that was refused is used again
    assert len(list(listing("s3://logs"))) == 5


def test_a_redirect_to_plain_http_is_not_followed(
    running: S3Server, nobody: pytest.MonkeyPatch
) -> None:
    nobody.setenv("SSL_CERT_FILE", str(running.authority))
    with lying(running.authority.parent) as port, pytest.raises(NoUsableInput, match="left https"):
        listing(f"https://127.0.0.1:{port}/audit.log")


@pytest.mark.parametrize(
    ("name", "remote"),
    [
        *((f"{scheme}://b/k", True) for scheme in ("s3", "gs", "az", "abfs", "abfss", "https")),
        ("HTTPS://host/x", True),
        ("audit.log", False),
        ("./s3://b", False),
        ("s3:/b", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_knows_a_url(name: str, remote: bool) -> None:
    assert is_remote(name) is remote


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://me:pw@host:8443/a/b.gz?x=1#f", "https://host:8443/a/b.gz"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://acct.blob.core.windows.net/c/PT1H.json?sv=1&sig=pw", None),
        ("s3://b/k?versions=all#1", "s3://b/k?versions=all#1"),
        ("s3://b/k?X-Amz-Date=1&X-Amz-Signature=pw", "s3://b/k"),
        ("az://c/k?sv=1&sig=pw", "az://c/k"),
        ("abfss://c@acct.dfs.core.windows.net/k", "abfss://c@acct.dfs.core.windows.net/k"),
    ],
)
def test_a_name_holds_no_secret(address: str, name: str | None) -> None:
    assert public_name(address) == (name or address.partition("?")[0])


@given(
    st.sampled_from(["s3://b/k", "https://h/k", "https://me@h/k", "az://c/k"]),
    st.sampled_from(["X-Amz-Signature", "sig", "X-Goog-Credential", "AWSAccessKeyId", "token"]),
    st.text(),
)
def test_no_query_brings_a_secret_into_a_name(start: str, secret: str, more: str) -> None:
    assert "hunter2" not in public_name(f"{start}?{secret}=hunter2&{more}")


def test_no_client_is_loaded_before_a_url_is_given() -> None:
    loads = (
        "import sys, kubepostmortem.sources.remote; print({'obstore', 'httpx'} & {*sys.modules})"
    )
    assert subprocess.check_output([sys.executable, "-c", loads], text=True) == "set()\n"
