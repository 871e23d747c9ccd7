"""The states of a job at every limit."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.domain.model import Run, State, Status
from bernard_exporter.domain.policy import BUILT_IN, Limits, Policy, judge, size_change

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LIMITS = BUILT_IN["dump"]
MAX_AGE = int(LIMITS.max_age)
SIZE = 1_000_000


def success(age: float = 3600, size: int | None = SIZE, run_id: int = 2) -> Run:
    start = NOW - timedelta(seconds=age)
    return Run(run_id, "", Status.FINISHED, "dump", "s1", "", "", start, start, size)


BEFORE = success(90000, run_id=1)


def state(newest: Run | None, previous: Run | None = BEFORE, limits: Limits = LIMITS) -> State:
    return judge(limits, newest, previous, NOW).state


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, State.FRESH),
        (MAX_AGE - 1, State.FRESH),
        (MAX_AGE, State.FRESH),
        (MAX_AGE + 1, State.STALE),
        (2 * MAX_AGE - 1, State.STALE),
        (2 * MAX_AGE, State.STALE),
        (2 * MAX_AGE + 1, State.VERY_STALE),
    ],
)
def test_age_is_judged_strictly_above_its_limit(age: int, expected: State) -> None:
    assert state(success(age)) is expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (LIMITS.min_size - 1, State.TOO_SMALL),
        (LIMITS.min_size, State.FRESH),
        (0, State.TOO_SMALL),
        (None, State.TOO_SMALL),
    ],
)
def test_size_is_judged_strictly_below_its_limit(size: int | None, expected: State) -> None:
    assert state(success(size=size), success(size=LIMITS.min_size)) is expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1_050_000, State.FRESH),
        (1_050_001, State.WRONG_SIZE),
        (950_000, State.FRESH),
        (949_999, State.WRONG_SIZE),
        (1_150_000, State.WRONG_SIZE),
        (1_150_001, State.VERY_WRONG_SIZE),
        (850_000, State.WRONG_SIZE),
        (849_999, State.VERY_WRONG_SIZE),
    ],
)
def test_size_change_is_judged_strictly_above_its_limits_either_way(size: int, expected: State) -> None:
    assert state(success(size=size)) is expected


@pytest.mark.parametrize("previous", [None, success(size=0), success(size=None)])
def test_nothing_to_compare_with_is_only_one_unless_the_section_is_read_only(previous: Run | None) -> None:
    assert state(success(), previous) is State.ONLY_ONE
    assert state(success(), previous, replace(LIMITS, read_only=True)) is State.FRESH


def test_read_only_section_is_still_judged_by_age_size_and_change() -> None:
    limits = replace(LIMITS, read_only=True)
    assert state(success(MAX_AGE + 1), None, limits) is State.STALE
    assert state(success(size=1), None, limits) is State.TOO_SMALL
    assert state(success(size=2 * SIZE), success(), limits) is State.VERY_WRONG_SIZE


def test_no_success_is_missing() -> None:
    assert state(None, None) is State.MISSING


def test_first_rule_that_holds_decides() -> None:
    assert state(success(MAX_AGE + 1, size=None), None) is State.STALE
    assert state(success(size=None), None) is State.TOO_SMALL


def test_reason_says_what_was_found_and_expected() -> None:
    assert {
        judge(LIMITS, newest, BEFORE, NOW).reason for newest in (success(734000), success(size=1024), success())
    } == {
        "the newest success started 8 d 11 h ago, expected at most 8 d",
        "the size of the newest success is 1.0 KiB, expected at least 300.0 KiB",
        "recent enough, large enough, size changed by +0.00%",
    }
    assert judge(LIMITS, success(size=None), BEFORE, NOW).reason == (
        "the size of the newest success is unknown, expected at least 300.0 KiB"
    )


_sizes = st.one_of(st.none(), st.integers(0, 1 << 60))
_limits = st.builds(
    Limits,
    max_age=st.floats(1, 1e9),
    min_size=st.integers(0, 1 << 40),
    size_change_warning=st.floats(0, 1) | st.none(),
    size_change_critical=st.floats(1, 10) | st.none(),
    read_only=st.booleans(),
)


@given(_limits, st.floats(0, 4e8), _sizes, _sizes)
def test_each_state_means_what_it_says(limits: Limits, age: float, size: int | None, before: int | None) -> None:
    newest, previous = success(age, size), success(age + 1, before)
    found = judge(limits, newest, previous, NOW).state
    assert newest.start
    # The age as the clock has it: whole microseconds.
    age = (NOW - newest.start).total_seconds()
    change = size_change(size, before)
    assert change is None or math.isfinite(change)
    stale = age > limits.max_age
    small = size is None or size < limits.min_size
    assert (found in (State.STALE, State.VERY_STALE)) == stale
    assert (found is State.VERY_STALE) == (age > 2 * limits.max_age)
    assert (found is State.TOO_SMALL) == (small and not stale)
    if not stale and not small:
        lonely = change is None and not limits.read_only
        assert (found is State.ONLY_ONE) == lonely
        moved = abs(change) if change is not None else 0.0
        # Without limits, any change is accepted.
        warning, critical = (
            math.inf if limit is None else limit for limit in (limits.size_change_warning, limits.size_change_critical)
        )
        assert (found is State.VERY_WRONG_SIZE) == (moved > critical)
        wrong = warning < moved <= critical
        assert (found is State.WRONG_SIZE) == wrong


@given(_limits, st.floats(0, 1e8), st.floats(0, 1e8), _sizes)
def test_ageing_never_makes_a_backup_better(limits: Limits, age: float, more: float, size: int | None) -> None:
    order = [State.VERY_STALE, State.STALE]
    young, old = (judge(limits, success(a, size), None, NOW).state for a in (age, age + more))
    if young in order:
        assert order.index(old) <= order.index(young)


def test_datacenter_follows_the_first_pattern_that_matches() -> None:
    policy = Policy()
    assert policy.datacenter("dbprov1001.eqiad.wmnet") == "eqiad"
    assert policy.datacenter("backup2002.codfw.wmnet") == "codfw"
    assert policy.datacenter("codfw.wmnet.example") == "unknown"
    assert policy.datacenter("") == "unknown"
