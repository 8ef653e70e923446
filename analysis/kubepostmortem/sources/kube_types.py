"""Which Kubernetes objects a file holds, told from its head."""

from __future__ import annotations

from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.structured import Path, keys_at, outlined

ARGO_GROUP = "argoproj.io/"
FLUX_GROUPS = ("helm.toolkit.fluxcd.io/", "kustomize.toolkit.fluxcd.io/")
FLUX_KINDS = frozenset({"HelmRelease", "Kustomization"})
ONLY_PLACES: tuple[Path, ...] = ((), (0,), ("items", 0))


def types(file: InputFile) -> frozenset[tuple[str, str]]:
    """Return apiVersion and kind of the objects of a head; "" for what is not said."""
    said: dict[Path, dict[str, str]] = {}
    for entry in outlined(file.text):
        if _is_object(entry.path):
            said.setdefault(entry.path, {})[entry.key] = entry.value or ""
    if len(said) > 1:
        said.pop((), None)  # the list itself
    return frozenset((keys.get("apiVersion", ""), keys.get("kind", "")) for keys in said.values())


def only_applications(file: InputFile) -> bool:
    """Tell whether all objects are Applications of Argo CD, which may not say what they are."""
    named = {(api, kind) for api, kind in types(file) if api or kind}
    if named:
        kinds = {kind for _, kind in named if kind}
        return kinds == {"Application"} and all(api.startswith(ARGO_GROUP) for api, _ in named)
    return any("destination" in keys_at(file, *place, "spec") for place in ONLY_PLACES)


def only_flux(file: InputFile) -> bool:
    """Tell whether all objects are HelmReleases and Kustomizations of Flux."""
    named = {(api, kind) for api, kind in types(file) if api or kind}
    kinds = {kind for _, kind in named if kind}
    return bool(kinds) and kinds <= FLUX_KINDS and all(a.startswith(FLUX_GROUPS) for a, _ in named)


def _is_object(path: Path) -> bool:
    """Objects stand alone, in an array, or among the items of a list."""
    alone = path == () or (len(path) == 1 and isinstance(path[0], int))
    return alone or (len(path) == 2 and path[0] == "items")
