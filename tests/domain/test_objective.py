"""The time in which an objective was met is that of a clock that asks every second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.domain.objective import ObjectiveMeter

START, END = 30, 90
RUN = st.tuples(st.integers(0, 100), st.integers(0, 25))


def asked_every_second(runs: list[tuple[int, int]], max_age: int) -> int:
    """Count the seconds at whose middle the newest success that had ended was young enough."""
    met = 0
    for second in range(START, END):
        now = second + 0.5
        begun = [begin for begin, took in runs if begin + took <= now]
        met += bool(begun) and now - max(begun) <= max_age
    return met


@given(st.lists(RUN, max_size=12), st.integers(1, 40))
def test_time_met_is_that_of_asking_every_second(runs: list[tuple[int, int]], max_age: int) -> None:
    meter = ObjectiveMeter(max_age, START, END)
    for begin, took in sorted(runs):
        meter.add(begin, begin + took)
    assert meter.met == asked_every_second(runs, max_age)
    assert meter.ratio == meter.met / (END - START)


def test_no_time_has_no_share() -> None:
    assert ObjectiveMeter(10, 5, 5).ratio is None
