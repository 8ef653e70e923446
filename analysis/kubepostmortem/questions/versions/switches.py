"""What switched features on and off: flags of API servers, and their metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubepostmortem.questions.question import Inquiry
from kubepostmortem.releases import Feature
from kubepostmortem.simulation.flags import GATES, Flags, read_flags

FLOW_CONTROL_API = "flow-control-v1"
ALL_BETA = "AllBeta"
MEASURED = """
select gate, enabled from enabled_features where cluster = $cluster order by gate
"""


@dataclass(frozen=True)
class Switched:
    """That a feature is on or off, and how that is known."""

    on: bool
    why: str


@dataclass(frozen=True)
class Switches:
    """The flags of a cluster's API servers, and the gates that their metrics name."""

    flags: Flags
    measured: Mapping[str, bool]

    @property
    def known(self) -> bool:
        """Whether a switch that nothing names was left at its default."""
        return self.flags.whole or bool(self.measured)

    def of(self, feature: Feature, always: bool) -> Switched | None:
        """Return how a feature was switched; None: nothing names it.

        always: no gate switches it in this version, but a flag of its own still may.
        """
        if feature.flag and self.flags.switch(feature.flag) is False:
            return Switched(False, f"--{feature.flag}={self.flags.last(feature.flag)}")
        if feature.id == FLOW_CONTROL_API and self.flags.refuses_flow_control():
            return Switched(False, "--runtime-config turns the API off")
        if always or feature.gate is None or feature.side != "server":
            return None
        return self._gate(feature.gate)

    def _gate(self, gate: str) -> Switched | None:
        if (given := self.flags.gate(gate)) is not None:
            return Switched(given, f"--{GATES}={gate}={str(given).lower()}")
        if (enabled := self.measured.get(gate)) is not None:
            return Switched(enabled, f'kubernetes_feature_enabled{{name="{gate}"}}')
        if self.flags.gate(ALL_BETA) is False:
            return Switched(False, f"--{GATES}={ALL_BETA}=false")
        return None


def switches(inquiry: Inquiry, cluster: str) -> Switches:
    """Look up the flags and the gates of a cluster."""
    rows = inquiry.rows("feature gates that metrics name", MEASURED, cluster=cluster)
    return Switches(read_flags(inquiry, cluster), {row["gate"]: row["enabled"] for row in rows})
