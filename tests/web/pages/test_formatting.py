"""Sizes, durations, times and axes formatted for display."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bernard_exporter.domain.model import Run, Status
from bernard_exporter.domain.policy import Limits
from bernard_exporter.web.pages import formatting
from bernard_exporter.web.pages.axis import Scale, byte_ticks, day_ticks, second_ticks
from bernard_exporter.web.pages.chart import HEIGHT, WIDTH, duration_chart, size_chart
from bernard_exporter.web.pages.links import Links
from testing.rows import DAY, HOUR, MIB, NOW


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, "—"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (300 * 1024, "300.0 KiB"),
        (1 << 60, "1.0 EiB"),
        (1 << 72, "4096.0 EiB"),
    ],
)
def test_size_is_in_the_binary_unit_that_suits(found: int | None, text: str) -> None:
    assert formatting.size(found) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "—"), (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (100_000, "1 d 3 h")],
)
def test_duration_is_in_the_two_units_that_tell(seconds: float | None, text: str) -> None:
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (-59, "just now"),
        (-60, "1 minute ago"),
        (-7199, "1 hour ago"),
        (-86400 * 3, "3 days ago"),
        (59, "now"),
        (7200, "in 2 hours"),
        (86400, "in 1 day"),
    ],
)
def test_distance_is_in_the_largest_unit(away: float, text: str) -> None:
    assert formatting.distance(NOW + timedelta(seconds=away), NOW) == text


def test_exact_values_stand_behind_the_readable_ones() -> None:
    assert formatting.exact_size(300 * 1024) == '<data value="307200" title="307,200 bytes">300.0 KiB</data>'
    assert formatting.when(NOW - DAY, NOW) == (
        '<time datetime="2026-03-09T12:00:00Z" title="2026-03-09 12:00:00 UTC">2026-03-09 12:00</time> '
        '<small class="ago">1 day ago</small>'
    )


def test_limits_are_percentages() -> None:
    assert [formatting.limit(ratio) for ratio in (0.05, 0.125, 1.0)] == ["5 %", "12.5 %", "100 %"]


def test_axes_have_few_round_marks_around_every_value() -> None:
    for low, high in ((0, 1), (0, 5 * 1024), (90 * MIB, 101 * MIB), (1 << 39, 1 << 59), (7, 7)):
        ticks = byte_ticks(low, high)
        assert ticks[0] <= low
        assert ticks[-1] >= high
        assert 2 <= len(ticks) <= 8
    assert second_ticks(0, 7000) == [0, 1800, 3600, 5400, 7200]
    assert [f"{day:%d}" for day in day_ticks(NOW, NOW + 4 * DAY, 2)] == ["11", "13"]
    assert Scale(0, 10, 200, 100).at(2.5) == 175


def run(number: int, size: int | None, hours: float = 1) -> Run:
    start = NOW + number * DAY
    return Run(number, "", Status.FINISHED, "dump", "s1", "", "", start, start + hours * HOUR, size)


def test_charts_stay_within_their_drawing_and_the_band_follows_the_success_before() -> None:
    runs = [run(1, 100 * MIB), run(2, None), run(3, 103 * MIB), run(4, 60 * MIB, hours=30)]
    sizes, durations = size_chart(runs, Limits(max_age=1)), duration_chart(runs, Limits(max_age=1))
    assert sizes is not None
    assert durations is not None
    assert [dot.run.id for dot in sizes.dots] == [1, 3, 4]
    for dot in (*sizes.dots, *durations.dots):
        assert 0 < dot.x < WIDTH
        assert 0 < dot.y < HEIGHT
    # A run that kept its size lies inside the band, one that lost a third lies below it.
    outline = [float(part.split()[1]) for part in sizes.outer.strip("MZ").split("L")]
    above, below = outline[:2], outline[:1:-1]
    assert above[0] < sizes.dots[1].y < below[0]
    assert sizes.dots[2].y > below[1]
    assert durations.limit is not None
    assert durations.limit.label == "at most 12 h"


def test_charts_of_too_little_are_none() -> None:
    assert size_chart([run(1, MIB), run(2, None)], None) is None
    assert duration_chart([run(1, MIB)], None) is None


def test_links_leave_out_what_is_empty_and_repeat_lists() -> None:
    assert Links("/x").to("/runs", section=["s1", "s 2"], type="", name=None, sort="-id") == (
        "/x/runs?section=s1&section=s+2&sort=-id"
    )
