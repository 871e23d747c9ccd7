"""The settings in use, and their replacement by a reload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bernard_exporter.config.settings import Settings
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.store.connection import Database


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings and the database that they describe."""

    settings: Settings
    database: Database

    def needs_recount(self, last: Configuration) -> bool:
        """Return whether what was read with the last configuration has to be counted again."""
        return self.settings.policy != last.settings.policy or not self.database.is_same(last.database)


def configuration(settings: Settings) -> Configuration:
    """Return the configuration of some settings, without opening a connection.

    Raises:
        StoreError: the connection settings cannot be used, for example a missing option file.
    """
    return Configuration(settings, Database(settings.database))


def reload(load: Callable[[], Settings], own: SelfMetrics, now: Callable[[], datetime]) -> Configuration:
    """Return a new configuration, and record the result of the reload.

    Args:
        load: reads the settings.
        own: the exporter's metrics about itself.
        now: returns the current time.

    Raises:
        BernardError: the new settings cannot be used.
    """
    try:
        loaded = configuration(load())
    except BaseException:
        own.reload_successful = False
        raise
    own.poll_interval = loaded.settings.poll_interval
    own.reload_successful = True
    own.reload_success = now().timestamp()
    return loaded
