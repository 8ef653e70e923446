"""Whether API Priority and Fairness was on, and how long requests may take."""

from __future__ import annotations

from dataclasses import dataclass

from kubepostmortem.simulation.flags import APF, TIMEOUT, Flags
from kubepostmortem.simulation.metrics_told import Told
from kubepostmortem.simulation.setting import Origin, Setting

ON_SINCE = 20  # by default, of Kubernetes 1.20
GATE, GATE_LOCKED_SINCE = "APIPriorityAndFairness", 29
REQUEST_TIMEOUT_NS = 60_000_000_000  # by default


@dataclass(frozen=True)
class Switch:
    """Whether something was on, how that is known, and what contradicts."""

    value: bool
    setting: Setting
    conflicts: tuple[str, ...]


def switched_on(flags: Flags, told: Told, minor: int) -> Switch:
    """Tell whether API Priority and Fairness was on: by flags, metrics, and the release."""
    found = _by_flags(flags, minor) or _by_signs(told) or _by_release(flags, told, minor)
    return Switch(found.value == "true", found, tuple(_contradictions(found, flags, told)))


def request_timeout(flags: Flags) -> tuple[int, Setting]:
    """Return --request-timeout in ns, and how it is known."""
    name, given = f"--{TIMEOUT}", flags.timeout_ns()
    if given is not None and given > 0:
        value = flags.last(TIMEOUT) or ""
        return given, Setting(name, value, "flags", f"The command line has {name}={value}.")
    why = "The command line does not set it" if flags.whole else "No source tells it"
    return REQUEST_TIMEOUT_NS, Setting(
        name, "1m0s", "release defaults", f"{why}; default of Kubernetes."
    )


def _by_flags(flags: Flags, minor: int) -> Setting | None:
    given, gate = flags.switch(APF), flags.gate(GATE)
    if gate is False and minor < GATE_LOCKED_SINCE:
        return _setting(False, "flags", f"The command line has --feature-gates={GATE}=false.")
    if given is None:
        return None
    return _setting(given, "flags", f"The command line has --{APF}={flags.last(APF)}.")


def _by_signs(told: Told) -> Setting | None:
    if told.flow_control:
        return _setting(True, "metrics", "Metrics apiserver_flowcontrol_* have samples.")
    if told.classified:
        says = f"{told.classified} requests carry a priority level or a time queued in the logs."
        return _setting(True, "audit log", says)
    return None


def _by_release(flags: Flags, told: Told, minor: int) -> Setting:
    on = minor >= ON_SINCE
    default = f"default of Kubernetes 1.{minor}"
    if flags.whole:
        return _setting(on, "release defaults", f"The command line does not set it; {default}.")
    if told.in_flight:
        says = "apiserver_current_inflight_requests has samples, no apiserver_flowcontrol_* has."
        return _setting(False, "metrics", says)
    return _setting(on, "release defaults", f"No source tells it; {default}.")


def _setting(on: bool, origin: Origin, detail: str) -> Setting:
    return Setting(f"--{APF}", "true" if on else "false", origin, detail)


def _contradictions(found: Setting, flags: Flags, told: Told) -> list[str]:
    on = found.value == "true"
    said = []
    if not on and (told.flow_control or told.classified):
        said.append(
            "API Priority and Fairness is off by the flags, while metrics or logs show requests "
            "that it handled."
        )
    if on and told.in_flight and not (told.flow_control or told.classified):
        said.append(
            "API Priority and Fairness is taken as on, but apiserver_current_inflight_requests has "
            "samples and no apiserver_flowcontrol_* has: it may have been off, or the export lacks "
            "them."
        )
    if on and flags.refuses_flow_control():
        said.append(
            "--runtime-config turns the API of flow control off, with which no API server starts "
            "while API Priority and Fairness is on."
        )
    return said
