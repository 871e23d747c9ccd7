"""Fill an empty database with a sample inventory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bernard_exporter.commands.sample.document import policy_yaml
from bernard_exporter.commands.sample.files import files_of
from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.commands.sample.history import make_history
from bernard_exporter.errors import SampleError
from bernard_exporter.store.writer import Writer


def generate(
    url: str,
    *,
    days: int,
    files: int,
    seed: int,
    now: datetime,
    runs: int | None = None,
    jobs: int | None = None,
    policy_output: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Fill an empty database with a sample inventory up to ``now``.

    Args:
        url: an SQLite file, which is created if needed, or an empty database on a MariaDB server.
        days: the minimum length of the history.
        files: the maximum number of files and directories of a run.
        seed: the random seed; the same arguments give the same inventory.
        now: the end of the history, with a time zone.
        runs: the number of runs, instead of ``days``.
        jobs: the number of jobs; None for the usual fleet.
        policy_output: the file for the key ``policy`` of a matching configuration.
        progress: called with the number of inserted runs and the total.

    Raises:
        SampleError: an argument is invalid, the database is not empty or cannot be used, or the policy cannot be
            written.
    """
    for name, count, least in (("days", days, 1), ("runs", runs, 1), ("jobs", jobs, 1), ("files", files, 0)):
        if count is not None and count < least:
            raise SampleError(f"{name}: found {count}, expected at least {least}")
    writer = Writer(url)
    fleet = make_fleet(jobs, now)
    history = make_history(fleet, now=now, seed=seed, days=days, runs=runs)
    writer.create()
    if policy_output is not None:
        _write(policy_output, policy_yaml(fleet))
    total = len(history)
    progress(0, total)
    writer.load(((run, files_of(run, files)) for run in history), lambda done: progress(done, total))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SampleError(f"{file}: {error.strerror}; choose a file that can be written") from error
