"""A sample is created completely, or refused with one sentence."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.errors import SampleError
from bernard_exporter.store.schema import backup_files, backups
from bernard_exporter.store.writable import open_writable
from testing.rows import NOW


def make(url: str, **changes: Any) -> list[tuple[int, int]]:
    """Create a small sample; return the reported progress."""
    steps: list[tuple[int, int]] = []
    usual: dict[str, Any] = {"days": 7, "runs": None, "jobs": 10, "files": 3, "seed": 1, "policy_output": None}
    generate(url, now=NOW.astimezone(UTC), progress=lambda *step: steps.append(step), **(usual | changes))
    return steps


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"days": 0}, "days: found 0, expected at least 1"),
        ({"runs": 0}, "runs: found 0, expected at least 1"),
        ({"jobs": -3}, "jobs: found -3, expected at least 1"),
        ({"files": -1}, "files: found -1, expected at least 0"),
    ],
)
def test_impossible_number_is_refused_before_anything_is_made(
    arguments: dict[str, int], says: str, tmp_path: Path
) -> None:
    with pytest.raises(SampleError, match=says):
        make(f"sqlite:///{tmp_path / 'inventory.sqlite'}", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_policy_that_cannot_be_written_is_refused_before_rows_are(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inventory.sqlite'}"
    with pytest.raises(SampleError, match="No such file or directory; choose a file that can be written"):
        make(url, policy_output=tmp_path / "no" / "policy.yaml")
    assert make(url), "the database is still empty"


def test_progress_begins_at_nothing_and_ends_with_all(mariadb_url: str) -> None:
    steps = make(mariadb_url, runs=500)
    assert steps == [(0, 500), (500, 500)]
    with open_writable(mariadb_url).connect() as connection:
        assert connection.execute(select(func.count()).select_from(backups)).scalar() == 500
        assert connection.execute(select(func.max(backup_files.c.backup_id))).scalar_one() <= 500


def test_both_kinds_of_store_get_the_same_rows(mariadb_url: str, tmp_path: Path) -> None:
    found = []
    for url in (mariadb_url, f"sqlite:///{tmp_path / 'inventory.sqlite'}"):
        make(url)
        with open_writable(url).connect() as connection:
            runs = connection.execute(select(backups).order_by(backups.c.id)).all()
            files = connection.execute(select(backup_files)).all()
        found.append(([tuple(row) for row in runs], {tuple(row) for row in files}))
    assert found[0] == found[1]
    assert len(found[0][0]) > 50
