"""Onset: the first bin in which a client's load stands out, of a newcomer or of an old client."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubepostmortem.attribution import onset as attribution

Series = npt.NDArray[np.float64]

few = settings(max_examples=40, derandomize=True, deadline=None)


def counts(*levels: tuple[int, float], seed: int = 1) -> Series:
    """Requests per bin at these levels, by chance as independent clients make them."""
    chance = np.random.default_rng(seed)
    return np.concatenate([chance.poisson(rate, bins) for bins, rate in levels]).astype(float)


def onset(load: Series, overload: int) -> int | None:
    found = attribution.onset(load, overload)
    return None if found is None else found.bin


def test_the_interval_of_an_onset_holds_what_is_as_likely() -> None:
    found = attribution.onset(counts((60, 10), (3, 14), (57, 40)), 60)
    assert found is not None
    assert found.earliest <= found.bin <= found.latest
    assert found.latest - found.earliest <= 3


def test_a_newcomer_begins_with_its_first_requests() -> None:
    assert onset(counts((60, 0), (60, 30)), 60) == 60


def test_a_newcomer_that_comes_before_the_windows_part_is_seen_in_the_baseline() -> None:
    assert onset(counts((54, 0), (66, 30)), 60) == 54


def test_the_first_small_wave_is_the_onset() -> None:
    assert onset(counts((60, 0), (20, 5), (40, 100)), 70) == 60


@pytest.mark.parametrize("before", [0, 1])
def test_a_client_that_leaves_most_bins_empty_has_an_onset(before: int) -> None:
    load = np.zeros(200)
    load[10] = before
    load[105::15] = 2
    assert onset(load, 100) == 105


def test_a_single_request_long_before_is_no_onset() -> None:
    lone = counts((60, 0), (60, 30))
    lone[10] = 1
    assert onset(lone, 60) == 60


@pytest.mark.parametrize("rate", [0.5, 4, 50, 1000])
def test_an_old_client_begins_where_it_leaves_its_usual_load(rate: float) -> None:
    at = onset(counts((100, rate), (60, 8 * rate)), 100)
    assert at is not None
    assert abs(at - 100) <= 2


def test_an_old_client_that_grows_late_begins_late() -> None:
    at = onset(counts((60, 20), (40, 20), (40, 200)), 60)
    assert at is not None
    assert abs(at - 100) <= 2


def test_bursts_of_the_baseline_are_no_onset() -> None:
    load = counts((100, 20), (60, 160))
    load[20:23] = 400
    load[70] = 900
    assert onset(load, 100) == 100


@pytest.mark.parametrize(
    "load",
    [
        counts((60, 20), (60, 0)),
        counts((60, 20), (60, 5)),
        np.zeros(120),
        np.full(120, 7.0),
        np.repeat([20.0, 24.0], [60, 40]),
    ],
    ids=["gone", "less", "nothing", "even", "hardly more"],
)
def test_what_does_not_rise_has_no_onset(load: Series) -> None:
    assert onset(load, 60) is None


@pytest.mark.parametrize("overload", [1, 2, 118, 119])
def test_the_overload_may_begin_anywhere(overload: int) -> None:
    load = counts((overload, 0), (120 - overload, 30))
    assert onset(load, overload) == overload


@few
@given(
    rate=st.floats(0, 200),
    growth=st.floats(6, 100),
    begins=st.integers(30, 90),
    later=st.integers(0, 20),
    seed=st.integers(0, 999),
)
def test_an_onset_is_never_far_before_the_growth(
    rate: float, growth: float, begins: int, later: int, seed: int
) -> None:
    load = counts((begins + later, rate), (60, growth * (rate + 1)), seed=seed)
    at = onset(load, begins)
    assert at is not None
    # Few requests a bin say little about which bin it was.
    near = 3 if rate >= 2 else 6
    assert begins + later - near <= at <= begins + later + near


@few
@given(load=st.lists(st.integers(0, 5), min_size=2, max_size=60), data=st.data())
def test_any_counts_give_a_bin_or_none(load: list[int], data: st.DataObject) -> None:
    overload = data.draw(st.integers(1, len(load) - 1))
    at = onset(np.array(load, dtype=float), overload)
    assert at is None or (0 <= at < len(load) and load[at] > 0)
