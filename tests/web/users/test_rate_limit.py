"""A token bucket allows exactly its rate and its burst."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.web.users.rate_limit import Bucket
from bernard_exporter.web.web_config.settings import RateLimit


def taken(limit: RateLimit, moments: list[float]) -> list[float]:
    """Return the moments, of all at which a token is asked for, at which there was one."""
    now = [0.0]
    bucket = Bucket(limit, clock=lambda: now[0])
    found = []
    for moment in moments:
        now[0] = moment
        if bucket.take():
            found.append(moment)
    return found


@pytest.mark.parametrize(
    ("limit", "moments", "found"),
    [
        (RateLimit(1, 1), [0, 0, 0.5, 1, 1.5, 2], [0, 1, 2]),
        (RateLimit(1, 3), [0, 0, 0, 0, 1, 1, 9, 9, 9, 9], [0, 0, 0, 1, 9, 9, 9]),
        (RateLimit(0.25, 1), [0, 0.125, 0.25, 0.5], [0, 0.25, 0.5]),
    ],
)
def test_tokens_come_back_one_an_interval_up_to_the_burst(
    limit: RateLimit, moments: list[float], found: list[float]
) -> None:
    assert taken(limit, moments) == found


@given(
    limit=st.builds(RateLimit, st.floats(1e-6, 1e3), st.integers(1, 50)),
    gaps=st.lists(st.floats(0, 100), max_size=100),
)
def test_no_stretch_of_time_has_more_than_burst_and_rate_allow(limit: RateLimit, gaps: list[float]) -> None:
    moments = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    found = taken(limit, moments)
    for first in range(len(found)):
        for last in range(first, len(found)):
            allowed = limit.burst + (found[last] - found[first]) / limit.interval
            assert last - first + 1 <= allowed * (1 + 1e-9) + 1e-6
