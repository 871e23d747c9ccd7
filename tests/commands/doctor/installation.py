"""Databases and accounts on a real server, created for the tests."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bernard_exporter.commands.doctor.examination import examine
from bernard_exporter.commands.doctor.result import DoctorResult, Level
from testing.rows import DAY, Rows
from testing.servers import MariaDB

PASSWORD = "s3cret"
_numbers = itertools.count(1)


@dataclass
class Installation:
    """An inventory with a fresh backup, and an account that may read it."""

    server: MariaDB
    url: str
    directory: Path
    user: str = field(default_factory=lambda: f"installation{next(_numbers)}")

    def __post_init__(self) -> None:
        self.rows = Rows(self.url)
        self.database = self.url.rpartition("/")[2]
        self.root(f"CREATE USER {self.user}@'%' IDENTIFIED BY '{PASSWORD}'")

    def root(self, *statements: str) -> None:
        self.server.execute(*statements, database=self.database)

    def may_read(self) -> Installation:
        self.root(f"GRANT SELECT ON {self.database}.* TO {self.user}@'%'")
        return self

    def fresh(self) -> Installation:
        for days in (1, 2):
            self.rows.add(start=datetime.now(UTC) - days * DAY)
        return self

    def config(self, *options: str, policy: str = "{s1: {dump: {datacenters: [eqiad]}}}", hosts: str = "") -> Path:
        option_file, file = self.directory / "my.cnf", self.directory / "config.yaml"
        lines = [f"user={self.user}", f"password={PASSWORD}", f"port={self.server.port}", f"database={self.database}"]
        host = [] if any(option.startswith("host=") for option in options) else ["host=127.0.0.1"]
        option_file.write_text("\n".join(["[client]", *lines, *host, *options]) + "\n")
        option_file.chmod(0o640)
        file.write_text(f"database: {{option_file: my.cnf{hosts}}}\npolicy: {{sections: {policy}}}\n")
        return file

    def results(self, *options: str) -> list[DoctorResult]:
        return examined(self.config(*options))

    def apply(self, fix: str) -> None:
        for statement in filter(None, (part.strip() for part in fix.split(";"))):
            self.root(statement)


def examined(file: Path) -> list[DoctorResult]:
    return list(examine(file, lambda: datetime.now(UTC)))


def problems(results: list[DoctorResult]) -> list[DoctorResult]:
    return [result for result in results if result.level is not Level.OK]
