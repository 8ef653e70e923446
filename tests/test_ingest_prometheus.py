"""`ingest --prometheus`: the time it asks about, access, and errors that say what to do."""

from __future__ import annotations

import json
import re
import ssl
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

import pytest
import trustme

from kubepostmortem import cli
from kubepostmortem.errors import UsageError
from kubepostmortem.incident import Window
from kubepostmortem.model import TABLES
from kubepostmortem.sources import prometheus_client
from kubepostmortem.sources.prometheus_client import TOKEN, Server
from kubepostmortem.store import Store
from kubepostmortem.windows import set_window
from prometheus_proxy import Answer, Proxy, Request, proxy

SPAN = ("--since", "2024-12-11T22:30:00Z", "--until", "2024-12-11T22:40:00Z")
NAMES = b'{"status":"success","data":["up"]}'
LABELS = {"__name__": "up", "job": "dns"}
UP = {"resultType": "matrix", "result": [{"metric": LABELS, "values": [[1733956300, "1"]]}]}
SECRET = "hunter2-hunter2"

Run = Callable[..., tuple[int, str]]


def answered(request: Request, *_: object) -> Answer:
    """What a server with one sample answers."""
    return Answer(200, NAMES if "query" not in request.parameters else told(UP))


def told(data: object) -> bytes:
    return json.dumps({"status": "success", "data": data}).encode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(prometheus_client, "sleep", lambda _: None)
    with proxy("") as between:
        between.spoil = answered
        yield between


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "incident.duckdb"


@pytest.fixture
def run(database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `ingest` with these words; give the exit code and what it said."""

    def ingest(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["kpm", "ingest", "-d", str(database), *words])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out + said.err

    return ingest


def everything(database: Path) -> str:
    """All that the tables hold, as text; the file itself may be compressed."""
    with Store.open(database) as store:
        return "".join(str(store.frame(f'from "{table}"').rows()) for table in TABLES)


def bearer(word: str) -> Callable[..., Answer]:
    """Answer who sends this word, and tell others what is wrong."""

    def spoil(request: Request, *_: object) -> Answer:
        if request.headers.get("authorization") == word:
            return answered(request)
        return Answer(401, b"who are you?")

    return spoil


def test_the_token_is_sent_and_kept_nowhere(server, run, database, monkeypatch):
    monkeypatch.setenv(TOKEN, f" {SECRET}\n")
    server.spoil = bearer(f"Bearer {SECRET}")

    code, said = run("--prometheus", server.url, *SPAN)

    assert (code, said) == (0, "2 files: 1 loaded, 1 filtered\n")
    assert SECRET not in everything(database)


def test_the_login_of_the_url_is_sent_and_kept_nowhere(server, run, database):
    server.spoil = bearer("Basic " + b64encode(f"me:{SECRET}@".encode()).decode())
    url = server.url.replace("://", f"://me:{SECRET}%40@") + f"/prefix/?tenant={SECRET}"

    code, said = run("--prometheus", url, *SPAN)

    assert (code, said) == (0, "2 files: 1 loaded, 1 filtered\n")
    assert SECRET not in everything(database)
    assert {request.path for request in server.asked} == {
        "/prefix/api/v1/label/__name__/values",
        "/prefix/api/v1/query",
    }
    assert all(request.parameters["tenant"] == SECRET for request in server.asked)
    with Store.open(database) as store:
        paths = store.frame("select path from ingests order by path")["path"].to_list()
    assert paths == [
        f"{server.url}/prefix/api/v1/label/__name__/values?start=1733956200.000&end=1733956800.000",
        f"{server.url}/prefix/api/v1/query?query=up%5B600000ms%5D&time=1733956799.999",
    ]


def test_the_token_goes_before_the_login(server, run, monkeypatch):
    monkeypatch.setenv(TOKEN, SECRET)
    server.spoil = bearer(f"Bearer {SECRET}")
    assert run("--prometheus", server.url.replace("://", "://me:pw@"), *SPAN)[0] == 0


@pytest.mark.parametrize("word", ["", "wrong"])
def test_a_wrong_token_is_told(server, run, database, monkeypatch, word):
    monkeypatch.setenv(TOKEN, word)
    server.spoil = bearer(f"Bearer {SECRET}")

    code, said = run("--prometheus", server.url, *SPAN)

    assert code == 3
    assert f"no access to {server.url} (who are you?); set {TOKEN}, or" in said
    assert not database.exists()


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (Answer(404, b"404 page not found"), "not found: .*; the URL ends where /api/v1 begins"),
        (Answer(302, b"", {"Location": "https://login"}), "the server answers 302 .Found"),
        (Answer(200, b"<html>Please log in</html>"), "it does not answer as Prometheus does"),
        (Answer(200, b'{"data":{"x":1}}'), "it does not answer as Prometheus does"),
        (Answer(500, b"\x1b[31m boom"), "the server answers 500 .*boom"),
        (Answer(422, b'{"error":"too long"}'), "the server answers 422: too long"),
    ],
)
def test_a_server_that_is_none_is_told(server, run, database, spoiled, says):
    server.spoil = lambda *_: spoiled
    code, said = run("--prometheus", server.url, *SPAN)
    assert code == 3
    assert re.search(says, said)
    assert "\x1b" not in said
    assert not database.exists()


def test_a_server_that_is_down_is_told(run, database, monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.setattr(prometheus_client, "sleep", lambda _: None)
    code, said = run("--prometheus", f"http://me:{SECRET}@127.0.0.1:9/", *SPAN)
    assert (code, said) == (
        3,
        "kubepostmortem: cannot reach http://127.0.0.1:9: ConnectError\n",
    )
    assert not database.exists()


def test_a_server_behind_a_private_authority(run, tmp_path, monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    authority, trust = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(trust)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with proxy("", trust) as between:
        between.spoil = answered
        code, said = run("--prometheus", between.url, *SPAN)
        assert code == 3
        assert "its certificate is not trusted; SSL_CERT_FILE names another authority" in said
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert run("--prometheus", between.url, *SPAN)[0] == 0


def test_the_windows_tell_the_time(server, run, database, empty):
    with Store.create(Path(copyfile(empty, database))) as store:
        store.run("insert into clusters values ('prod')")
        set_window(
            store, "prod", "baseline", Window.parse("2024-12-11T22:00:00Z/2024-12-11T22:10:00Z")
        )
        set_window(
            store, "prod", "overload", Window.parse("2024-12-11T22:20:00Z/2024-12-11T22:30:00Z")
        )

    assert run("--prometheus", server.url, "--cluster", "prod")[0] == 0
    assert server.queries == [
        "up[600000ms] 1733954399.999",
        "up[2400000ms] 1733956799.999",
    ]


@pytest.mark.parametrize("ahead", [7200, -60])
def test_the_present_is_asked_about_again_and_the_future_never(server, run, ahead):
    now = time.time()
    since, until = (datetime.fromtimestamp(now + s, UTC).isoformat() for s in (-10800, ahead))

    def ends() -> list[float]:
        server.asked.clear()
        assert run("--prometheus", server.url, "--since", since, "--until", until)[0] == 0
        return [float(query.split()[1]) for query in server.queries]

    first, second = ends(), ends()
    assert len(first) >= 3 and max(first) <= time.time()
    assert second and min(second) > now - 301


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nothing to read"),
        (["--prometheus", "http://127.0.0.1:9"], "say --since and --until, or ingest an audit log"),
        (["--prometheus", "http://127.0.0.1:9", *SPAN[:2]], "say --since and --until"),
        (["--prometheus", "host:9090", *SPAN], "wants the URL of a server"),
        (["--prometheus", f"https://me:a@{SECRET}/b@host", *SPAN], "wants the URL of a server"),
        (["--prometheus", "https://host:99999", *SPAN], "wants the URL of a server"),
        (["--prometheus", f"http://me:{SECRET}@example.com", *SPAN], "sent over https:// only"),
        (["--since", "2024-12-11T22:30:00Z", "x.log"], "go with --prometheus only"),
        (["--prometheus", "http://h", SPAN[0], SPAN[3], SPAN[2], SPAN[1]], "ends before it begins"),
    ],
)
def test_what_cannot_be_meant(run, database, monkeypatch, words, says):
    monkeypatch.delenv(TOKEN, raising=False)
    code, said = run(*words)
    assert code == 2
    assert says in said
    assert SECRET not in said
    assert not database.exists()


@pytest.mark.parametrize("token", ["two\nlines", "é"])
def test_a_token_that_is_none(monkeypatch, token):
    monkeypatch.setenv(TOKEN, token)
    with pytest.raises(UsageError, match="holds what no token does"):
        Server.at("https://host")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h:9090", "http://h:9090"),
        ("HTTPS://me:pw@h/prometheus/?x=1#f", "https://h/prometheus"),
        ("http://[::1]:9090/api/v1/", "http://[::1]:9090"),
        ("https://h/a/api/v1", "https://h/a"),
    ],
)
def test_a_server_has_a_name_without_secrets(monkeypatch, url, name):
    monkeypatch.delenv(TOKEN, raising=False)
    server = Server.at(url)
    assert server.name == name
    assert "pw" not in repr(server)
