"""The time axis of a comparison: the bins that load is counted in, and how they are weighed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Bins of one cluster after another, each cluster's in order of time; one entry per bin.

    width_s: seconds; cluster: number of the cluster; baseline, overload: which window the bin is
    in, if any; nodes_before: nodes of its cluster that were there in the baseline; nodes_joined:
    nodes that have joined since; begins_s: when it begins, in seconds of any clock that all
    clusters share, by default one that starts with each cluster's first bin.
    """

    width_s: Series
    cluster: Numbers
    baseline: Flags
    overload: Flags
    nodes_before: Series
    nodes_joined: Series
    begins_s: Series = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        """Let each cluster's clock begin with its first bin where none is given."""
        if self.begins_s.size != self.width_s.size:
            begins_s = np.zeros(self.width_s.size)
            for bins in self.clusters():
                begins_s[bins] = np.cumsum(self.width_s[bins]) - self.width_s[bins]
            object.__setattr__(self, "begins_s", begins_s)

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return int(self.width_s.size)

    def clusters(self) -> Iterator[Numbers]:
        """Yield the bins of each cluster."""
        for cluster in np.unique(self.cluster):
            yield np.flatnonzero(self.cluster == cluster)

    def compared(self) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        """Yield the bins of each cluster that has both windows, of its baseline, its overload."""
        for bins in self.clusters():
            quiet, loud = bins[self.baseline[bins]], bins[self.overload[bins]]
            if quiet.size and loud.size:
                yield bins, quiet, loud

    def windows(self) -> Iterator[tuple[Numbers, float]]:
        """Yield the bins of each window of each cluster, and its sign in the growth."""
        for bins in self.clusters():
            yield bins[self.baseline[bins]], -1.0
            yield bins[self.overload[bins]], 1.0

    def growth_weights(self) -> Series:
        """What an amount in each bin adds to the growth per second, summed over clusters."""
        weights = np.zeros(self.bins)
        for bins, sign in self.windows():
            if bins.size:
                weights[bins] = sign / self.width_s[bins].sum()
        return weights

    def rate_weights(self, sign: float) -> Series:
        """What an amount in each bin adds to the mean rate of the overload (1) or baseline (-1)."""
        return np.maximum(sign * self.growth_weights(), 0.0)
