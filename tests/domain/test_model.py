"""The values of the model."""

from datetime import UTC, datetime

import pytest

from bernard_exporter.domain.model import RANK, Rank, Run, State, Status

NOW = datetime(2026, 1, 2, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def a_run(status: Status = Status.FINISHED, start: datetime | None = START, end: datetime | None = NOW) -> Run:
    return Run(1, "dump.s1", status, "dump", "s1", "db1:3311", "dbprov1.eqiad.wmnet", start, end, 10)


@pytest.mark.parametrize("text", [None, "", "nonsense", "FINISHED "])
def test_undefined_status_is_unknown(text: str | None) -> None:
    assert Status.parse(text) is Status.UNKNOWN


def test_duration_of_contradicting_times_is_unknown() -> None:
    assert a_run(start=NOW, end=START).duration is None
    assert a_run().duration == 86400


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (a_run(), True),
        (a_run(status=Status.FAILED), False),
        (a_run(end=None), False),
        (a_run(start=None), False),
        (a_run(start=datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC)), False),
    ],
)
def test_success_is_finished_with_end_and_started_at_a_known_past_time(run: Run, expected: bool) -> None:
    assert run.is_success(NOW) is expected


def test_only_fresh_is_ok_and_only_two_states_are_warnings() -> None:
    assert {s for s in State if RANK[s] is Rank.OK} == {State.FRESH}
    assert {s for s in State if RANK[s] is Rank.WARNING} == {State.ONLY_ONE, State.WRONG_SIZE}
