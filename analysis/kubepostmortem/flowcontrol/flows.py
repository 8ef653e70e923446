"""Which flow each of many requests belongs to.

Millions of requests come from thousands of callers, and most of these look alike to the rules: what
distinguishes them is found out once for each kind of caller and each kind of call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kubepostmortem.flowcontrol.classify import Call, Caller, Flow, classify, is_subject
from kubepostmortem.flowcontrol.configuration import Configuration
from kubepostmortem.flowcontrol.hashing import flow_hash, hand
from kubepostmortem.flowcontrol.offered import Offered
from kubepostmortem.flowcontrol.state import NOWHERE, Hands, Ints

T = TypeVar("T")


@dataclass(frozen=True)
class DealtFlow:
    """A flow with its hash and its hand: places of queues; None and () where a level has none."""

    flow: Flow
    hash: int | None = None
    hand: tuple[int, ...] = ()


class Flows:
    """Flows that were met, in any configuration; a request's flow is a place in them."""

    def __init__(self, offered: Offered) -> None:
        self.offered = offered
        self._numbers: dict[DealtFlow, int] = {}
        self._kinds, self._kind = _numbered([_kind(asked.call) for asked in offered.calls])

    @property
    def met(self) -> tuple[DealtFlow, ...]:
        """All flows so far."""
        return tuple(self._numbers)

    def hands(self) -> Hands:
        """Return the hand of each flow, a row each."""
        longest = max((len(dealt.hand) for dealt in self._numbers), default=0)
        rows = [(*dealt.hand, *[NOWHERE] * (longest - len(dealt.hand))) for dealt in self._numbers]
        return np.array(rows, dtype=np.int32).reshape(len(rows), longest)

    def of(self, configuration: Configuration, part: slice) -> Ints:
        """Return the flow of each request of a part."""
        callers = self.offered.callers
        alike, who = _numbered([_seen(configuration, caller) for caller in callers])
        like = [who.index(number) for number in range(len(alike))]
        caller, call = self.offered.caller[part], self.offered.call[part]
        kind = np.array(self._kind, dtype=np.int64)[call]
        # Requests of one code belong to one FlowSchema.
        code = np.array(who, dtype=np.int64)[caller] * len(self._kinds) + kind
        schemas: dict[str, int] = {}
        schema_of = np.full(len(alike) * len(self._kinds), NOWHERE)
        for one in _occurring(code, len(schema_of)):
            a_caller, a_kind = divmod(one, len(self._kinds))
            flow = classify(configuration, callers[like[a_caller]], self._kinds[a_kind])
            schema_of[one] = schemas.setdefault(flow.flow_schema, len(schemas))
        return self._dealt(configuration, schema_of[code], tuple(schemas), caller, kind)

    def _dealt(
        self,
        configuration: Configuration,
        schema: Ints,
        schemas: tuple[str, ...],
        caller: NDArray[np.integer],
        kind: Ints,
    ) -> Ints:
        """Tell apart the flows of each schema, by user or by namespace, and deal them hands."""
        by = {one.name: one.distinguisher for one in configuration.flow_schemas}
        methods = np.array([by[name] for name in schemas])
        users, user = _numbered([one.user for one in self.offered.callers])
        spaces, space = _numbered([one.namespace for one in self._kinds])
        told = np.zeros(len(schema), dtype=np.int64)
        told = np.where(methods[schema] == "ByUser", np.array(user)[caller], told)
        told = np.where(methods[schema] == "ByNamespace", np.array(space)[kind], told)
        widest = max(len(users), len(spaces), 1)
        code = schema * widest + told
        first = np.full(len(schemas) * widest, NOWHERE)
        first[code[::-1]] = np.arange(len(code))[::-1]
        flow_of = np.full(len(first), NOWHERE)
        for one in np.flatnonzero(first >= 0).tolist():
            example = first[one]
            flow = classify(
                configuration, self.offered.callers[caller[example]], self._kinds[kind[example]]
            )
            flow_of[one] = self._number(_dealt(flow, configuration))
        return np.asarray(flow_of[code], dtype=np.int64)

    def _number(self, dealt: DealtFlow) -> int:
        return self._numbers.setdefault(dealt, len(self._numbers))


def _numbered(values: list[T]) -> tuple[list[T], list[int]]:
    """Return the different values in order of occurrence, and the place of each value in them."""
    numbers: dict[T, int] = {}
    places = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), places


def _occurring(codes: Ints, size: int) -> list[int]:
    there = np.zeros(size, dtype=np.bool_)
    there[codes] = True
    return np.flatnonzero(there).tolist()


def _kind(call: Call) -> Call:
    """Leave out what no rule looks at."""
    return replace(call, name="")


def _seen(configuration: Configuration, caller: Caller) -> tuple[bool, ...]:
    """Return all that rules can tell of a caller: for which of their subjects it counts."""
    return tuple(
        is_subject(subject, caller)
        for schema in configuration.flow_schemas
        for rule in schema.rules
        for subject in rule.subjects
    )


def _dealt(flow: Flow, configuration: Configuration) -> DealtFlow:
    """Deal a hand to a flow. The API server hashes no distinguisher where one queue is all."""
    queuing = configuration.priority_levels[flow.priority_level].queuing
    if queuing is None:
        return DealtFlow(flow)
    one = queuing.queues <= 1
    hashed = 0 if one else flow_hash(flow.flow_schema, flow.distinguisher)
    return DealtFlow(flow, hashed, hand(hashed, queuing.queues, queuing.hand_size))
