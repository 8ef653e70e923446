"""Callers as the audit log tells them, made those that flow control sees."""

from __future__ import annotations

from collections.abc import Sequence

from kubepostmortem.flowcontrol.classify import Caller
from kubepostmortem.flowcontrol.identities import groups_by_name


def caller_of(user: str | None, groups: Sequence[str] | None) -> Caller:
    """Return a caller; groups: None where the log does not tell them, as of impersonated users."""
    name = user or ""
    return Caller(name, groups_by_name(name) if groups is None else tuple(groups))
