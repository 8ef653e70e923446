"""What the audit log shows of an incident: counted requests, their codes and their latency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from . import noise, temper
from .feedback import Clients, Offered, Response, respond
from .incident import LOAD_SCHEMA, Pattern
from .mechanism import HASTE, Mechanism
from .overlays import Overlay
from .sheet import Sheet
from .size import Difficulty
from .timeline import Floats, Timeline
from .traffic import Traffic

Indices = npt.NDArray[np.intp]


def overloaded(
    sheet: Sheet,
    traffic: Traffic,
    mechanism: Mechanism,
    when: Timeline,
    overlay: Overlay,
    difficulty: Difficulty,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """What the audit log of the overloaded server shows."""
    own_throttled, own_failed = _refused_anyway(sheet, mechanism, traffic)
    clients = _impatient(temper.clients(sheet, rng), sheet, mechanism)
    cause_s = traffic.cause_s if mechanism.planted else 0.0
    usual_s = float(sheet.cost_s @ sheet.per_s) * when.width_s
    server = temper.server(usual_s, cause_s, difficulty.harshness, rng)
    if overlay.missing:  # without codes many 429s could not be told from a cause
        server = replace(server, refusal=0.3 * server.refusal)
    if not mechanism.planted:
        server = temper.idle()
    offered = Offered(traffic.total, own_throttled, own_failed, sheet.cost_s, cause_s)
    response = respond(offered, clients, server, when.width_s)
    new = traffic.joined / np.maximum(traffic.total, 1e-12)
    return _counted(sheet, response, new, rng)


def idle(
    sheet: Sheet, when: Timeline, size: float, difficulty: Difficulty, rng: np.random.Generator
) -> pl.DataFrame:
    """The same clients in a cluster of another size, in which nothing happens."""
    usual = size * sheet.per_s[:, None] * when.width_s
    usual = usual * noise.modes(sheet.group, when, difficulty.variation, rng)
    nothing = np.zeros_like(usual)
    clients = temper.clients(sheet, rng)
    offered = Offered(usual, nothing, nothing, sheet.cost_s, 0.0)
    response = respond(offered, clients, temper.idle(), when.width_s)
    return _counted(sheet, response, nothing, rng)


def _refused_anyway(sheet: Sheet, mechanism: Mechanism, traffic: Traffic) -> tuple[Floats, Floats]:
    """The shares of 429 and 5xx that the cause meets whatever the load."""
    caused = np.minimum(traffic.planted / np.maximum(traffic.total, 1e-12), 1.0)
    shares = np.zeros((2, len(sheet.cells)))
    for row, part in zip(
        sheet.rows(part.cell for part in mechanism.planted), mechanism.planted, strict=True
    ):
        shares[:, row] = part.throttled, part.failed
    return shares[0][:, None] * caused, shares[1][:, None] * caused


def _impatient(clients: Clients, sheet: Sheet, mechanism: Mechanism) -> Clients:
    """Clients of the cause keep their pace; some of them try again at once."""
    rows = sheet.rows(part.cell for part in mechanism.planted)
    hasty = sheet.rows(part.cell for part in mechanism.planted if part.impatient)
    slowed, delay, retried = clients.slowed.copy(), clients.delay_s.copy(), clients.retried.copy()
    slowed[rows] = 0.0
    delay[hasty], retried[hasty] = 0.1, HASTE
    return replace(clients, slowed=slowed, delay_s=delay, retried=retried)


def _counted(
    sheet: Sheet, response: Response, new: Floats, rng: np.random.Generator
) -> pl.DataFrame:
    """One row per cell and bin in which requests were received."""
    requests = noise.overdispersed(response.requests, rng)
    cell, at = np.nonzero(requests)
    number = requests[cell, at].astype(np.int64)
    throttled = rng.binomial(number, response.throttled[cell, at])
    failed = rng.binomial(number - throttled, response.failed[cell, at])
    joined = rng.binomial(number - throttled, np.clip(new[cell, at], 0.0, 1.0))
    latency = _latency_s(sheet, response, cell, at, number - throttled, rng)
    counts = {
        "requests": number, "throttled": throttled, "failed": failed, "new_node_requests": joined,
        "request_s": latency + 0.0002 * throttled,
    }  # fmt: skip
    frame = sheet.frame()[cell].with_columns(
        pl.Series("bin", at), *(pl.Series(name, value) for name, value in counts.items())
    )
    return frame.select(LOAD_SCHEMA.names()).cast(LOAD_SCHEMA)


def _latency_s(
    sheet: Sheet,
    response: Response,
    cell: Indices,
    at: Indices,
    served: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> Floats:
    """Summed latency of those that were served; a watch counts as none."""
    spread = np.exp(rng.normal(0.0, 0.5 / np.sqrt(np.maximum(served, 1))))
    each = sheet.cost_s[cell] * response.inflation[at] + response.waiting_s[at]
    return np.where(sheet.matched(Pattern(None, "watch", None))[cell], 0.0, served * each * spread)
