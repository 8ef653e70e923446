"""All that a replay goes on with: what the server holds, what was asked of it, and by whom."""

from __future__ import annotations

from typing import NamedTuple

from kubepostmortem.flowcontrol.clients import Clients
from kubepostmortem.flowcontrol.processor import Processor
from kubepostmortem.flowcontrol.state import Levels, Requests, Watching


class World(NamedTuple):
    """Levels and their queues, requests, watches, clients and the processor of one API server."""

    levels: Levels
    requests: Requests
    watching: Watching
    clients: Clients
    processor: Processor
