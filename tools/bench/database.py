"""A MariaDB server filled with runs, and the load caused by each of its users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bernard_exporter.commands.progress import progress_bar
from bernard_exporter.commands.sample.generate import generate
from testing.servers import MariaDB

NAME = "sample"
USERS = ("bernard", "sql_exporter", "query_exporter", "client")
# Number of tables in the largest dump: section s3 has about 900 databases.
LARGE_TABLES = 54_000
_FLAGS = ("--userstat=1", "--innodb-buffer-pool-size=4G", "--max-connections=300", "--innodb-log-file-size=1G")


class Cost(NamedTuple):
    """The load caused by a user: rows read by the storage engine, and processor time in seconds."""

    rows: int
    seconds: float

    def __sub__(self, other: Cost) -> Cost:
        """Return the difference of two readings."""
        return Cost(self.rows - other.rows, self.seconds - other.seconds)


def cost(server: MariaDB, user: str) -> Cost:
    """Return the load caused by a user since the start of the server.

    In processor time, for how long it was busy varies by half from minute to minute on a machine that is shared.
    """
    rows = server.execute(f"SELECT rows_read, cpu_time FROM information_schema.user_statistics WHERE user = '{user}'")
    return Cost(int(str(rows[0][0])), float(str(rows[0][1]))) if rows else Cost(0, 0.0)


@contextmanager
def filled(directory: Path, runs: int, jobs: int, files: int) -> Iterator[MariaDB]:
    """Run a server with a sample of ``runs`` runs of ``jobs`` jobs with up to ``files`` files each.

    The policy that expects the jobs is written to ``policy.yaml`` in the directory. A directory that was filled with
    as much before is used as it is.

    Raises:
        SystemExit: the directory was filled with something else.
    """
    server, note, contents = MariaDB(directory), directory / "filled", f"{runs} runs, {jobs} jobs, {files} files"
    earlier = note.read_text() if note.exists() else None
    if earlier not in (None, contents):
        raise SystemExit(f"{directory}: holds {earlier}, expected {contents}; name another directory")
    if earlier is None:
        server.install()
    with server.serve(*_FLAGS):
        if earlier is None:
            _fill(server, runs, jobs, files)
            note.write_text(contents)
        yield server


def _fill(server: MariaDB, runs: int, jobs: int, files: int) -> None:
    server.execute(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4")
    with progress_bar(f"{runs:,} runs") as progress:
        generate(
            server.url(NAME),
            days=1,
            runs=runs,
            jobs=jobs,
            files=files,
            seed=1,
            now=datetime.now(UTC),
            policy_output=server.directory / "policy.yaml",
            progress=progress,
        )
    server.execute("ANALYZE TABLE backups, backup_files", database=NAME)
    for user in USERS:
        server.execute(f"CREATE USER {user}@'127.0.0.1'", f"GRANT SELECT ON {NAME}.* TO {user}@'127.0.0.1'")


def enlarge(server: MariaDB) -> tuple[int, int]:
    """Add as many files as in the largest sections to the newest two successes of one job: two per table.

    Returns their ids, newest first. What was enlarged before stays as it is.
    """
    newest, before = newest_two(server, "s3")
    enlarged = f"SELECT 1 FROM backup_files WHERE backup_id = {newest} AND file_path = '' AND file_name LIKE 'wiki0.%'"
    if server.execute(enlarged, database=NAME):
        return newest, before
    for run_id, tables in ((newest, LARGE_TABLES), (before, LARGE_TABLES - 100)):
        for suffix, size in (("-schema.sql.gz", 700), (".sql.gz", 4096)):
            server.execute(
                f"INSERT INTO backup_files (backup_id, file_path, file_name, size, file_date) SELECT {run_id}, '', "
                f"CONCAT('wiki', seq DIV 60, '.table', seq MOD 60, '{suffix}'), "
                f"{size} + seq MOD 17 * {run_id} MOD 900, '2026-01-01 00:00:00' FROM seq_0_to_{tables - 1}",
                database=NAME,
            )
    return newest, before


def newest_two(server: MariaDB, section: str) -> tuple[int, int]:
    """Return the ids of the newest two dumps of a section in eqiad, newest first.

    Raises:
        SystemExit: there are too few jobs for the section to be among them, or too few runs.
    """
    rows = server.execute(
        f"SELECT id FROM backups WHERE type = 'dump' AND section = '{section}' AND status = 'finished' "
        "AND host LIKE '%.eqiad.wmnet' ORDER BY start_date DESC, id DESC LIMIT 2",
        database=NAME,
    )
    if len(rows) < 2:
        raise SystemExit(
            f"{section} has {len(rows)} successful dumps in eqiad, expected two; ask for more jobs or runs"
        )
    return int(str(rows[0][0])), int(str(rows[1][0]))
