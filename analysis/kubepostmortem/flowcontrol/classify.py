"""Which FlowSchema a request matches, and which flow of its priority level it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.objects import (
    ALL,
    FlowSchema,
    NonResourceRule,
    PriorityLevel,
    ResourceRule,
    Rule,
    Subject,
)

SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the impersonated user where there is one."""

    user: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked for; path is set where that is no resource.

    verb: as in the audit log, of non-resources the method in lower case; namespace and name: as the
    API server understands the request, so a namespace object lies in itself, and a list whose field
    selector leaves one name has that name.
    """

    verb: str
    api_group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def of_resource(self) -> bool:
        """Whether it asks for a resource."""
        return bool(self.resource)

    @property
    def full_resource(self) -> str:
        """The resource as rules spell it, like pods/status."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests that share a hand of queues."""

    flow_schema: str
    priority_level: str
    distinguisher: str = ""


def classify(configuration: Configuration, caller: Caller, call: Call) -> Flow:
    """Return the flow of a request: the first matching FlowSchema in the order of matching wins.

    Requests that no schema matches go where catch-all sends them, as in the API server.
    """
    schemas = configuration.flow_schemas
    schema = next((s for s in schemas if _matches(s, caller, call)), configuration.catch_all)
    level = configuration.priority_levels[schema.priority_level]
    return Flow(schema.name, level.name, _distinguisher(schema, level, caller, call))


def _distinguisher(schema: FlowSchema, level: PriorityLevel, caller: Caller, call: Call) -> str:
    # The API server asks for it only where it makes a difference.
    if level.queuing is None or level.queuing.queues <= 1:
        return ""
    values = {"ByUser": caller.user, "ByNamespace": call.namespace}
    return values.get(schema.distinguisher, "")


def _matches(schema: FlowSchema, caller: Caller, call: Call) -> bool:
    return any(_applies(rule, caller, call) for rule in schema.rules)


def _applies(rule: Rule, caller: Caller, call: Call) -> bool:
    if not any(is_subject(subject, caller) for subject in rule.subjects):
        return False
    if call.of_resource:
        return any(_asks_for_resource(known, call) for known in rule.resource_rules)
    return any(_asks_for_path(known, call) for known in rule.nonresource_rules)


def is_subject(subject: Subject, caller: Caller) -> bool:
    """Tell whether a rule is for this caller."""
    if subject.kind == "User":
        return subject.name in (ALL, caller.user)
    if subject.kind == "Group":
        return subject.name == ALL or subject.name in caller.groups
    # The name decides, whatever groups the caller is in.
    account = f"{SERVICE_ACCOUNT}{subject.namespace}:"
    if subject.name == ALL:
        return caller.user.startswith(account)
    return caller.user == account + subject.name


def _asks_for_resource(rule: ResourceRule, call: Call) -> bool:
    return (
        _lists(rule.verbs, call.verb)
        and _lists(rule.resources, call.full_resource)
        and _lists(rule.api_groups, call.api_group)
        and (_lists(rule.namespaces, call.namespace) if call.namespace else rule.cluster_scope)
    )


def _asks_for_path(rule: NonResourceRule, call: Call) -> bool:
    return _lists(rule.verbs, call.verb) and any(_covers(path, call.path) for path in rule.paths)


def _covers(rule: str, path: str) -> bool:
    if rule in (ALL, path):
        return True
    folder = rule.removesuffix(ALL)
    return path.startswith(folder if folder.endswith("/") else f"{folder}/")


def _lists(entries: tuple[str, ...], value: str) -> bool:
    return value in entries or entries == (ALL,)
