"""The words of which-version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from kubepostmortem.questions.versions.cluster import Cluster
from kubepostmortem.questions.versions.programs import KnownFrom, Servers
from kubepostmortem.questions.versions.states import State
from kubepostmortem.questions.versions.support import Support
from kubepostmortem.questions.words import listed
from kubepostmortem.releases import features

LISTS = "consistent-list-from-cache"
WHOSE: dict[KnownFrom, str] = {
    "API servers": "API servers run",
    "control plane": "By its controllers, the control plane runs",
    "kubelets": "Nodes run (and API servers, which are never older, run this or newer)",
}


def headline(found: Sequence[Cluster]) -> str:
    """Say how old the version was, whether it is a build of somebody's own, and what it lacked."""
    known = [cluster for cluster in found if cluster.servers]
    if len(known) == 1:
        return f"{_version(known[0])} {_lacked(known)}"
    return f"{_versions(known)} {_lacked(known)}"


def _version(cluster: Cluster) -> str:
    assert cluster.servers and cluster.support
    name = f"{WHOSE[cluster.servers.known_from]} Kubernetes {_numbers(cluster.servers)}"
    return f"{name}: {_age(cluster.support)}, and {_builds(cluster)}."


def _numbers(servers: Servers) -> str:
    numbers = {f"1.{servers.oldest}": None, f"1.{servers.newest}": None}
    return f"{' to '.join(numbers)} ({listed(servers.versions)})"


def _age(support: Support) -> str:
    if support.supported is None:
        return "newer than the releases that this tool knows"
    if support.supported is False:
        if support.end_of_life is None:
            return "too old, long past its end of life"
        return f"too old, {support.days_past} days past its end of life ({support.end_of_life})"
    behind = f" and {support.behind} behind the newest" if support.behind else ""
    return f"not too old, supported until {support.end_of_life}{behind}"


def _builds(cluster: Cluster) -> str:
    if cluster.verdict == "as released":
        return "nothing in the versions tells of a modified build"
    if cluster.verdict == "distribution":
        return f"built by {listed(_distributions([cluster]))}"
    says = [sign.says for sign in cluster.signs if sign.own]
    return f"not as released ({listed(says, 2)})"


def _versions(known: Sequence[Cluster]) -> str:
    counts = Counter(f"1.{cluster.servers.oldest}" for cluster in known if cluster.servers)
    shown = listed([f"{name} in {count}" for name, count in sorted(counts.items())])
    past = sum(bool(c.support and c.support.supported is False) for c in known)
    own = sum(cluster.verdict == "own build" for cluster in known)
    age = f"{past} past the end of life" if past else "none past its end of life"
    modified = f"{own} with builds not as released" if own else "none with a modified build"
    return f"{len(known)} clusters run Kubernetes {shown}: {age}, {modified}."


def _lacked(known: Sequence[Cluster]) -> str:
    off = _named(state for cluster in known for state in cluster.switched_off)
    missed = [s for cluster in known for s in cluster.missed if s.state != "off by flag"]
    absent = _named(sorted(missed, key=lambda state: -(state.times or 0)))
    said = []
    if off:
        said.append(f"Switched off: {listed([_how(state) for state in off], 3)}.")
    if absent:
        what = listed([f"{s.feature.name} ({s.why})" for s in absent], 3)
        said.append(f"It lacked what would have helped here: {what}.")
    return " ".join(said) or "It lacked no protective feature that would have helped here."


def _how(state: State) -> str:
    return f"{state.feature.name} ({state.why})"


def _named(states: Iterable[State]) -> list[State]:
    """Each feature once, as the first of the states has it."""
    return list({state.feature.id: state for state in states}.values())


def _distributions(found: Sequence[Cluster]) -> list[str]:
    names = [sign.distribution for cluster in found for sign in cluster.signs]
    return list(dict.fromkeys(name for name in names if name))


def caveats(found: Sequence[Cluster]) -> list[str]:
    """Say what versions cannot tell."""
    said = [
        "Versions are what the builder wrote: changed sources with the version of a release look "
        "like that release. Of client-go itself no user agent tells the version."
    ]
    if any(not cluster.switches.known for cluster in found):
        said.append(
            "No source tells all flags of the API servers: what is on by default may have been "
            "switched off, and the other way round."
        )
    if names := _distributions(found):
        said.append(f"{listed(names)} may support versions longer than the Kubernetes project.")
    if any(c.servers and c.servers.oldest != c.servers.newest for c in found):
        said.append("With API servers of several versions, the oldest one is judged.")
    if any(c.servers and c.servers.known_from == "kubelets" for c in found):
        said.append("Features are judged by the nodes: newer API servers may have more of them.")
    said += _of_etcd(found)
    unchecked = [c.support for c in found if c.support and not c.support.checked]
    said += [
        f"The date of release of 1.{minor} was not looked up in a source."
        for minor in sorted({one.minor for one in unchecked})
    ]
    return said


def _of_etcd(found: Sequence[Cluster]) -> list[str]:
    """Say whether etcd was new enough for lists of the most recent state from the watch cache."""
    concerned = [c for c in found for s in c.states if s.feature.id == LISTS and s.here == "in use"]
    if not concerned:
        return []
    fell_back = sum(c.consistent_reads["from_etcd"] for c in concerned if c.consistent_reads)
    if fell_back:
        return [
            f"{fell_back:,} lists of the most recent state went to etcd after all, as "
            "apiserver_watch_cache_consistent_read_total tells: etcd may be too old for the cache."
        ]
    if all(c.consistent_reads for c in concerned):
        return []
    return [f"{features()[LISTS].note} The evidence does not tell its version."]
