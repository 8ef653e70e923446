"""Callers as the audit log tells them, made those that flow control sees."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.flowcontrol.classify import SERVICE_ACCOUNT, Caller

ANONYMOUS = "system:anonymous"
NODE = "system:node:"


def caller_of(user: str | None, groups: Sequence[str] | None) -> Caller:
    """Return a caller; groups: None where the log does not tell them, as of impersonated users."""
    name = user or ""
    return Caller(name, groups_by_name(name) if groups is None else tuple(groups))


def groups_by_name(user: str) -> tuple[str, ...]:
    """Return the groups that a user of this name is in whatever else; masters cannot be told."""
    if user in ("", ANONYMOUS):
        return ("system:unauthenticated",)
    if user.startswith(SERVICE_ACCOUNT):
        namespace = user.removeprefix(SERVICE_ACCOUNT).partition(":")[0]
        accounts = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
        return (*accounts, "system:authenticated")
    if user.startswith(NODE):
        return ("system:nodes", "system:authenticated")
    return ("system:authenticated",)
