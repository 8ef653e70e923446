"""Loading of metric samples, whatever format they came in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from kubepostmortem.model import statement
from kubepostmortem.sources.files import InputFile
from kubepostmortem.sources.source import Numbered, Reading, Rejection, Target

SERIES = pl.Schema(
    {
        "series": pl.Int64(),
        "metric": pl.String(),
        "labels": pl.List(pl.Struct({"key": pl.String(), "value": pl.String()})),
    }
)
SAMPLES = pl.Schema({"series": pl.Int64(), "sampled_at": pl.Datetime("us"), "value": pl.Float64()})

NO_NUMBER = "value is not a number"


@dataclass(frozen=True)
class Samples:
    """What a metrics file says.

    series: one row per series, numbered within the file, labels sorted by key (SERIES).
    samples: one row per sample, naive UTC times (SAMPLES).
    """

    series: pl.DataFrame
    samples: pl.DataFrame
    rejections: Sequence[Rejection] = ()
    filtered: int = 0
    notes: str | None = None


NOTHING = Samples(pl.DataFrame(schema=SERIES), pl.DataFrame(schema=SAMPLES))

Reader = Callable[[InputFile, Target], Samples]


def load_samples(read: Reader, batch: Sequence[Numbered], target: Target) -> list[Reading]:
    """Read each file with `read` and add the samples that the model did not know yet."""
    return [_load(read(numbered.file, target), numbered.ingest_id, target) for numbered in batch]


def _load(found: Samples, ingest_id: int, target: Target) -> Reading:
    store, cluster = target.store, target.cluster
    store.run(statement("ingest/samples_arriving"))
    store.insert("arriving_series", target.redacted("metric_series", found.series))
    store.insert("arriving_samples", found.samples)
    store.run(statement("ingest/samples_series"), cluster=cluster, ingest_id=ingest_id)
    before = store.value("select count(*) from metric_samples")
    store.run(statement("ingest/samples_insert"), cluster=cluster)
    loaded = store.value("select count(*) from metric_samples") - before
    rejected = len(found.rejections)
    return Reading(
        lines=found.samples.height + found.filtered + rejected,
        loaded=loaded,
        duplicates=found.samples.height - loaded,
        filtered=found.filtered,
        rejections=found.rejections,
        first_at=found.samples["sampled_at"].min(),  # type: ignore[arg-type]
        last_at=found.samples["sampled_at"].max(),  # type: ignore[arg-type]
        notes=found.notes,
    )
