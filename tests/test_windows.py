"""The two windows: found where the load steps up, and kept where the user set them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Read
from kubepostmortem.attribution.windows import MOST_BINS, find_windows, segments
from kubepostmortem.errors import UsageError
from kubepostmortem.incident import Window, iso, utc
from kubepostmortem.store import Store
from kubepostmortem.windows import choose_windows, forget_windows, set_window
from planted import Event, at, request

Series = npt.NDArray[np.float64]

few = settings(max_examples=25, derandomize=True, deadline=None)


def series(*levels: tuple[int, float], noise: float = 0.1, seed: int = 1) -> Series:
    """Two measures that go through these levels: (bins, level)."""
    mean = np.concatenate([np.full(bins, level) for bins, level in levels])
    chance = np.random.default_rng(seed)
    return np.vstack([mean * chance.lognormal(0, noise, mean.size) for _ in range(2)])


def close(found: tuple[int, int], expected: tuple[int, int], bins: int = 2) -> bool:
    return all(abs(a - b) <= bins for a, b in zip(found, expected, strict=True))


# Found from the load


@pytest.mark.parametrize("factor", [2, 10, 90])
def test_a_step_parts_baseline_and_overload(factor: float) -> None:
    found = find_windows(series((60, 5), (60, 5 * factor)))
    assert found is not None
    assert close(found.baseline, (0, 60), 0)
    assert close(found.overload, (60, 120), 0)
    assert found.factor == pytest.approx(factor, rel=0.2)


def test_an_overload_that_ends_has_an_end() -> None:
    found = find_windows(series((60, 5), (40, 50), (60, 5)))
    assert found is not None
    assert close(found.overload, (60, 100), 1)


def test_a_ramp_belongs_to_the_overload() -> None:
    load = np.concatenate(
        [series((60, 5)), series(*[(4, 5 * 2**i) for i in range(1, 6)], (60, 200))], 1
    )
    found = find_windows(load)
    assert found is not None
    assert close(found.baseline, (0, 60), 4)
    assert close(found.overload, (60, 140), 4)


def test_a_longer_level_before_the_overload_is_the_baseline_even_if_others_were_quieter() -> None:
    found = find_windows(series((50, 5), (50, 14), (50, 300)))
    assert found is not None
    assert close(found.baseline, (50, 100))


def test_a_start_up_storm_before_is_no_part_of_the_baseline() -> None:
    found = find_windows(series((20, 300), (60, 5), (60, 80)))
    assert found is not None
    assert close(found.baseline, (20, 80))
    assert close(found.overload, (80, 140))


def test_a_short_burst_is_no_level() -> None:
    load = series((60, 5), (60, 50))
    load[:, 20:22] *= 30
    load[:, 45:47] *= 30
    found = find_windows(load)
    assert found is not None
    assert close(found.baseline, (0, 60))
    assert close(found.overload, (60, 120))


def test_a_short_burst_is_no_level_however_high() -> None:
    load = series((60, 5), (60, 50))
    load[:, 20:22] = 50_000
    found = find_windows(load)
    assert found is not None
    assert close(found.overload, (60, 120))


def test_the_larger_of_two_steps_is_the_overload() -> None:
    found = find_windows(series((50, 5), (20, 20), (50, 5), (60, 200)))
    assert found is not None
    assert close(found.overload, (120, 180))


@pytest.mark.parametrize(
    "load",
    [
        series((120, 5)),
        series((120, 5), noise=0.4),
        series((60, 5), (60, 6)),
        series((60, 50), (60, 5)),
        np.zeros((2, 120)),
        np.ones((2, 8)),
    ],
    ids=["flat", "noisy", "a fifth more", "load that falls", "no load", "eight bins"],
)
def test_where_nothing_rises_nothing_is_found(load: Series) -> None:
    assert find_windows(load) is None


def test_load_that_is_high_from_the_first_bin_has_no_baseline() -> None:
    assert find_windows(series((80, 300), (60, 5))) is None


def test_empty_bins_are_a_quiet_level() -> None:
    found = find_windows(series((60, 0), (60, 40)))
    assert found is not None
    assert close(found.overload, (60, 120), 0)


@pytest.mark.parametrize("bins", [9, 30, 240])
def test_any_number_of_bins_will_do(bins: int) -> None:
    third = bins // 3
    found = find_windows(series((bins - third, 5), (third, 500)))
    assert found is not None
    assert close(found.overload, (bins - third, bins), 1)


levels = st.lists(st.tuples(st.integers(5, 25), st.floats(0.5, 500)), min_size=1, max_size=5)


@few
@given(levels=levels, factor=st.sampled_from([2.0**-20, 0.25, 1024.0]), seed=st.integers(0, 99))
def test_all_load_times_a_constant_gives_the_same_windows(
    levels: list[tuple[int, float]], factor: float, seed: int
) -> None:
    load = series(*levels, seed=seed)
    found, scaled = find_windows(load), find_windows(load * factor)
    assert (found is None) == (scaled is None)
    if found is not None and scaled is not None:
        assert (scaled.baseline, scaled.overload) == (found.baseline, found.overload)
        assert scaled.factor == pytest.approx(found.factor)


@few
@given(levels=levels, seed=st.integers(0, 99))
def test_segments_cover_every_bin_once(levels: list[tuple[int, float]], seed: int) -> None:
    load = series(*levels, seed=seed)
    found = segments(load)
    assert [s.begins for s in found] == [0, *(s.ends for s in found[:-1])]
    assert found[-1].ends == load.shape[1]


@few
@given(levels=levels, seed=st.integers(0, 99))
def test_a_baseline_ends_where_the_overload_begins_and_is_quieter(
    levels: list[tuple[int, float]], seed: int
) -> None:
    load = series(*levels, seed=seed)
    found = find_windows(load)
    if found is not None:
        (begins, ends), (over_begins, over_ends) = found.baseline, found.overload
        assert 0 <= begins < ends == over_begins < over_ends <= load.shape[1]
        assert np.median(load[0, begins:ends]) < np.median(load[0, over_begins:over_ends])


@few
@given(seed=st.integers(0, 999), noise=st.floats(0, 0.5))
def test_noise_does_not_hide_a_tenfold_step(seed: int, noise: float) -> None:
    found = find_windows(series((60, 5), (60, 50), noise=noise, seed=seed))
    assert found is not None
    assert close(found.overload, (60, 120), 3)


# Kept in the database


def step(factor: int, *, seconds: int = 60, spacing: float = 1.0) -> list[Event]:
    """One request a second, then as many as the factor says."""
    events = []
    for i in range(2 * seconds):
        for n in range(factor if i >= seconds else 1):
            when = (i + n / factor) * spacing
            events += request(f"{i}-{n}", received=when, took=0.05, verb="get", name="x")
    return events


def windows(store: Store) -> dict[str, tuple[object, ...]]:
    rows = store.rows("from incident order by time_window")
    return {
        row["time_window"]: (row["begins_at"], row["ends_at"], row["chosen_by"]) for row in rows
    }


def test_ingest_finds_the_windows_and_says_how(store: Store, read: Read) -> None:
    read(step(8))
    assert windows(store) == {
        "baseline": (at(0), at(60), "change-point"),
        "overload": (at(60), at(120), "change-point"),
    }
    assert store.value("select bool_and(reason like 'demand grows up to %-fold%') from incident")


def test_a_log_without_a_step_has_no_windows(store: Store, read: Read) -> None:
    read(step(1))
    assert windows(store) == {}


def test_windows_follow_the_evidence(store: Store, read: Read) -> None:
    events = step(8)
    read([event for event in events if event["stageTimestamp"] < iso(at(70))], "first.log")
    read(events, "second.log")
    assert windows(store)["overload"][:2] == (at(60), at(120))


def test_windows_of_the_user_survive_further_ingest(store: Store, read: Read) -> None:
    read(step(8))
    set_window(store, "prod", "overload", Window(at(70), at(80)))
    read(request("later", received=130), "later.log")
    assert windows(store)["overload"] == (at(70), at(80), "user")
    assert windows(store)["baseline"][:2] == (at(0), at(60))
    forget_windows(store, "prod")
    assert windows(store)["overload"][2] == "change-point"


def test_windows_of_one_cluster_leave_those_of_another_alone(store: Store, read: Read) -> None:
    read(step(8))
    set_window(store, "other", "overload", Window(at(1), at(2)))
    choose_windows(store, "prod")
    forget_windows(store, "prod")
    assert store.value("select count(*) from incident where cluster = 'other'") == 1


@pytest.mark.parametrize("spacing", [0.5, 7, 3600, 86_400 * 30])
def test_a_log_of_any_length_is_counted_in_at_most_240_intervals(
    store: Store, read: Read, spacing: float
) -> None:
    read(step(8, seconds=20, spacing=spacing))
    span_s, interval_s = store.frame(
        "select epoch(ends_at - begins_at), interval_s from intervals"
    ).row(0)
    assert span_s / interval_s <= MOST_BINS
    found = store.value("select begins_at from incident where time_window = 'overload'")
    assert found is None or abs((found - at(20 * spacing)).total_seconds()) <= interval_s


def test_ten_minutes_of_overload_are_found_in_a_day_and_cut_to_the_minute(
    store: Store, read: Read
) -> None:
    quiet = [float(second) for second in range(0, 86_400, 15)]
    begins, ends = 50_000, 50_600
    loud = [begins + n / 4 for n in range(4 * (ends - begins))]
    events: list[Event] = []
    for n, when in enumerate(sorted(quiet + loud)):
        events += request(str(n), received=when, took=0.05, verb="get", name="x")
    read(events)
    found = store.rows("from incident where time_window = 'overload'")[0]
    assert abs((found["begins_at"] - at(begins)).total_seconds()) <= 60
    assert abs((found["ends_at"] - at(ends)).total_seconds()) <= 60
    baseline = store.rows("from incident where time_window = 'baseline'")[0]
    assert baseline["ends_at"] == found["begins_at"]
    assert baseline["ends_at"] - baseline["begins_at"] <= 4 * (
        found["ends_at"] - found["begins_at"]
    )


# Windows and times as typed


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T12:00:00Z", at(0)),
        ("2026-03-01T13:00:01.5+01:00", at(1.5)),
        ("2026-02-28T23:30:00-12:30", at(0)),
        ("20260301T120000Z", at(0)),
    ],
)
def test_a_time_is_read_with_its_zone(text: str, moment: object) -> None:
    assert utc(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-01T12:00:00",
        "2026-03-01",
        "0001-01-01T00:00:00+09:00",
        "2026-13-01T00:00Z",
    ],
)
def test_a_time_without_zone_or_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        utc(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z/",
        "2026-03-01T12:00:00Z/2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00Z/2026-03-01T12:00:00Z",
        "a/b/c",
    ],
)
def test_a_window_that_does_not_begin_before_it_ends_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Window.parse(text)


@given(
    begins=st.datetimes(), length=st.timedeltas(min_value=at(1) - at(0), max_value=at(9e6) - at(0))
)
def test_a_window_reads_as_it_is_written(begins: object, length: object) -> None:
    try:
        window = Window(begins, begins + length)  # type: ignore[arg-type, operator]
    except OverflowError:
        return
    assert Window.parse(str(window)) == window
    assert window.length == length
