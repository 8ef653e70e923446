"""Width of a request: how many seats it takes while it runs, and how many afterwards for how long.

Two estimators of lists: by number of objects, up to Kubernetes 1.33, and by size since. The macros
list_seats, read_seats and write_seats estimate the same for the requests of a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kubepostmortem.flowcontrol.classify import Call
from kubepostmortem.flowcontrol.list_options import ListOptions

OBJECTS_PER_SEAT = 100
BYTES_PER_SEAT = 100_000
MOST_FROM_CACHE = 1_000_000  # bytes: answers from the cache are streamed
LARGEST_OBJECT = 1_500_000  # bytes that etcd takes by default, for sizes that are unknown
COUNTLESS = 1_000_000_000  # objects, where the count is too old to be believed
WATCHES_PER_SEAT = 10
EVENT_NS = 5_000_000  # for which a seat tells its watches of a write
MOST_LIST_SEATS = 10
MOST_LIST_SEATS_BY_SIZE = 100
MOST_WRITE_SEATS = 10
WRITING = ("create", "update", "patch", "delete")
NO_GATES: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class WidthRules:
    """By which rules an API server estimates.

    by_size: SizeBasedListCostEstimate; watch_lists: WatchList; consistent_lists: lists of the most
    recent state come from the cache (ConsistentListFromCache, and etcd reports its progress).
    """

    minor: int
    by_size: bool
    watch_lists: bool
    consistent_lists: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """Objects of a resource as the API server counts them; bytes of one: 0 where unknown.

    stale: the count is older than three minutes.
    """

    objects: int
    object_bytes: int = 0
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Width:
    """Seats while a request runs, and afterwards, for linger_ns."""

    initial_seats: int = 1
    final_seats: int = 0
    linger_ns: int = 0


def width_rules(minor: int, gates: Mapping[str, bool] = NO_GATES) -> WidthRules:
    """Return the rules of Kubernetes 1.minor, where feature gates do not say otherwise."""
    return WidthRules(
        minor=minor,
        by_size=minor >= 34 and gates.get("SizeBasedListCostEstimate", True),
        watch_lists=gates.get("WatchList", minor == 32 or minor >= 34),
        consistent_lists=gates.get("ConsistentListFromCache", minor >= 31),
    )


def width(
    rules: WidthRules,
    call: Call,
    options: ListOptions,
    stored: Stored | None,
    watchers: int,
    level_seats: int,
) -> Width:
    """Estimate a request. None stored: the server counts no such objects, as of aggregated APIs.

    watchers: watches that are told of a write; level_seats: most seats of one request in its
    priority level, 0 where that sets no bound (allocation.Limits.widest_request).
    """
    # Before Kubernetes 1.23 every request took one seat; levels set bounds since 1.28.
    if rules.minor < 23:
        return Width()
    bound = level_seats if rules.minor >= 28 else 0
    if is_estimated_as_list(rules, call, options):
        return Width(_list_seats(rules, call, options, stored, bound))
    return _write_width(call, watchers, bound)


def is_estimated_as_list(rules: WidthRules, call: Call, options: ListOptions) -> bool:
    """Tell reads that are estimated by the objects they go through.

    They are lists, and watches that are sent the whole collection first.
    """
    if call.verb == "list":
        return True
    if call.verb != "watch" or not rules.watch_lists:
        return False
    # What cannot be read is estimated as the most expensive list.
    if not options.valid or options.sends_initial_events:
        return True
    return rules.minor >= 34 and options.resource_version in ("", "0")


def is_served_from_cache(rules: WidthRules, verb: str, options: ListOptions) -> bool:
    """Tell whether the watch cache answers a read, not etcd."""
    version, match = options.resource_version, options.version_match
    if verb == "watch":
        return True
    if rules.minor < 34:
        return not _went_to_storage(rules, options)
    if match:
        return match == "NotOlderThan"
    if options.continues:
        return False
    return rules.consistent_lists if not version else version == "0" or options.limit <= 0


def _went_to_storage(rules: WidthRules, options: ListOptions) -> bool:
    """Tell, for releases before 1.34, whether etcd answers."""
    version, match = options.resource_version, options.version_match
    pages = options.limit > 0 and version != "0"
    exact = pages and not match and bool(version)
    return (
        (not version and not rules.consistent_lists)
        or options.continues
        or (pages if rules.minor < 31 else exact)
        or match not in ("", "NotOlderThan")
    )


def _list_seats(
    rules: WidthRules, call: Call, options: ListOptions, stored: Stored | None, bound: int
) -> int:
    most = _most(bound, MOST_LIST_SEATS_BY_SIZE if rules.by_size else MOST_LIST_SEATS)
    if not options.valid:
        return most
    if stored is None:
        return 1
    if stored.stale:
        if rules.minor < 34 and not call.name:
            return most
        stored = Stored(COUNTLESS, LARGEST_OBJECT)
    from_cache = is_served_from_cache(rules, call.verb, options)
    if rules.by_size:
        seats = _ceil(_bytes(call, options, stored, from_cache), BYTES_PER_SEAT)
    else:
        seats = _ceil(_objects(call, options, stored, from_cache), OBJECTS_PER_SEAT)
    return max(1, min(most, seats))


def _objects(call: Call, options: ListOptions, stored: Stored, from_cache: bool) -> int:
    """Objects that a list goes through: a page from the cache through all, etcd reads and sends."""
    if call.name:
        return 1
    if from_cache:
        return stored.objects
    page = _page(options, stored)
    return stored.objects + page if options.selects else 2 * page


def _bytes(call: Call, options: ListOptions, stored: Stored, from_cache: bool) -> int:
    """Bytes that a list holds in memory at once."""
    size = stored.object_bytes
    if size <= 0 and stored.objects:
        size = LARGEST_OBJECT
    objects = _page(options, stored)
    if options.selects and not from_cache:
        objects = max(objects, stored.objects // 2)
    held = (1 if call.name else objects) * size
    return min(held, MOST_FROM_CACHE) if from_cache else held


def _page(options: ListOptions, stored: Stored) -> int:
    return min(options.limit, stored.objects) if options.limit > 0 else stored.objects


def _write_width(call: Call, watchers: int, bound: int) -> Width:
    is_token = (call.resource, call.subresource) == ("serviceaccounts", "token")
    if call.verb not in WRITING or is_token or watchers < WATCHES_PER_SEAT:
        return Width()
    seats = _ceil(watchers, WATCHES_PER_SEAT)
    final_seats = min(seats, _most(bound, MOST_WRITE_SEATS))
    return Width(1, final_seats, seats * EVENT_NS // final_seats)


def _most(bound: int, of_server: int) -> int:
    return min(bound, of_server) if bound else of_server


def _ceil(amount: int, of_one: int) -> int:
    return -(-amount // of_one)
