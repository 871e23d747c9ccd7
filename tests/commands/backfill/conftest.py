"""An inventory with a history, on each kind of store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bernard_exporter import commands
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import Settings
from bernard_exporter.store.schema import backups
from testing.rows import Rows


@dataclass
class Sampled:
    """A sample inventory and a configuration that expects its jobs."""

    url: str
    config: Path

    @property
    def settings(self) -> Settings:
        return load(self.config)

    @property
    def rows(self) -> Sequence[dict[str, Any]]:
        with Rows(self.url).engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(backups))]

    def backfill(self, *arguments: str) -> int:
        """Run the command; return its exit status."""
        with pytest.raises(SystemExit) as ended:
            commands.main(["backfill", "--config.file", str(self.config), *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code

    def write(self, directory: Path, *arguments: str) -> Path:
        """Write to a file, and return it."""
        file = directory / "past.om"
        assert self.backfill("--output", str(file), *arguments) == 0
        return file


def sampled(url: str, directory: Path, now: datetime, *, jobs: int = 12, days: int = 30, more: str = "") -> Sampled:
    policy, config = directory / "policy.yaml", directory / "backfill.yaml"
    generate(url, days=days, jobs=jobs, files=0, seed=1, now=now, policy_output=policy)
    config.write_text(f"database: {{url: '{url}'}}\n{more}{policy.read_text()}")
    return Sampled(url, config)
