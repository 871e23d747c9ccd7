"""A MariaDB full of runs, and what each of its users made it do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bernard_exporter.cli.progress import progress_bar
from bernard_exporter.sample.generate import generate
from tests.servers import MariaDB

NAME = "sample"
USERS = ("bernard", "sql_exporter", "query_exporter", "client")
_FLAGS = ("--userstat=1", "--innodb-buffer-pool-size=4G", "--max-connections=300", "--innodb-log-file-size=1G")


class Cost(NamedTuple):
    """What a user made the server do: rows read by the storage engine, and seconds it was busy."""

    rows: int
    seconds: float

    def __sub__(self, other: Cost) -> Cost:
        """Return what was spent between two readings."""
        return Cost(self.rows - other.rows, self.seconds - other.seconds)


def cost(server: MariaDB, user: str) -> Cost:
    """Return what a user has made the server do since it was started."""
    found = server.execute(f"SELECT rows_read, busy_time FROM information_schema.user_statistics WHERE user = '{user}'")
    return Cost(int(str(found[0][0])), float(str(found[0][1]))) if found else Cost(0, 0.0)


@contextmanager
def filled(directory: Path, runs: int, jobs: int, files: int) -> Iterator[MariaDB]:
    """Run a server with a sample of ``runs`` runs of ``jobs`` jobs with up to ``files`` files each.

    The policy that expects the jobs is written to ``policy.yaml`` in the directory.
    """
    server = MariaDB(directory)
    server.install()
    with server.serve(*_FLAGS):
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
                policy_output=directory / "policy.yaml",
                progress=progress,
            )
        server.execute("ANALYZE TABLE backups, backup_files", database=NAME)
        for user in USERS:
            server.execute(f"CREATE USER {user}@'127.0.0.1'", f"GRANT SELECT ON {NAME}.* TO {user}@'127.0.0.1'")
        yield server
