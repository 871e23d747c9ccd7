"""Fill an empty database with a sample inventory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bernard_exporter.errors import SampleError
from bernard_exporter.sample.document import policy_yaml
from bernard_exporter.sample.files import files_of
from bernard_exporter.sample.fleet import make_fleet
from bernard_exporter.sample.history import make_history
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
        url: of an SQLite file, which need not exist, or of an empty database on a MariaDB server.
        days: how far back the history goes at least.
        files: how many files and directories a run has at most.
        seed: of everything drawn; the same arguments make the same inventory.
        now: aware.
        runs: how many runs there are instead, as far back as that takes.
        jobs: how many jobs there are; None for the usual fleet.
        policy_output: where the key ``policy`` of a fitting configuration file is written to.
        progress: called with the runs inserted so far and the runs in all.

    Raises:
        SampleError: an argument is impossible, the database is not empty or cannot be used, or the policy cannot be
            written.
    """
    for name, found, least in (("days", days, 1), ("runs", runs, 1), ("jobs", jobs, 1), ("files", files, 0)):
        if found is not None and found < least:
            raise SampleError(f"{name}: found {found}, expected at least {least}")
    writer = Writer(url)
    fleet = make_fleet(jobs)
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
        raise SampleError(f"{file}: {error.strerror}; name a file that can be written") from error
