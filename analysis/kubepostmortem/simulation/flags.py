"""The flags of an API server that bound its requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubepostmortem.flowcontrol.deadlines import duration_ns
from kubepostmortem.simulation.asking import Asks

APF = "enable-priority-and-fairness"
MAX_REQUESTS = "max-requests-inflight"
MAX_MUTATING = "max-mutating-requests-inflight"
TIMEOUT = "request-timeout"
GATES = "feature-gates"
RUNTIME = "runtime-config"
IN_EVERY_COMMAND = "etcd-servers"

READ = """
select setting, value, count(*) as apiservers
from apiserver_config
where cluster = $cluster and setting in (
    'enable-priority-and-fairness', 'max-requests-inflight', 'max-mutating-requests-inflight',
    'request-timeout', 'feature-gates', 'runtime-config', 'etcd-servers')
group by setting, value
order by setting, apiservers desc, value
"""


@dataclass(frozen=True)
class Flags:
    """Flags as given, by name, and where API servers differ or values cannot be read.

    whole: the command line is known in full, so that a flag it lacks has its default.
    """

    given: Mapping[str, str]
    conflicts: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether a flag that is not among them was not given."""
        return IN_EVERY_COMMAND in self.given

    def number(self, name: str) -> int | None:
        """Return a flag that is a number; None: not given, or not to be read."""
        value = self.last(name)
        return int(value) if value is not None and value.isascii() and value.isdigit() else None

    def switch(self, name: str) -> bool | None:
        """Return a flag that is true or false, as Go reads it."""
        return _switch(self.last(name))

    def gate(self, name: str) -> bool | None:
        """Return a feature gate; None: not named."""
        return _switch(_pairs(self.given.get(GATES)).get(name))

    def refuses_flow_control(self) -> bool:
        """Tell whether --runtime-config turns the API group of flow control off."""
        pairs = _pairs(self.given.get(RUNTIME))
        return any(
            name.startswith("flowcontrol.apiserver.k8s.io/") and _switch(value) is False
            for name, value in pairs.items()
        )

    def timeout_ns(self) -> int | None:
        """Return --request-timeout; None: not given, or not to be read."""
        value = self.last(TIMEOUT)
        return duration_ns(value) if value is not None else None

    def last(self, name: str) -> str | None:
        """Return a flag's value; of a flag given several times the last one counts."""
        value = self.given.get(name)
        return value.rpartition(",")[2].strip() if value is not None else None


def read_flags(asks: Asks, cluster: str) -> Flags:
    """Return the flags of a cluster; where its API servers differ, those that most of them have."""
    rows = asks.frame("flags that bound requests", READ, cluster=cluster)
    values: dict[str, list[str]] = {}
    for name, value in rows.select("setting", "value").iter_rows():
        if value is not None:
            values.setdefault(name, []).append(value)
    given = Flags({name: found[0] for name, found in values.items()})
    return Flags(given.given, (*_differing(values), *_unreadable(given)))


def _differing(values: Mapping[str, list[str]]) -> list[str]:
    return [
        f"API servers differ in --{name}: {' and '.join(found)}; {found[0]} is used."
        for name, found in values.items()
        if len(found) > 1 and name != IN_EVERY_COMMAND
    ]


def _unreadable(flags: Flags) -> list[str]:
    read = {
        APF: flags.switch(APF),
        MAX_REQUESTS: flags.number(MAX_REQUESTS),
        MAX_MUTATING: flags.number(MAX_MUTATING),
        TIMEOUT: flags.timeout_ns(),
    }
    return [
        f"--{name}={flags.given[name]} cannot be read; it counts as not given."
        for name, value in read.items()
        if name in flags.given and value is None
    ]


def _pairs(text: str | None) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (text or "").split(","))
    return {name.strip(): value.strip() or "true" for name, _, value in pairs}


def _switch(value: str | None) -> bool | None:
    spelled = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
    return spelled.get(value.lower()) if value is not None else None
