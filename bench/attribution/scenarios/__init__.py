"""The mechanisms of the benchmark: those to tune on, and those held out."""

from ..mechanism import Scenario
from .held_out import HELD_OUT
from .loops import controller_hot_loop, failing_webhook, leader_flapping, retry_storm
from .mixed import no_cause, two_causes
from .reads import autoscaler_list, cni_polling, crd_list, secret_poll, telemetry_list_storm
from .restarts import ci_burst, kubelet_restart, relist_after_restart

SCENARIOS: tuple[tuple[str, Scenario], ...] = (
    ("telemetry-list-storm", telemetry_list_storm),
    ("cni-polling", cni_polling),
    ("controller-hot-loop", controller_hot_loop),
    ("relist-after-restart", relist_after_restart),
    ("kubelet-restart", kubelet_restart),
    ("leader-flapping", leader_flapping),
    ("ci-burst", ci_burst),
    ("crd-list", crd_list),
    ("failing-webhook", failing_webhook),
    ("retry-storm", retry_storm),
    ("secret-poll", secret_poll),
    ("autoscaler-list", autoscaler_list),
    ("two-causes", two_causes),
    ("none", no_cause),
)

__all__ = ["HELD_OUT", "SCENARIOS"]
