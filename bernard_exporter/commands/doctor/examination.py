"""Runs the checks in order, as later ones need the earlier ones."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import Connection, make_url

from bernard_exporter.commands.doctor.grants import examine_grants
from bernard_exporter.commands.doctor.inventory import examine_plans, examine_policy, examine_rows
from bernard_exporter.commands.doctor.result import DoctorResult, Level, fail, ok, warn
from bernard_exporter.commands.doctor.schema import examine_schema
from bernard_exporter.commands.doctor.session import examine_clock, examine_encryption, examine_version
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.errors import ConfigError, StoreError
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.store import introspection
from bernard_exporter.store.connection import Database


def examine(file: Path, clock: Callable[[], datetime]) -> Iterator[DoctorResult]:
    """Yield the results in the order in which ``serve`` needs things; stop if no further check is possible.

    Args:
        file: the configuration file.
        clock: returns the current time, with a time zone.
    """
    try:
        settings = load(file)
    except ConfigError as error:
        yield fail("config", str(error), "correct this line")
        return
    sections = len({job.section for job in settings.policy.expected})
    yield ok("config", f"{file} expects {len(settings.policy.expected)} jobs of {sections} sections")
    if not settings.policy.expected:
        yield warn("policy", "the policy expects no jobs, so that none is judged", "add sections under policy.sections")
    yield from _examine_files(file, settings.database)
    try:
        yield from _examine_hosts(settings.database)
        with Database(settings.database).connect() as connection:
            yield from _examine_inside(connection, settings, clock)
    except StoreError as error:
        yield fail("connection", error.found, error.fix)


def _examine_files(file: Path, database: DatabaseSettings) -> Iterator[DoctorResult]:
    """Yield a warning for each file with a password that is world-readable."""
    secret = [database.option_file] if database.option_file else []
    if database.url and make_url(database.url).password:
        secret.append(file)
    for path in secret:
        if path.exists() and path.stat().st_mode & stat.S_IROTH:
            yield warn("files", f"{path} is world-readable", f"chmod o-r {path}")


def _examine_hosts(database: DatabaseSettings) -> Iterator[DoctorResult]:
    """Yield whether each of several hosts can be reached; one of them is enough."""
    for host in database.hosts if len(database.hosts) > 1 else ():
        try:
            with Database(replace(database, hosts=(host,))).connect():
                yield ok("connection", f"{host} answers")
        except StoreError as error:
            yield warn("connection", str(error), "start it, or remove it from database.hosts")


def _examine_inside(
    connection: Connection, settings: Settings, clock: Callable[[], datetime]
) -> Iterator[DoctorResult]:
    server, now = introspection.server(connection), clock()
    url = connection.engine.url
    yield examine_version(server)
    if introspection.is_server(connection):
        yield examine_encryption(server, url.host)
        yield from filter(None, [examine_clock(server, now)])
        yield from examine_grants(introspection.grants(connection), str(url.database))
    else:
        yield _writable(str(url.database))
    results = list(examine_schema(connection, server))
    yield from results
    if not any(result.level is Level.FAIL for result in results):
        yield from _examine_inventory(connection, settings, now)


def _writable(database: str) -> DoctorResult:
    path = database.removeprefix("file:").partition("?")[0]
    may = "could" if os.access(path, os.W_OK) else "cannot"
    return ok("grants", f"the file is opened read-only; this user {may} write to it")


def _examine_inventory(connection: Connection, settings: Settings, now: datetime) -> Iterator[DoctorResult]:
    with introspection.recorded(connection) as queries:
        snapshot = read_once(connection, settings.policy, now)
    plans = [introspection.plan(connection, query, parameters) for query, parameters in queries.items()]
    rows = examine_rows(snapshot, now.timestamp())
    yield examine_plans(plans, sum(sum(status.runs.values()) for status in snapshot.jobs))
    yield rows
    yield from examine_policy(snapshot)
