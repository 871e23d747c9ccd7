"""Wikimedia's backup schedule and retention, which the predecessors' files lack; for import, example and sample.

Sources: wikitech.wikimedia.org/wiki/MariaDB/Backups, and the timers and the writer's configuration in
wikimedia/operations-puppet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bernard_exporter.domain.model import BackupType


class Habit(NamedTuple):
    """The schedule and the retention on disk of a backup type.

    Attributes:
        schedule: a cron expression in UTC.
        days: the same in words.
        retention: a duration as written in the configuration.
    """

    schedule: str
    days: str
    retention: str


HABITS: Mapping[str, Habit] = {
    BackupType.DUMP.value: Habit("0 0 * * 2", "Tuesday at 00:00 UTC", "18d"),
    BackupType.SNAPSHOT.value: Habit("0 0 * * 1,3,4,6", "Monday, Wednesday, Thursday and Saturday at 00:00 UTC", "5d"),
}
# Dumps of external storage, the sections es1 to es7.
EXTERNAL_RETENTION = "10d"
