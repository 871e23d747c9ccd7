"""Try one thing after the other, as far as each needs the ones before."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import Connection, make_url

from bernard_exporter.config.load import load
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.doctor.finding import Finding, Level, fail, ok, warn
from bernard_exporter.doctor.grants import examine_grants
from bernard_exporter.doctor.inventory import examine_plans, examine_policy, examine_rows
from bernard_exporter.doctor.schema import examine_schema
from bernard_exporter.doctor.session import examine_clock, examine_encryption, examine_version
from bernard_exporter.errors import ConfigError, StoreError
from bernard_exporter.store import examination
from bernard_exporter.store.connection import Database
from bernard_exporter.survey import survey


def examine(file: Path, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Yield what is found, in the order in which ``serve`` needs it; stops where nothing more can be tried.

    Args:
        file: the configuration.
        clock: tells the moment, aware.
    """
    try:
        settings = load(file)
    except ConfigError as error:
        yield fail("config", str(error), "edit it there")
        return
    sections = len({job.section for job in settings.policy.expected})
    yield ok("config", f"{file} expects {len(settings.policy.expected)} jobs of {sections} sections")
    if not settings.policy.expected:
        yield warn("policy", "no job is expected, so that none is judged", "name sections under policy.sections")
    yield from _examine_files(file, settings.database)
    try:
        yield from _examine_hosts(settings.database)
        with Database(settings.database).connect() as connection:
            yield from _examine_inside(connection, settings, clock)
    except StoreError as error:
        # Its last part says what to do.
        text, _, mend = str(error).rpartition("; ")
        yield fail("connection", text, mend)


def _examine_files(file: Path, database: DatabaseSettings) -> Iterator[Finding]:
    """Yield whether files that hold a password can be read by everybody."""
    secret = [database.option_file] if database.option_file else []
    if database.url and make_url(database.url).password:
        secret.append(file)
    for path in secret:
        if path.exists() and path.stat().st_mode & stat.S_IROTH:
            yield warn("files", f"{path} can be read by everybody", f"chmod o-r {path}")


def _examine_hosts(database: DatabaseSettings) -> Iterator[Finding]:
    """Yield which of several hosts cannot be reached; one is enough to work."""
    for host in database.hosts if len(database.hosts) > 1 else ():
        try:
            with Database(replace(database, hosts=(host,))).connect():
                yield ok("connection", f"{host} answers")
        except StoreError as error:
            yield warn("connection", str(error), "start it, or take it out of database.hosts")


def _examine_inside(connection: Connection, settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    server, now = examination.server(connection), clock()
    url = connection.engine.url
    yield examine_version(server)
    if examination.is_server(connection):
        yield examine_encryption(server, url.host)
        yield from filter(None, [examine_clock(server, now)])
        yield from examine_grants(examination.grants(connection), str(url.database))
    else:
        yield _writable(str(url.database))
    found = list(examine_schema(connection, server))
    yield from found
    if not any(finding.level is Level.FAIL for finding in found):
        yield from _examine_inventory(connection, settings, now)


def _writable(database: str) -> Finding:
    path = database.removeprefix("file:").partition("?")[0]
    may = "could" if os.access(path, os.W_OK) else "cannot"
    return ok("grants", f"the file is opened to be read only; this user {may} write to it")


def _examine_inventory(connection: Connection, settings: Settings, now: datetime) -> Iterator[Finding]:
    with examination.recorded(connection) as queries:
        snapshot = survey(connection, settings.policy, now)
    plans = {query: examination.plan(connection, query, parameters) for query, parameters in queries.items()}
    rows = examine_rows(snapshot, now.timestamp())
    yield examine_plans(plans, sum(sum(status.runs.values()) for status in snapshot.jobs))
    yield rows
    yield from examine_policy(snapshot)
