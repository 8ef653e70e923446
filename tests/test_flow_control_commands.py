"""Commands simulate and fence: what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from kubepostmortem.cli import main
from kubepostmortem.ingest import ingest
from kubepostmortem.store import Store
from planted import telemetry_storm, write_log

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted storm of LISTs."""
    folder = tmp_path_factory.mktemp("storm")
    log = write_log(folder / "audit.log", telemetry_storm())
    path = folder / "incident.duckdb"
    with Store.create(path) as store:
        ingest(store, [log], "prod")
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command line; return its exit code."""
    monkeypatch.setattr("sys.argv", ["kubepostmortem", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_policy_is_told_by_group(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    code = run(monkeypatch, "simulate", "-d", database, "--policy", "off", "-o", "json")

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["simulated"] and told["policy"] == "off" and not told["apf"]
    assert "culprit" in {group["group"] for group in told["groups"]}
    for group in told["groups"]:
        answered = group["answered"]
        assert 0 <= answered["low"] <= answered["likely"] <= answered["high"] <= 1
    assert told["fit"]["cores"] > 0 and told["assumptions"]


def test_without_a_policy_all_stand_side_by_side(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    run(monkeypatch, "simulate", "-d", database, "-o", "json")

    told = json.loads(capsys.readouterr().out)["simulations"]
    assert [one["policy"] for one in told] == ["actual", "defaults", "off", "fence"]


def test_the_fence_is_yaml_that_simulate_takes(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    run(monkeypatch, "fence", "-d", database)
    text = capsys.readouterr().out
    fence = tmp_path / "fence.yaml"
    fence.write_text(text)

    options = ("--policy", "defaults", "--flow-config", fence, "-o", "json")
    run(monkeypatch, "simulate", "-d", database, *options)

    kinds = [document["kind"] for document in yaml.safe_load_all(text)]
    assert kinds == ["PriorityLevelConfiguration", "FlowSchema"]
    assert json.loads(capsys.readouterr().out)["policy"] == "defaults, with the given objects"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--no-apf", "--flow-config", "fence.yaml"), "do nothing without"),
        (("--policy", "fence", "--no-apf"), "do not go with it"),
        (("--seats", "3"), "--seats goes with --policy fence"),
        (("--flow-config", "missing.yaml"), "cannot read missing.yaml"),
        (("--flow-config", "broken.yaml"), "broken.yaml: "),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...],
    says: str,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    level = {
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "PriorityLevelConfiguration",
        "metadata": {"name": "mine"},
        "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}},
    }
    Path("fence.yaml").write_text(yaml.safe_dump(level))
    Path("broken.yaml").write_text("kind: [")

    code = run(monkeypatch, "simulate", "-d", database, *arguments)

    assert code == 2
    assert says in capsys.readouterr().err


def test_without_an_overload_nothing_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    path = tmp_path / "empty.duckdb"
    Store.create(path).close()

    code = run(monkeypatch, "simulate", "-d", path, "--policy", "off")

    assert code == 3
    assert "kubepostmortem:" in capsys.readouterr().err
