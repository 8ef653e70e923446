"""What a way in for an emergency needs in this cluster, and what of it there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kubepostmortem.questions.administrators.attempts import Fared
from kubepostmortem.questions.administrators.identities import MASTERS, NO, Identity
from kubepostmortem.questions.administrators.overloads import Overload
from kubepostmortem.questions.administrators.removal import Removal
from kubepostmortem.questions.administrators.schema import own_schemas
from kubepostmortem.questions.words import listed, span
from kubepostmortem.simulation.effective import Effective
from kubepostmortem.simulation.flags import MAX_MUTATING, MAX_REQUESTS

State = Literal["there", "missing", "unknown"]


@dataclass(frozen=True)
class Item:
    """One thing that is needed: whether it is there, and the fact that tells."""

    item: str
    state: State
    why: str

    @property
    def facts(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return asdict(self)


@dataclass(frozen=True)
class Facts:
    """What the checklist is derived from."""

    in_force: Mapping[str, Effective]
    administrators: Sequence[Identity]
    groups: Sequence[Fared]
    overloads: Sequence[Overload]
    removed: Removal | None

    def overload(self, what: str) -> Overload | None:
        """Return the overload of this name."""
        return next((one for one in self.overloads if one.what == what), None)


def checklist(facts: Facts) -> list[Item]:
    """Return all items, in the order in which they help."""
    return [
        _flow_control(facts),
        _masters(facts),
        _schema(facts),
        _limits(facts),
        _without_balancer(facts),
        _rights(facts.removed),
        _time(facts.removed),
        _without_server(facts.removed),
    ]


def _flow_control(facts: Facts) -> Item:
    item = "API Priority and Fairness on"
    off = [name for name, effective in facts.in_force.items() if not effective.apf]
    if off:
        return Item(
            item, "missing", f"It was off in {listed(off)}: nobody has seats kept for them."
        )
    settings = [effective.settings[0].detail for effective in facts.in_force.values()]
    return Item(item, "there", listed(list(dict.fromkeys(settings))))


def _masters(facts: Facts) -> Item:
    item = "A credential in system:masters, kept offline, that no limit holds back"
    masters = [one for one in facts.administrators if MASTERS in one.groups]
    if not masters:
        return Item(item, "unknown", "No request of such an identity is in the windows.")
    names = listed(list(dict.fromkeys(one.identity for one in masters)))
    daily = sum(one.baseline for one in masters)
    if daily:
        why = (
            f"{names} is one, but not kept for emergencies: it sent {daily} requests in the "
            "baseline."
        )
        return Item(item, "there", why)
    return Item(item, "there", f"{names} is one, and was used in the overload alone.")


def _schema(facts: Facts) -> Item:
    item = "A FlowSchema and seats of their own for administrators who are not in system:masters"
    limited = [one for one in facts.administrators if one.exempt == NO]
    own = sorted({name for e in facts.in_force.values() for name in own_schemas(limited, e)})
    if own:
        return Item(item, "there", f"FlowSchema {listed(own)} is not a default one and is theirs.")
    if not limited:
        return Item(item, "unknown", "No request of such an administrator is in the windows.")
    names = listed(list(dict.fromkeys(one.identity for one in limited)))
    levels = listed(sorted({one.priority_level for one in limited if one.priority_level}))
    if not levels:
        return Item(item, "missing", f"{names}: API Priority and Fairness was off, nothing counts.")
    why = f"{names} shared the priority level {levels} with others; a manifest is in the evidence."
    return Item(item, "missing", why)


def _limits(facts: Facts) -> Item:
    item = "Limits in flight that somebody chose for the size of the server"
    origins = {
        (setting.name, setting.value, setting.origin)
        for effective in facts.in_force.values()
        for setting in effective.settings
        if setting.name in (f"--{MAX_REQUESTS}", f"--{MAX_MUTATING}")
    }
    said = listed([f"{name}={value} (from {origin})" for name, value, origin in sorted(origins)])
    if all(origin == "release defaults" for *_, origin in origins):
        return Item(item, "missing", f"None was found, so the defaults hold: {said}.")
    return Item(item, "there", f"{said}.")


def _without_balancer(facts: Facts) -> Item:
    item = "A way to the API server that needs neither the load balancer nor the cluster's DNS"
    seen = facts.overload("connections, load balancer")
    why = "No audit log tells which way a request took."
    if seen is not None and seen.status in ("overloaded", "strained"):
        why = f"{why} It would have been needed: {seen.says[0].lower()}{seen.says[1:]}"
    return Item(item, "unknown", why)


def _rights(removed: Removal | None) -> Item:
    item = "The right to remove or roll back the workload"
    if removed is None:
        return Item(item, "unknown", "No workload is known to be the cause.")
    if not removed.tries:
        return Item(item, "unknown", f"The log shows no try to remove {removed.workload}.")
    if removed.by is not None:
        return Item(item, "there", f"{removed.by} changed or removed {removed.workload}.")
    if removed.forbidden:
        return Item(item, "missing", f"{removed.forbidden} tries were answered 401 or 403.")
    return Item(item, "unknown", f"None of {removed.tries} tries got an answer that tells.")


def _time(removed: Removal | None) -> Item:
    item = "Removal of the workload through the API server within a minute"
    if removed is None or not removed.tries:
        return Item(item, "unknown", "The log shows no try to remove the cause.")
    if removed.took_s is None:
        why = f"None of {removed.tries} tries to remove {removed.workload} was accepted."
        return Item(item, "missing", why)
    tries = "the first try" if removed.tries == 1 else f"the first of {removed.tries} tries"
    why = (
        f"From {tries} to change or remove {removed.workload} until the API server had accepted "
        f"one: {span(removed.took_s)}."
    )
    return Item(item, "there" if removed.took_s <= 60 else "missing", why)


def _without_server(removed: Removal | None) -> Item:
    item = "A way to stop the workload without the API server, tried beforehand"
    what = removed.workload if removed else "a workload"
    why = (
        f"No audit log tells. Kubelets go on running the pods of {what} until they learn otherwise "
        "from the API server: block its traffic, or stop its containers on the nodes."
    )
    return Item(item, "unknown", why)
