"""Connection settings from the predecessor's options, without a policy."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address
from pathlib import Path

from sqlalchemy.engine import URL

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.errors import ConfigError


def by_option_file(file: Path) -> Settings:
    """Return the settings to connect with a MySQL option file."""
    return Settings(DatabaseSettings(option_file=file))


def by_flags(host: str | None, user: str | None, password: str | None, database: str | None) -> Settings:
    """Return the settings to connect with flags.

    Args:
        host: a host name or address, optionally with a port.
        user: the user.
        password: the password; None or '' for none.
        database: the metadata database.

    Raises:
        ConfigError: a required flag is missing.
    """
    if not (host and user and database):
        raise ConfigError("a connection by flags needs --host, --user and --database")
    url = URL.create("mysql+pymysql", username=user, password=password or None, database=database)
    return Settings(DatabaseSettings(url=url.render_as_string(hide_password=False), hosts=(_bracketed(host),)))


def _bracketed(host: str) -> str:
    """Put an IPv6 address in brackets, as in ``hosts`` of the configuration."""
    try:
        return f"[{IPv6Address(host)}]"
    except AddressValueError:
        return host
