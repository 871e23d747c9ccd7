"""Real and recorded backups of databases with unusual names yield the contents of information_schema."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bernard_exporter.domain.file_names import Object, names_of
from testing.servers import MariaDB, need

Names = list[tuple[str, str]]
RECORDED = Path(__file__).parent / "recorded.json"
# Debian 13 has none; there, and elsewhere, the recorded names are read.
NO_MYDUMPER = shutil.which("mydumper") is None and platform.freedesktop_os_release().get("VERSION_ID") != "12"

_DATABASES = ["a", "a.b", "my-db", "ev-schema-create", "caf é", "con", ".hid"]
_TABLES = [
    *[
        "t",
        "x-schema",
        "y-metadata",
        "z-checksum",
        "v-schema-view",
        "K-schema-create",
        "t.2021",
        "t.old",
        "w.00001",
        ".dot",
    ],
    *[
        "user@2024",
        "mail@cafe",
        "list@dada",
        "con",
        "LPT1",
        "#sql-x",
        "FTS_x",
        "$x",
        "sp ace",
        "a;b",
        "per%cent",
        "back\\slash",
    ],
    *["naïve", "Übersicht", "中文", "ΩЖא", "ไทย", "ῴ"],
]
_ALONE = [
    "CREATE TABLE a.empty (id INT)",
    "CREATE VIEW a.looking AS SELECT 1 AS one",
    "CREATE VIEW a.`looking.on-schema` AS SELECT 1 AS one",
    "CREATE SEQUENCE a.counting",
    "CREATE TABLE a.parted (id INT) PARTITION BY HASH(id) PARTITIONS 2",
    "CREATE TABLE a.searched (id INT PRIMARY KEY, words TEXT, FULLTEXT (words))",
    *(
        f"CREATE TABLE a.in_{engine} (id INT NOT NULL) ENGINE={engine}"
        for engine in ("Aria", "MyISAM", "CSV", "MEMORY", "MRG_MyISAM")
    ),
    "CREATE TRIGGER a.watching BEFORE INSERT ON a.t FOR EACH ROW SET @seen = 1",
    "CREATE PROCEDURE a.doing() SELECT 1",
]
# Seconds that one command may take, and how often it may take longer.
_PATIENCE, _ATTEMPTS = 120.0, 3
SYSTEM = ("mysql", "sys", "performance_schema")


@contextmanager
def serving(directory: Path) -> Iterator[MariaDB]:
    """Run a server whose databases and tables have every kind of name that both tools can write."""
    server = MariaDB(directory)
    server.install()
    with server.serve():
        connection = server.connect()
        with connection.cursor() as cursor:
            for database in _DATABASES:
                cursor.execute(f"CREATE DATABASE `{database}`")
                for table in _TABLES:
                    cursor.execute(f"CREATE TABLE `{database}`.`{table}` (id INT PRIMARY KEY) SELECT 1 AS id")
            for statement in _ALONE:
                cursor.execute(statement)
        connection.close()
        yield server


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    with serving(tmp_path_factory.mktemp("hard")) as server:
        yield server


def truth(server: MariaDB, without: tuple[str, ...] = ()) -> set[Object]:
    """Return what information_schema says; its own views, and those of performance_schema, are in no file."""
    tables = server.execute("SELECT table_schema, table_name FROM information_schema.tables")
    databases = server.execute("SELECT schema_name FROM information_schema.schemata")
    found = {
        Object(str(db), str(table)) for db, table in tables if db not in ("information_schema", "performance_schema")
    }
    found |= {Object(str(db), None) for (db,) in databases if db != "information_schema"}
    return {thing for thing in found if thing.db not in without}


def listed(top: Path) -> Names:
    found = [(os.path.relpath(path, top), name) for path, _, names in os.walk(top) for name in names]
    return sorted(("" if path == "." else path, name) for path, name in found)


def derived(backup_type: str, names: Names) -> set[Object]:
    owner = names_of(backup_type, names).owner
    return {thing for path, name in names if (thing := owner(path, name))}


def run(*arguments: str) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    assert done.returncode == 0, done.stderr[-2000:]


def dump(server: MariaDB, directory: Path, *options: str) -> Names:
    """Dump all but the server's own databases, and return the names in the dump."""
    own = ["--regex", r"^(?!(mysql|sys|performance_schema)\.)", "--triggers", "--routines", "--events"]
    address = ["-h", "127.0.0.1", "-P", str(server.port), "-u", "root"]
    # mydumper 0.10 seldom hangs, all of its threads waiting for each other.
    for attempt in range(_ATTEMPTS):
        made = directory / str(attempt)
        with suppress(subprocess.TimeoutExpired):
            run(need("mydumper"), *address, "-o", str(made), *own, *options)
            return listed(made)
    pytest.fail(f"mydumper hung {_ATTEMPTS} times")


def back_up(server: MariaDB, directory: Path) -> Names:
    """Make a snapshot, prepared for use as the writer does, and return the names in it."""
    place = f"--target-dir={directory}"
    run(
        need("mariabackup"),
        "--no-defaults",
        "--backup",
        "--host=127.0.0.1",
        f"--port={server.port}",
        "--user=root",
        place,
    )
    run(need("mariabackup"), "--no-defaults", "--prepare", place)
    return listed(directory)


@pytest.mark.skipif(NO_MYDUMPER, reason="this system has no package mydumper; what it wrote is in recorded.json")
@pytest.mark.parametrize("options", [(), ("--compress",), ("--rows=1", "--build-empty-files")])
def test_dump_by_mydumper_holds_what_the_server_has(hard: MariaDB, tmp_path: Path, options: tuple[str, ...]) -> None:
    assert derived("dump", dump(hard, tmp_path, *options)) == truth(hard, without=SYSTEM)


def test_snapshot_by_mariabackup_holds_what_the_server_has(hard: MariaDB, tmp_path: Path) -> None:
    assert derived("snapshot", back_up(hard, tmp_path / "snapshot")) == truth(hard)


def test_rebuilt_tables_are_the_same_tables_in_the_next_snapshot(hard: MariaDB, tmp_path: Path) -> None:
    before = back_up(hard, tmp_path / "before")
    rebuilt = ["searched", "parted", "in_MyISAM", "t"]
    hard.execute(
        *(f"ALTER TABLE a.{table} FORCE" for table in rebuilt), *(f"OPTIMIZE TABLE a.{table}" for table in rebuilt)
    )
    after = back_up(hard, tmp_path / "after")
    assert {name for _, name in before} != {name for _, name in after}, (
        "the parts of the full-text index have new names"
    )
    assert derived("snapshot", after) == derived("snapshot", before) == truth(hard)


@pytest.mark.parametrize("backup_type", ["dump", "snapshot"])
def test_recorded_names_yield_what_was_backed_up(backup_type: str) -> None:
    """By mydumper 0.10.0 and mariabackup 10.11, of a server like the one above; written by :mod:`record`."""
    recorded = json.loads(RECORDED.read_text("utf-8"))[backup_type]
    names = [(path, name) for path, names in recorded["files"].items() for name in names]
    expected = {Object(db, table) for db, tables in recorded["objects"].items() for table in [None, *tables]}
    assert derived(backup_type, names) == expected
