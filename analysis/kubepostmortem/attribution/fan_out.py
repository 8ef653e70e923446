"""Fan-out: how load follows the number of clients that make it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubepostmortem.attribution.axis import Series
from kubepostmortem.attribution.student import student_t

LEAST_POINTS = 4
LEAST_RANGE = 1.5  # of the largest to the smallest number of clients: else no law can be seen


@dataclass(frozen=True, slots=True)
class FanOut:
    """The law rate ~ clients ** exponent; exponent 1: every client adds the same load.

    low and high: 95 % interval of the exponent; r2: part of the variance of the logarithms that
    the law explains; per_client_rps: requests per second of one client (median).
    """

    exponent: float
    low: float
    high: float
    r2: float
    per_client_rps: float


def fan_out(clients: Series, rates: Series) -> FanOut | None:
    """Fit the law by least squares on logarithms; None where the clients hardly vary in number.

    clients: how many were active, rates: requests per second, one entry per span of time. Spans
    without clients or requests are left out. The interval is that of ordinary least squares, which
    takes spans for independent of each other.
    """
    seen = (clients > 0) & (rates > 0)
    clients, rates = clients[seen], rates[seen]
    if clients.size < LEAST_POINTS or clients.max() < LEAST_RANGE * clients.min():
        return None
    x, y = np.log(clients), np.log(rates)
    x, y = x - x.mean(), y - y.mean()
    exponent = float(x @ y / (x @ x))
    total = float(y @ y)
    unexplained = float(((y - exponent * x) ** 2).sum())
    freedom = clients.size - 2
    margin = student_t(freedom) * (unexplained / freedom / float(x @ x)) ** 0.5
    return FanOut(
        exponent=exponent,
        low=exponent - margin,
        high=exponent + margin,
        r2=1 - unexplained / total if total > 0 else 0.0,
        per_client_rps=float(np.median(rates / clients)),
    )
