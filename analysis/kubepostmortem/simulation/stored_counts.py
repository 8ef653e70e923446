"""How many objects the API server counts, which lists are estimated by."""

from __future__ import annotations

from kubepostmortem.flowcontrol.work import Stored
from kubepostmortem.simulation.asking import Asks
from kubepostmortem.simulation.setting import Setting

NAME = "stored objects"
USUAL_BYTES = 4000  # pods, nodes and endpoints are of 2 to 10 kB

COUNTS = """
select resource, objects, object_bytes, objects_from
from stored_objects
where cluster = $cluster and objects is not null
order by resource
"""


def stored_counts(asks: Asks, cluster: str) -> tuple[dict[str, Stored], Setting]:
    """Return the objects stored by resource.group, and how they are known."""
    rows = asks.frame("objects stored by resource", COUNTS, cluster=cluster).to_dicts()
    stored = {
        row["resource"]: Stored(
            row["objects"],
            USUAL_BYTES if row["object_bytes"] is None else int(row["object_bytes"]),
        )
        for row in rows
    }
    if not rows:
        return stored, Setting(
            NAME,
            "unknown",
            "release defaults",
            "Neither metrics nor exported lists count objects: every list is taken to be one seat "
            "wide, as of resources that the API server does not count.",
        )
    by_list = all(row["objects_from"] == "kubectl" for row in rows)
    known = "Exported lists" if by_list else "Metrics"
    sized = any(row["object_bytes"] is not None for row in rows)
    size = "their sizes too" if sized else f"{USUAL_BYTES} bytes are taken as the size of one"
    return stored, Setting(
        NAME,
        f"{len(rows)} resources",
        "objects" if by_list else "metrics",
        f"{known} count them; {size}." if not sized else f"{known} count them, and tell {size}.",
    )
