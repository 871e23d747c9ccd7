"""Limits in the format of the configuration, and values for display."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.config import values
from bernard_exporter.domain import humanize


@given(st.integers(1, 10**9))
def test_duration_comes_out_as_it_went_in(seconds: int) -> None:
    assert values.duration(values.duration_text(float(seconds))) == seconds


@given(st.integers(0, (1 << 53)))
def test_size_comes_out_as_it_went_in(bytes_: int) -> None:
    assert values.size(values.size_text(bytes_)) == bytes_


@given(st.integers(0, 10**5))
def test_ratio_comes_out_as_it_went_in(hundredths: int) -> None:
    assert values.ratio(values.ratio_text(hundredths / 10_000)) == pytest.approx(hundredths / 10_000, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (values.duration_text(691200.0), "8d"),
        (values.duration_text(43200.0), "12h"),
        (values.duration_text(100.0), "100s"),
        (values.duration_text(0.5), "0.5s"),
        (values.size_text(307200), "300KiB"),
        (values.size_text(307201), "307201B"),
        (values.size_text(60_000_000), "60MB"),
        (values.size_text(0), "0"),
        (values.ratio_text(0.05), "5%"),
        (values.ratio_text(0.07), "7%"),
        (values.ratio_text(0.045), "4.5%"),
        (values.ratio_text(1e-9), "0.0000001%"),
        (values.ratio_text(0), "0%"),
        (humanize.size(None), humanize.NOTHING),
        (humanize.size(0), "0 B"),
        (humanize.size(1023), "1023 B"),
        (humanize.size(1024), "1.0 KiB"),
        (humanize.size(1 << 60), "1.0 EiB"),
        (humanize.duration(None), humanize.NOTHING),
        (humanize.duration(0.4), "0 s"),
        (humanize.duration(59.4), "59 s"),
        (humanize.duration(3600), "1 h"),
        (humanize.duration(90061), "1 d 1 h"),
        (humanize.percent(None), humanize.NOTHING),
        (humanize.percent(-0.1234), "-12.3 %"),
        (humanize.time(None), humanize.NOTHING),
        (humanize.time(datetime(2026, 3, 10, 12, 0, 59, tzinfo=UTC)), "2026-03-10 12:00 UTC"),
        (humanize.visible("a\x1b[2Jb\nc\u202e"), r"a\x1b[2Jb\nc\u202e"),
        (humanize.visible("naïve"), "naïve"),
    ],
)
def test_values_are_written_so(written: str, expected: str) -> None:
    assert written == expected
