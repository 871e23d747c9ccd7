"""Databases on a real server, and accounts made for the purpose."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bernard_exporter.doctor.examination import examine
from bernard_exporter.doctor.finding import Finding, Level
from tests.rows import DAY, Rows
from tests.servers import MariaDB

PASSWORD = "s3cret"
_numbers = itertools.count(1)


@dataclass
class Patient:
    """An inventory with a fresh backup, and an account that may read it."""

    server: MariaDB
    url: str
    directory: Path
    user: str = field(default_factory=lambda: f"patient{next(_numbers)}")

    def __post_init__(self) -> None:
        self.rows = Rows(self.url)
        self.database = self.url.rpartition("/")[2]
        self.root(f"CREATE USER {self.user}@'%' IDENTIFIED BY '{PASSWORD}'")

    def root(self, *statements: str) -> None:
        self.server.execute(*statements, database=self.database)

    def may_read(self) -> Patient:
        self.root(f"GRANT SELECT ON {self.database}.* TO {self.user}@'%'")
        return self

    def fresh(self) -> Patient:
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

    def found(self, *options: str) -> list[Finding]:
        return examined(self.config(*options))

    def apply(self, mend: str) -> None:
        for statement in filter(None, (part.strip() for part in mend.split(";"))):
            self.root(statement)


def examined(file: Path) -> list[Finding]:
    return list(examine(file, lambda: datetime.now(UTC)))


def ailing(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is not Level.OK]
