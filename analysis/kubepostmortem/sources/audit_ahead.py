"""Work ahead: what comes next is made in a second thread, while DuckDB reads what came before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AHEAD = 2  # what is ready or being made, so that the disk and memory it takes stay bounded


def ahead(parts: Iterator[T]) -> Iterator[T]:
    """Yield what an iterator gives, made ahead of need; what making it raises is raised here.

    A caller that stops early waits for what is just being made.
    """
    coming: deque[Future[T | None]] = deque()
    maker = ThreadPoolExecutor(max_workers=1)
    try:
        coming.extend(maker.submit(next, parts, None) for _ in range(AHEAD))
        while (part := coming.popleft().result()) is not None:
            coming.append(maker.submit(next, parts, None))
            yield part
    finally:
        maker.shutdown(cancel_futures=True)
