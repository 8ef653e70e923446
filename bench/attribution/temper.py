"""How the server and the clients of an incident happen to bear an overload."""

from __future__ import annotations

import numpy as np

from .feedback import Clients, Server
from .incident import Pattern
from .sheet import Sheet
from .timeline import Floats
from .world import Cell

REFUSED = {
    "node-agent": 0.5, "controller": 0.6, "scheduler": 0.4, "control-plane": 0.1, "human": 0.5,
}  # fmt: skip
PATIENT_S = {"node-agent": 5.0, "controller": 15.0, "scheduler": 5.0, "human": 3.0}
RETRIED = {"human": 0.4, "ci": 0.6, "controller": 0.9, "node-agent": 0.9}


def server(usual_s: float, cause_s: float, harshness: float, rng: np.random.Generator) -> Server:
    """A server that the cause brings to 0.8 to 2.5 times its capacity, as far as it can.

    `usual_s` and `cause_s` are the demand per bin at rest and of the cause; `harshness` scales
    what an overload sets off.
    """
    reached = float(rng.choice([0.8, 1.2, 1.7, 2.5]) * rng.uniform(0.9, 1.1))
    capacity = max((usual_s + cause_s) / reached, 1.15 * usual_s)
    return Server(
        capacity_s=capacity,
        memory=float(rng.uniform(0.0, 0.7)),
        refusal=float(rng.uniform(0.3, 1.3)),
        slowness=float(rng.uniform(0.5, 8.0)),
        waiting_s=float(rng.choice([0.0, 0.5, 5.0, 15.0])),
        failure=float(rng.choice([0.0, 0.05, 0.2])),
        relists=float(harshness * rng.uniform(0.0, 0.15)),
        events=float(harshness * rng.uniform(0.0, 0.08)),
        lag_bins=int(rng.choice([0, 0, 1, 3])),
    )


def idle() -> Server:
    """A server that nothing overloads."""
    return Server(1e9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)


def clients(sheet: Sheet, rng: np.random.Generator) -> Clients:
    """Priority, patience and weight of every cell; in a third of clusters all are equal."""
    fair = rng.random() < 0.33
    vary = np.exp(rng.normal(0.0, 0.4, (3, int(sheet.group.max()) + 1)))[:, sheet.group]
    kinds = [cell.kind for cell in sheet.cells]
    refused = np.ones(len(kinds)) if fair else _by(kinds, REFUSED, 1.0) * vary[0]
    retried = np.clip(_by(kinds, RETRIED, 0.8) * rng.uniform(0.8, 1.0), 0.0, 0.95)
    delay = _by(kinds, PATIENT_S, 8.0) * vary[1]
    lease = np.array([_is_lease(cell) for cell in sheet.cells])
    serial = np.isin(kinds, ("controller", "gitops", "ci", "autoscaler"))
    return Clients(
        refused=np.where(lease & ~fair, 0.3, refused),
        retried=np.where(lease, 0.95, retried),
        delay_s=np.where(lease, 0.2, delay),  # a kubelet tries five times without a pause
        slowed=np.where(serial, rng.uniform(0.0, 0.05) * vary[2], 0.0),
        broken=_per_demand(sheet, _watches(sheet, float(rng.uniform(0.1, 0.6)))),
        eventful=_per_demand(sheet, sheet.per_s * _writes_events(sheet)),
    )


def _by(kinds: list[str], known: dict[str, float], other: float) -> Floats:
    return np.array([known.get(kind, other) for kind in kinds])


def _is_lease(cell: Cell) -> bool:
    return cell.component == "kubelet" and cell.verb == "update" and cell.resource == "leases"


def _watches(sheet: Sheet, read_anew: float) -> Floats:
    watch = sheet.matched(Pattern(None, "watch", None))
    read = sheet.matched(Pattern(None, "list", None))
    return sheet.clients * sheet.informer * (watch + read_anew * read)


def _writes_events(sheet: Sheet) -> Floats:
    return sheet.matched(Pattern(None, "create", "events")).astype(np.float64)


def _per_demand(sheet: Sheet, requests: Floats) -> Floats:
    """The same proportions, so many requests that they cost one second."""
    return requests / max(float(sheet.cost_s @ requests), 1e-12)
