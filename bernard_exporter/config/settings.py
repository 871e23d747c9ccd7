"""The settings from the configuration file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bernard_exporter.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The settings of the connection to the metadata database.

    Attributes:
        url: an SQLAlchemy URL, ``mysql+pymysql://`` or ``sqlite:///``; None if only an option file is given.
            It may contain a password, so it is never shown.
        option_file: a MySQL option file with a ``[client]`` section.
        hosts: the hosts, ``name`` or ``name:port``, which are tried in this order instead of the URL's host.
        timeout: the timeout in seconds for connecting, for reading and for each statement.
    """

    url: str | None = field(default=None, repr=False)
    option_file: Path | None = None
    hosts: tuple[str, ...] = ()
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings from the configuration file.

    Attributes:
        poll_interval: seconds between the starts of two polls.
        resync_interval: seconds after which the whole inventory is read again.
    """

    database: DatabaseSettings
    poll_interval: float = 60.0
    resync_interval: float = 3600.0
    policy: Policy = field(default_factory=Policy)
