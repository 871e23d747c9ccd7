"""When an alert must fire, and when it may, from the marks of its condition."""

from __future__ import annotations

import pytest

from testing.trust.tracks import Mark, Track

MARKS = {"H": Mark.HOLDS, "n": Mark.NOT, "?": Mark.OPEN, "-": Mark.GAP}


def track(marks: str, within: int = 5, after: int = 0, over_gaps: bool = True) -> Track:
    """Return a track of parts such as ``n3 H10``: a mark and how many minutes it lasts."""
    parts = [MARKS[part[0]] for part in marks.split() for _ in range(int(part[1:]))]
    return Track("BackupFailed", "warning", (), within, after, over_gaps, marks=parts)


def minutes(answers: list[bool]) -> list[int]:
    return [minute for minute, answer in enumerate(answers) if answer]


def test_condition_that_holds_must_fire_after_its_delay_and_may_fire_until_twenty_minutes_after_its_end() -> None:
    found = track("n3 H10 n30")
    assert minutes(found.must()) == [8, 9, 10, 11, 12]
    assert minutes(found.may()) == list(range(3, 33))


@pytest.mark.parametrize(("gap", "outlives"), [(15, True), (16, False)])
def test_gap_of_fifteen_minutes_ends_no_alert_and_a_longer_one_may(gap: int, outlives: bool) -> None:
    found = minutes(track(f"H10 -{gap} H10").must())
    inside = list(range(10, 10 + gap))
    assert found == [*range(5, 10), *(inside if outlives else []), *range(10 + gap + (0 if outlives else 5), 20 + gap)]


def test_condition_that_ends_in_a_gap_need_not_fire_in_it() -> None:
    assert minutes(track("H10 -5 n10").must()) == [5, 6, 7, 8, 9]


def test_gap_delays_an_alert_that_does_not_fire_yet() -> None:
    assert minutes(track("H4 -5 H10").must()) == [14, 15, 16, 17, 18]


def test_alert_about_an_exporter_does_not_outlive_a_gap() -> None:
    assert minutes(track("H10 -5 H4", over_gaps=False).must()) == [5, 6, 7, 8, 9]


def test_long_gap_is_silent_after_twenty_minutes() -> None:
    assert minutes(track("H10 -40").may()) == list(range(30))


def test_open_condition_may_fire_and_need_not() -> None:
    found = track("n1 ?10")
    assert (minutes(found.must()), minutes(found.may())) == ([], list(range(1, 11)))


def test_alert_that_must_not_fire_early_may_fire_after_its_delay_unless_the_story_begins_with_it() -> None:
    assert minutes(track("n1 H10", after=4).may()) == list(range(5, 11))
    assert minutes(track("H3", after=4).may()) == [0, 1, 2]
