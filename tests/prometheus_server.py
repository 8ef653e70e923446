"""A real Prometheus over samples of our choice, where the machine has one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

READY_S = 60
needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="prometheus and promtool are not installed",
)


def write_blocks(folder: Path, openmetrics: str) -> Path:
    """Write samples in OpenMetrics, with their times, as blocks of a Prometheus database."""
    text, data = folder / "samples.om", folder / "data"
    text.write_text(openmetrics)
    promtool("tsdb", "create-blocks-from", "openmetrics", str(text), str(data))
    return data


def promtool(*arguments: str) -> str:
    """Run promtool and return what it prints."""
    ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=True)
    return ran.stdout


@contextmanager
def prometheus(data: Path, *flags: str) -> Iterator[str]:
    """Serve a database of Prometheus; give the base URL, like http://127.0.0.1:40001."""
    config = data.parent / "prometheus.yml"
    config.write_text("scrape_configs: []\n")
    address = f"127.0.0.1:{_free_port()}"
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
        *flags,
    ]
    with (data.parent / "prometheus.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_ready(server, f"http://{address}")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(timeout=READY_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"prometheus ended with {server.returncode}")
        try:
            if httpx.get(f"{url}/-/ready", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"prometheus was not ready within {READY_S} s")
