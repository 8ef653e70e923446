"""Groups that a user is in by what kind of identity it has."""

from __future__ import annotations

from kubepostmortem.flowcontrol.classify import SERVICE_ACCOUNT

ANONYMOUS = "system:anonymous"
AUTHENTICATED = "system:authenticated"
NODE = "system:node:"
NODES = "system:nodes"


def groups_by_name(user: str) -> tuple[str, ...]:
    """Return the groups that a user of this name is in whatever else; masters cannot be told."""
    if user in ("", ANONYMOUS):
        return ("system:unauthenticated",)
    if user.startswith(SERVICE_ACCOUNT):
        namespace = user.removeprefix(SERVICE_ACCOUNT).partition(":")[0]
        return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return (NODES, AUTHENTICATED) if user.startswith(NODE) else (AUTHENTICATED,)
