"""Objects of one kind as exported from a cluster, and the defaults where the export lacks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from kubepostmortem.flowcontrol.objects import CATCH_ALL, FlowSchema, PriorityLevel
from kubepostmortem.flowcontrol.parsing import Document, Malformed
from kubepostmortem.simulation.setting import Setting

T = TypeVar("T", PriorityLevel, FlowSchema)


@dataclass(frozen=True)
class Exported(Generic[T]):
    """Objects of one kind by name: those exported, and the defaults of the release.

    partial: the export lacks an object that every cluster has, so the defaults fill it up;
    malformed: by name, what is wrong with objects that the API server ignores.
    """

    given: Mapping[str, T]
    defaults: Mapping[str, T]
    malformed: Mapping[str, str]
    partial: bool

    @property
    def objects(self) -> Mapping[str, T]:
        """All objects that count, as far as the export and the defaults tell."""
        known = {**self.defaults, **self.given} if self.partial else self.given
        return {name: one for name, one in known.items() if name not in self.malformed}

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Sentences on malformed objects."""
        return tuple(f"Left out as the API server does: {why}." for why in self.malformed.values())

    def setting(self, one: T, name: str, value: str, minor: int) -> Setting:
        """Return an object in force as a setting."""
        release, usual = f"Kubernetes 1.{minor}", self.defaults.get(one.name)
        if one.name in self.given and usual is None:
            return Setting(name, value, "objects", "As exported; it is no default object.")
        if one.name in self.given:
            like = "the default" if one == usual else "unlike the default"
            return Setting(name, value, "objects", f"As exported; {like} of {release}.")
        if usual is None:
            return Setting(name, value, "metrics", "Only metrics name it; shares fit its seats.")
        lacks = "The exported objects lack it" if self.given else "No objects were exported"
        return Setting(name, value, "release defaults", f"{lacks}; default of {release}.")


def exported(
    documents: Iterable[Document], read: Callable[[Document], T], defaults: Iterable[T]
) -> Exported[T]:
    """Read objects; malformed ones are left out and named."""
    given: dict[str, T] = {}
    malformed: dict[str, str] = {}
    for document in documents:
        name = str(document["metadata"]["name"])
        try:
            given[name] = read(document)
        except Malformed as wrong:
            malformed[name] = str(wrong)
    partial = CATCH_ALL not in given and CATCH_ALL not in malformed
    return Exported(given, {one.name: one for one in defaults}, malformed, partial)
