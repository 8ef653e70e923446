from __future__ import annotations

import json

import pytest

from kubepostmortem.sources import apiserver_flags
from kubepostmortem.sources.files import InputFile

COMMAND = [
    "/usr/local/bin/kube-apiserver",
    "--etcd-servers=https://e:2379",
    "--v",
    "2",
    "--profiling",
]
SETTINGS = {"etcd-servers": "https://e:2379", "v": "2", "profiling": "true"}

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "kube-apiserver-master-0", "namespace": "kube-system"},
    "spec": {"containers": [{"name": "proxy"}, {"name": "main", "command": COMMAND}]},
}


def settings(store, apiserver: str = "") -> dict[str, str]:
    rows = store.frame(
        "select setting, value from apiserver_config where apiserver = $apiserver",
        apiserver=apiserver,
    )
    return dict(rows.iter_rows())


@pytest.mark.parametrize(
    "text",
    [
        " ".join(COMMAND),
        "\n".join(COMMAND),
        " \\\n  ".join(COMMAND) + "\n",
        "\0".join(COMMAND) + "\0",
        "root 712 4.2 /x?y " + " ".join(COMMAND) + "\n",
        "# from ps\n\n" + "\n".join(COMMAND[1:]) + "\n",
        json.dumps({"args": COMMAND}),
        json.dumps({"args": COMMAND[1:]}, indent=1),
    ],
)
def test_reads_every_way_to_write_a_command_line(look, load, store, text):
    file = look(text)

    assert apiserver_flags.recognises(file)
    reading = load(apiserver_flags, file)

    assert (reading.lines, reading.loaded) == (3, 3)
    assert settings(store) == SETTINGS


def test_reads_the_pod_of_an_api_server_under_its_name(look, load, store):
    file = look(json.dumps(POD, indent=4))

    assert apiserver_flags.recognises(file)
    load(apiserver_flags, file)

    assert settings(store, "kube-apiserver-master-0") == SETTINGS


def test_values_of_a_repeated_flag_are_joined(look, load, store):
    load(apiserver_flags, look("kube-apiserver --runtime-config=a=true --runtime-config=b=false"))

    assert settings(store) == {"runtime-config": "a=true,b=false"}


def test_keeps_quotes_and_paths_to_secrets_but_no_secret(look, load, store):
    line = (
        "kube-apiserver --a='b c' --token-auth-file=/etc/t.csv --enable-bootstrap-token-auth "
        "--oidc-client-secret=hunter2 --etcd-servers=http://root:hunter2@e:2379,http://f:2379"
    )

    load(apiserver_flags, look(line))

    assert settings(store) == {
        "a": "b c",
        "token-auth-file": "/etc/t.csv",
        "enable-bootstrap-token-auth": "true",
        "oidc-client-secret": "(withheld)",
        "etcd-servers": "http://(withheld)@e:2379,http://f:2379",
    }


def test_words_that_belong_to_no_flag_are_rejected(look, load):
    reading = load(apiserver_flags, look("kube-apiserver --a=b stray --c=d -- --e='f"))

    assert (reading.loaded, reading.rejected) == (3, {"not a flag": 2})


def test_a_changed_setting_replaces_the_old_one(look, load, store):
    load(apiserver_flags, look("kube-apiserver --a=1 --b=1", "first"))
    reading = load(apiserver_flags, look("kube-apiserver --a=2 --b=1", "second"))

    assert (reading.loaded, reading.duplicates) == (1, 1)
    assert settings(store) == {"a": "2", "b": "1"}


def test_cut_files_are_rejected(look, load):
    assert load(apiserver_flags, look('{"args": ["kube-apiserver", "--a')).rejected == {
        "cut off: the JSON does not end": 1
    }
    file = look("kube-apiserver " + " ".join(f"--f{n}={n * n}" for n in range(999)), packed=True)
    file.path.write_bytes(file.path.read_bytes()[:-60])
    reading = load(apiserver_flags, InputFile.look(file.path))
    assert reading.rejected["cut off: the compressed file ends early"] == 1


def test_reads_what_a_real_api_server_ran_with(recorded, load, store):
    reading = load(apiserver_flags, recorded("apiserver_config.json"))

    assert (reading.lines, reading.loaded) == (25, 25)
    found = settings(store)
    assert found["max-requests-inflight"] == "80"
    assert found["authorization-mode"] == "Node,RBAC"
    assert "omitStages:\n- RequestReceived" in found["audit-policy"]
