"""The evidence ledger, for the report."""

from __future__ import annotations

from typing import Any

import polars as pl

from kubepostmortem.questions.question import Inquiry
from kubepostmortem.report import cells

MOST = 40
COUNTS = ("lines", "loaded", "duplicates", "filtered", "rejected")

REJECTED = """
select
    reason, count(*) as records, count(distinct ingest_id) as files,
    arg_min(excerpt, (ingest_id, line)) as example
from rejected_lines
group by reason
order by records desc, reason
"""


def values(inquiry: Inquiry) -> dict[str, Any]:
    """Return tables of formats, files and rejections."""
    files = inquiry.frame("what became of every record of every file", "from ledger")
    rejected = inquiry.frame("rejected records by reason", REJECTED)
    return {
        "formats": cells.grid("By format", _by_format(files)),
        "files": cells.grid("By file", _named(files.head(MOST))),
        "count": files.height,
        "hidden": max(files.height - MOST, 0),
        "rejected": cells.grid("Rejected records", rejected),
        "totals": {name: int(files[name].sum()) for name in COUNTS},
    }


def _by_format(files: pl.DataFrame) -> pl.DataFrame:
    return (
        files.group_by("format", maintain_order=True)
        .agg(
            pl.len().alias("files"),
            pl.col(*COUNTS).sum(),
            pl.col("first_at").min(),
            pl.col("last_at").max(),
        )
        .sort("format")
    )


def _named(files: pl.DataFrame) -> pl.DataFrame:
    """Name files by their last two parts: where a folder lies is nobody else's business."""
    short = pl.col("path").str.split("/").list.tail(2).list.join("/")
    reasons = ["rejected_by_reason"] if files["rejected"].sum() else []
    telling = [name for name in ("cluster", "format") if files[name].n_unique() > 1]
    columns = [*telling, *COUNTS, *reasons, "first_at", "last_at", "notes"]
    return files.select(short.alias("file"), *columns)
