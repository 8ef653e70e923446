"""FlowSchemas and PriorityLevelConfigurations as values, whatever version of the API told them."""

from __future__ import annotations

from dataclasses import dataclass

EXEMPT = "exempt"
CATCH_ALL = "catch-all"
ALL = "*"


@dataclass(frozen=True, slots=True)
class Queuing:
    """Queues of a priority level: how many, how many a flow may use, most requests in one."""

    queues: int
    hand_size: int
    queue_length_limit: int


@dataclass(frozen=True, slots=True)
class PriorityLevel:
    """A priority level; without queuing it rejects what does not fit, unless it is exempt.

    shares: nominal concurrency shares; lendable_percent: of its nominal limit, for others to use;
    borrowing_limit_percent: of its nominal limit, that it may use of others; None: no bound.
    """

    name: str
    exempt: bool
    shares: int
    lendable_percent: int = 0
    borrowing_limit_percent: int | None = None
    queuing: Queuing | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a rule is for; kind: User, Group or ServiceAccount, the last one of a namespace."""

    kind: str
    name: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Requests for resources; "*" stands for all where it is the only entry of a list."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...]
    resources: tuple[str, ...]
    cluster_scope: bool
    namespaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NonResourceRule:
    """Requests for paths that are no resources; "*" stands for all, alone in its list."""

    verbs: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Any of these subjects with any of these requests."""

    subjects: tuple[Subject, ...]
    resource_rules: tuple[ResourceRule, ...] = ()
    nonresource_rules: tuple[NonResourceRule, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowSchema:
    """Which requests go to a priority level, and what tells their flows apart.

    distinguisher: ByUser, ByNamespace, or "" where all requests of the schema are one flow.
    """

    name: str
    priority_level: str
    precedence: int
    distinguisher: str = ""
    rules: tuple[Rule, ...] = ()
