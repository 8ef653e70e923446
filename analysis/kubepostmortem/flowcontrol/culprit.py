"""Whom to fence in: who they are to the API server, and what they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubepostmortem.flowcontrol.classify import SERVICE_ACCOUNT, Caller
from kubepostmortem.flowcontrol.identities import groups_by_name
from kubepostmortem.flowcontrol.objects import ALL, Subject

NO_LETTERS = re.compile(r"[^a-z0-9]+")
LONGEST_NAME = 50  # characters, which leaves room for a prefix in the 63 of a label


@dataclass(frozen=True, slots=True)
class Culprit:
    """Callers and their requests.

    users: names as API Priority and Fairness sees them, impersonated where that is so; resources:
    API group, and resource or resource/subresource; namespaces: of requests in namespaces, ("*",)
    for any; cluster_scope: whether requests are for all namespaces or for objects outside of them;
    paths: of requests for no resource; groups: that the users are in, besides those that their kind
    of identity always has; shared_with: other components that call as these users. ("*",) as verbs,
    or (("*", "*"),) as resources, stands for all that these users ask.
    """

    users: tuple[str, ...]
    verbs: tuple[str, ...]
    resources: tuple[tuple[str, str], ...]
    component: str = ""
    namespaces: tuple[str, ...] = (ALL,)
    cluster_scope: bool = True
    paths: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    shared_with: tuple[str, ...] = ()

    @property
    def nickname(self) -> str:
        """A name for objects, of small letters, digits and "-"."""
        told = self.component or (self.users[0].rpartition(":")[2] if self.users else "")
        return NO_LETTERS.sub("-", told.lower())[:LONGEST_NAME].strip("-") or "culprit"


def caller(user: str, groups: tuple[str, ...] = ()) -> Caller:
    """Return a user with these groups and those that its kind of identity always has."""
    return Caller(user, (*groups_by_name(user), *groups))


def subject(user: str) -> Subject:
    """Return what stands for a user in a FlowSchema."""
    namespace, separator, name = user.removeprefix(SERVICE_ACCOUNT).partition(":")
    if user.startswith(SERVICE_ACCOUNT) and separator:
        return Subject("ServiceAccount", name, namespace)
    return Subject("User", user)
