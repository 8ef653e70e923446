"""The commands about flow control: simulate and fence."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from kubepostmortem import output
from kubepostmortem.command_options import DEFAULT_DATABASE, Database
from kubepostmortem.errors import UsageError
from kubepostmortem.flowcontrol.manifests import Manifests, read_manifests
from kubepostmortem.flowcontrol.parsing import Malformed
from kubepostmortem.flowcontrol.spelling import printable
from kubepostmortem.flowcontrol.writing import manifest
from kubepostmortem.simulation.fencing import TriedFence
from kubepostmortem.simulation.policies import Wish
from kubepostmortem.simulation.replaying import Replayable
from kubepostmortem.simulation.simulation import Simulation, how_close

Policy = StrEnum("Policy", ["actual", "defaults", "off", "fence"])
Format = StrEnum("Format", ["table", "json"])
Version = StrEnum("Version", ["v1", "v1beta3", "v1beta2", "v1beta1"])
Cluster = Annotated[str | None, typer.Option(help="Cluster; default: where the cause asks most.")]


def simulate(
    database: Database = DEFAULT_DATABASE,
    policy: Annotated[
        Policy | None, typer.Option(help="Policy to try; default: all of them, side by side.")
    ] = None,
    apf: Annotated[
        bool | None,
        typer.Option("--apf/--no-apf", help="API Priority and Fairness on or off."),
    ] = None,
    max_requests_inflight: Annotated[
        int | None, typer.Option(help="Another --max-requests-inflight.", min=0)
    ] = None,
    max_mutating_requests_inflight: Annotated[
        int | None, typer.Option(help="Another --max-mutating-requests-inflight.", min=0)
    ] = None,
    flow_config: Annotated[
        Path | None,
        typer.Option(help="FlowSchemas and priority levels to apply, YAML or JSON; - is stdin."),
    ] = None,
    seats: Annotated[
        int | None, typer.Option(help="Seats of the fence; default: what spares others.", min=1)
    ] = None,
    cluster: Cluster = None,
    output_format: Annotated[
        Format, typer.Option("--output", "-o", help="A table, or all of it as data.")
    ] = Format.table,
) -> None:
    """Replay the recorded load under another policy: who would have been answered?

    A simulation, with its error measured on the policy that was in force. The policy fence is
    what `fence` designs.
    """
    from kubepostmortem.postmortem import Postmortem

    postmortem = Postmortem.open(database)
    wish = Wish(
        policy.value if policy and policy is not Policy.fence else "actual",
        apf,
        max_requests_inflight,
        max_mutating_requests_inflight,
        _manifests(flow_config) if flow_config else None,
    )
    if seats is not None and policy is not Policy.fence:
        raise UsageError("--seats goes with --policy fence")
    if policy is Policy.fence:
        _refuse_changes(wish)
        tried = [postmortem.fence(cluster, seats).simulation]
    elif policy is None and wish == Wish():
        names = ("actual", "defaults", "off")
        tried = [postmortem.simulate(Wish(name), cluster) for name in names]
        tried.append(postmortem.fence(cluster).simulation)
    else:
        tried = [postmortem.simulate(wish, cluster)]
    _print(tried, postmortem.replayed(cluster), output_format)


def fence(
    database: Database = DEFAULT_DATABASE,
    seats: Annotated[
        int | None,
        typer.Option(help="Seats of the level; default: as many as spare all others.", min=1),
    ] = None,
    api_version: Annotated[
        Version, typer.Option(help="Version of flowcontrol.apiserver.k8s.io to write.")
    ] = Version.v1,
    cluster: Cluster = None,
    output_format: Annotated[
        Format, typer.Option("--output", "-o", help="table: YAML; json: all of it as data.")
    ] = Format.table,
) -> None:
    """Print a FlowSchema and a priority level that would have held the culprit, as YAML.

    Nothing is applied: read it, and apply it with `kubectl apply -f`.
    """
    from kubepostmortem.postmortem import Postmortem

    postmortem = Postmortem.open(database)
    built = postmortem.fence(cluster, seats)
    text = manifest(
        built.fence.priority_level,
        built.fence.flow_schema,
        api_version.value,
        comments=built.fence.comments,
    )
    if output_format is Format.json:
        output.print_json(_fence_data(built, text))
        return
    sys.stdout.write(text)
    for note in _notes(built):
        typer.echo(f"# {output.line(note)}", err=True)


def _manifests(path: Path) -> Manifests:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        read = read_manifests(text)
    except OSError as failed:
        raise UsageError(f"cannot read {path}: {failed.strerror or failed}") from failed
    except UnicodeDecodeError as failed:
        raise UsageError(f"{path} is no UTF-8 text") from failed
    except Malformed as wrong:
        raise UsageError(f"{path}: {wrong}") from wrong
    for ignored in read.ignored:
        typer.echo(f"ignored: {printable(ignored)}", err=True)
    return read


def _refuse_changes(wish: Wish) -> None:
    if wish != Wish():
        raise UsageError("--policy fence is what `fence` designs: other options do not go with it")


def _print(tried: list[Simulation], one: Replayable, how: Format) -> None:
    if how is Format.json:
        told = [_simulation_data(each, one) for each in tried]
        output.print_json(told[0] if len(told) == 1 else {"simulations": told})
        return
    for each in tried:
        sys.stdout.write(f"Simulated, policy {each.policy}: {each.verdict}\n\n")
        output.emit(_rows(each), "table")
        sys.stdout.write("\n")
    output.bullets("The model", [how_close(one.models.fit), *one.assumptions])


def _rows(simulated: Simulation) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "group": group.group,
                "calls": group.requests,
                "answered in time": f"{group.answered.likely:.1%}",
                "at least": f"{group.answered.low:.1%}",
                "at most": f"{group.answered.high:.1%}",
                "tries refused": ", ".join(f"{n:,} {why}" for why, n in group.refused.items()),
                "wait p50 s": round(group.wait_p50_s, 2),
                "wait p99 s": round(group.wait_p99_s, 2),
            }
            for group in simulated.groups
        ]
    )


def _simulation_data(simulated: Simulation, one: Replayable) -> dict[str, Any]:
    return {
        "simulated": True,
        "policy": simulated.policy,
        "apf": simulated.apf,
        "cluster": one.cluster,
        "groups": [asdict(group) for group in simulated.groups],
        "verdict": simulated.verdict,
        "decided": simulated.decided,
        "fit": {**asdict(simulated.fit), "holds": simulated.fit.holds},
        "assumptions": list(one.assumptions),
        "settings": [asdict(setting) for setting in one.known.settings],
    }


def _fence_data(built: TriedFence, text: str) -> dict[str, Any]:
    return {
        "manifest": text,
        "seats": built.fence.seats,
        "spares_others": built.spares,
        "reasons": list(built.fence.reasons),
        "warnings": [*built.fence.warnings, *built.hazards],
        "held": [asdict(moved) for moved in built.moved],
        "groups": [asdict(group) for group in built.simulation.groups],
        "verdict": built.simulation.verdict,
    }


def _notes(built: TriedFence) -> list[str]:
    """What to weigh before it is applied, most important first."""
    held = [f"{moved.requests:,} of {moved.component}" for moved in built.moved]
    spared = (
        f"Simulated: {built.simulation.verdict}"
        if built.spares
        else f"Simulated: no such fence spares all others. {built.simulation.verdict}"
    )
    return [
        spared,
        f"It holds, of the recorded calls: {', '.join(held) or 'none'}.",
        *built.fence.warnings,
        *built.hazards,
    ]
