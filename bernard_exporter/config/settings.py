"""What the configuration file says, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bernard_exporter.policy import Policy


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How the metadata database is reached.

    Attributes:
        url: an SQLAlchemy URL, ``mysql+pymysql://`` or ``sqlite:///``; None when only an option file is given.
            It may hold a password, so it is never shown.
        option_file: a MySQL option file with a ``[client]`` section.
        hosts: tried in this order instead of the URL's host; each ``name`` or ``name:port``.
        timeout: seconds, for connecting, reading and each statement.
    """

    url: str | None = field(default=None, repr=False)
    option_file: Path | None = None
    hosts: tuple[str, ...] = ()
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the configuration file says.

    Attributes:
        poll_interval: seconds between the starts of two polls.
        resync_interval: seconds after which the whole inventory is counted afresh.
    """

    database: DatabaseSettings
    poll_interval: float = 60.0
    resync_interval: float = 3600.0
    policy: Policy = field(default_factory=Policy)
