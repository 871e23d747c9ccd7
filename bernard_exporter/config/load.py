"""The configuration file as settings."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bernard_exporter.config import values
from bernard_exporter.config.document import Entry, read
from bernard_exporter.config.policy import SourcedPolicy, parse_policy
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.policy import Policy

_URL = "a URL such as mysql+pymysql://bernard@db1.example/dbbackups or sqlite:////path"
_KEYS = ("database", "poll_interval", "resync_interval", "policy")
_BACKENDS = ("mysql+pymysql", "mariadb+pymysql", "sqlite", "sqlite+pysqlite")


def load(file: Path) -> Settings:
    """Return the settings a file describes.

    Raises:
        ConfigError: it cannot be read, or says something impossible; the message says where and what was expected.
    """
    document = read(file)
    keys = document.mapping(_KEYS)
    if "database" not in keys:
        document.fail("the key database", "none")
    defaults = Settings(DatabaseSettings())
    return Settings(
        database=_database(keys["database"]),
        poll_interval=_seconds(keys, "poll_interval", defaults.poll_interval),
        resync_interval=_seconds(keys, "resync_interval", defaults.resync_interval),
        policy=parse_policy(keys["policy"]).policy if "policy" in keys else Policy(),
    )


def load_policy(file: Path) -> SourcedPolicy:
    """Return the policy of a configuration file and where it says what; the file need not say more.

    Raises:
        ConfigError: it cannot be read, says no policy or an impossible one.
    """
    document = read(file)
    keys = document.mapping(_KEYS)
    return parse_policy(keys["policy"]) if "policy" in keys else document.fail("the key policy", "none")


def _seconds(keys: dict[str, Entry], name: str, default: float) -> float:
    return keys[name].convert(values.duration) if name in keys else default


def _database(entry: Entry) -> DatabaseSettings:
    keys = entry.mapping(("url", "option_file", "hosts", "timeout"))
    if "url" not in keys and "option_file" not in keys:
        entry.fail("the key url or option_file", "neither")
    option_file = None
    if "option_file" in keys:
        option_file = entry.file.parent / keys["option_file"].text("the path of a MySQL option file")
    return DatabaseSettings(
        url=_url(keys["url"]) if "url" in keys else None,
        option_file=option_file,
        hosts=_hosts(keys["hosts"]) if "hosts" in keys else (),
        timeout=_seconds(keys, "timeout", DatabaseSettings().timeout),
    )


def _url(entry: Entry) -> str:
    # A URL may hold a password, so what was found is never quoted.
    secret = Entry(entry.file, entry.key, entry.node, secret=True)
    text = secret.text(_URL)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        secret.fail(_URL)
    if url.drivername not in _BACKENDS:
        secret.fail(_URL, f"the kind {url.drivername!r}")
    if url.get_backend_name() == "sqlite" and not url.database:
        secret.fail("the path of an SQLite file, such as sqlite:////path", "no path")
    return text


def _hosts(entry: Entry) -> tuple[str, ...]:
    hosts = []
    for item in entry.items("a list of hosts, each NAME or NAME:PORT"):
        host = item.text("a host, NAME or NAME:PORT")
        name, _, port = host.partition(":")
        if not name or (":" in host and not port.isdigit()):
            item.fail("a host, NAME or NAME:PORT")
        hosts.append(host)
    return tuple(hosts)
