"""``generate-sample`` creates an inventory that contains everything that can be shown."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bernard_exporter import commands
from bernard_exporter.config.load import load
from bernard_exporter.domain.model import State
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller

NOW = "2026-03-10T12:00:00Z"


def generate(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        commands.main(["generate-sample", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def look(url: str, directory: Path, policy: Path) -> Snapshot:
    """Return the snapshot of the exporter with the policy that was written with the sample."""
    config = directory / "config.yaml"
    config.write_text(f"database: {{url: '{url}'}}\n{policy.read_text()}")
    poller = Poller(load(config), Clock(now=lambda: datetime.fromisoformat(NOW), monotonic=lambda: 0.0))
    for _ in range(100):
        poller.tick()
    poller.stop()
    return poller.snapshot


def test_sample_shows_every_state_and_every_kind_of_trouble(url: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    assert generate(url, "--now", NOW, "--files", "12", "--policy-output", str(policy)) == 0
    snapshot = look(url, tmp_path, policy)
    states = Counter(status.verdict.state for status in snapshot.jobs if status.verdict)
    assert set(states) == set(State)
    assert states[State.FRESH] > sum(states.values()) / 2
    jobs = snapshot.jobs
    assert {job.job.datacenter for job in jobs} >= {"eqiad", "codfw"}
    assert [job for job in jobs if job.limits is None], "a job that only the database knows"
    assert [job for job in jobs if job.ongoing], "a run in progress"
    assert [job for job in jobs if job.abandoned], "a run that can never end"
    assert [job for job in jobs if job.consecutive_failures >= 3], "a job that fails again and again"
    fresh = [job for job in jobs if job.verdict and job.verdict.state is State.FRESH]
    assert [job for job in fresh if job.consecutive_failures], "a failure after a fresh success"
    late = [
        run
        for job in jobs
        if job.limits
        for run in job.ongoing
        if run.start and job.limits.max_duration < (snapshot.taken - run.start) / timedelta(seconds=1)
    ]
    assert late, "a run that takes too long"
    counted = [job.contents for job in jobs if job.contents and job.contents.files]
    assert len(counted) > len(jobs) / 2
    assert [contents for contents in counted if contents.objects]
    assert snapshot.taken == datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_number_of_runs_and_jobs_is_as_requested(url: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    arguments = ["--runs", "3000", "--jobs", "100", "--files", "0", "--policy-output", str(policy), "--now", NOW]
    assert generate(url, *arguments) == 0
    snapshot = look(url, tmp_path, policy)
    assert sum(sum(status.runs.values()) for status in snapshot.jobs) == 3000
    assert len(snapshot.jobs) == 100


def test_database_with_rows_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(url, "--days", "7", "--jobs", "5") == 0
    assert generate(url, "--days", "7", "--jobs", "5") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is not empty; use an empty database" in said


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["postgresql://u:secret@h/d"], 1, "expected"),
        (["mysql+pymysql://root:secret@127.0.0.1:1/d"], 1, "check that the server runs"),
        (["sqlite:////nowhere/at/all.sqlite"], 1, "unable to open"),
        (["sqlite:////tmp/x", "--days=0"], 2, "--days"),
        (["sqlite:////tmp/x", "--now=soon"], 2, "expected a time such as"),
    ],
)
def test_wrong_arguments_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, says: str
) -> None:
    assert generate(*arguments) == status
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said
    assert "secret" not in said
