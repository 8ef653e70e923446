from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from kubepostmortem.errors import UsageError
from kubepostmortem.incident import known_zone
from kubepostmortem.sources.content import Unusable
from kubepostmortem.sources.times import NO_TIME, NO_ZONE, moment, moments

TIME = datetime(2024, 12, 11, 22, 53)


@pytest.mark.parametrize(
    "text",
    [
        "2024-12-11T22:53:00Z",
        "2024-12-11 14:53:00 -0800 PST",
        "1733957580",
        "1733957580.0",
        "1733957580000",
        "1733957580000.0",
        "1733957580000000",
        "1733957580000000000",
    ],
)
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_a_time_that_tells_its_instant_is_read_whatever_the_zone(text, zone):
    assert moment(text, zone) == TIME


@pytest.mark.parametrize(
    ("zone", "hour"), [("UTC", 22), ("Europe/Berlin", 21), ("America/Los_Angeles", 6)]
)
def test_a_time_without_a_zone_is_read_in_the_one_given(zone, hour):
    assert moment("2024-12-11 22:53:00", zone).hour == hour


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("2024-12-11 22:53:00", None, NO_ZONE),
        ("0001-01-01T00:00:00", "UTC", NO_TIME),
        ("0001-01-01T00:00:00Z", None, NO_TIME),
        ("9999-12-31T23:59:59Z", None, NO_TIME),
        ("9999-12-31T23:59:59", "America/Los_Angeles", NO_TIME),
        ("17339575800", None, NO_TIME),
        ("noon", "UTC", NO_TIME),
        ("", "UTC", NO_TIME),
    ],
)
def test_what_is_no_time_says_why(text, zone, reason):
    with pytest.raises(Unusable, match=reason):
        moment(text, zone)


def test_many_times_are_read_as_one_is():
    texts = pl.Series(["1733957580", "noon", None, "2024-12-11", "1733957580"])

    assert set(moments(texts).iter_rows()) == {
        ("1733957580", TIME, None),
        ("noon", None, NO_TIME),
        ("2024-12-11", None, NO_ZONE),
    }


@pytest.mark.parametrize("name", ["Middle/Earth", "", "../../etc/passwd", "/etc/passwd", "a\0b"])
def test_zones_that_there_are_not_are_refused(name):
    with pytest.raises(UsageError, match="no such time zone"):
        known_zone(name)


def test_a_zone_is_known_by_its_iana_name():
    assert known_zone("Europe/Berlin") == "Europe/Berlin"
