"""No global or login setting of the server changes the result of a read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import select

from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.domain.filters import RunFilter, RunSort
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.queries.runs import search_runs
from bernard_exporter.store import session
from bernard_exporter.store.connection import Database
from bernard_exporter.store.driver import Raw
from bernard_exporter.store.schema import FromEpoch
from testing.rows import DAY, HOUR, NOW, Rows
from testing.servers import MariaDB
from tests.queries.inventory import policy

# Each changes what some statement returns, or lets it fail, where the session does not pin it.
SETTINGS = [
    "sql_select_limit = 1",
    "sql_select_limit = 0",
    "sql_mode = 'ANSI'",
    "sql_mode = 'ORACLE'",
    "sql_mode = 'EMPTY_STRING_IS_NULL'",
    "sql_mode = 'NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE,NO_UNSIGNED_SUBTRACTION'",
    "sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,TRADITIONAL'",
    "time_zone = '+13:00'",
    "character_set_client = 'latin1'",
    "character_set_results = 'latin1'",
    "character_set_connection = 'ucs2'",
    "character_set_server = 'latin1'",
    "collation_connection = 'utf8mb4_bin'",
    "tx_isolation = 'SERIALIZABLE'",
    "tx_isolation = 'READ-UNCOMMITTED'",
    "tx_read_only = 1",
    "autocommit = 0",
    "completion_type = 'RELEASE'",
    "max_statement_time = 0.000001",
    "lock_wait_timeout = 1",
    "wait_timeout = 1",
    "idle_readonly_transaction_timeout = 1",
    "net_write_timeout = 1",
    "max_join_size = 1",
    "max_session_mem_used = 8192",
    "tmp_disk_table_size = 1024",
    "max_sort_length = 8",
    "sort_buffer_size = 1024",
    "join_buffer_size = 128",
    "join_cache_level = 0",
    "optimizer_use_condition_selectivity = 5",
    "sql_big_selects = 0",
    "innodb_lock_wait_timeout = 0",
    "net_read_timeout = 1",
    "idle_transaction_timeout = 1",
    "max_recursive_iterations = 0",
    "standard_compliant_cte = 0",
    "div_precision_increment = 0",
    "group_concat_max_len = 4",
    "old_mode = 'NO_DUP_KEY_WARNINGS_WITH_IGNORE,NO_PROGRESS_INFO,ZERO_DATE_TIME_CAST'",
    "system_versioning_asof = '2000-01-01 00:00:00'",
    "sql_safe_updates = 1",
    "sql_quote_show_create = 0",
    "sql_auto_is_null = 1",
    "lc_messages = 'de_DE'",
    "lc_time_names = 'de_DE'",
    "big_tables = 1",
    "sql_buffer_result = 1",
    "default_week_format = 7",
    "max_heap_table_size = 16384",
    "tmp_memory_table_size = 1024",
    "eq_range_index_dive_limit = 1",
    "in_predicate_conversion_threshold = 2",
    "low_priority_updates = 1",
    "optimizer_switch = 'index_merge=off,derived_merge=off,materialization=off,semijoin=off'",
    "init_connect = 'SET sql_select_limit = 1'",
    "init_connect = 'SET NAMES latin1'",
    "init_connect = 'USE information_schema'",
    "init_connect = 'SET sql_mode = ANSI, autocommit = 0, time_zone = ''+13:00'''",
    "init_connect = 'SET max_statement_time = 0.000001'",
    "init_connect = 'BEGIN'",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    directory = tmp_path_factory.mktemp("session")
    made = MariaDB(directory)
    made.install()
    with made.serve():
        made.execute("CREATE DATABASE dbbackups CHARACTER SET utf8mb4", "CREATE USER bernard@'%'")
        rows = Rows(made.url("dbbackups"))
        for age in range(12):
            run = rows.add(start=NOW - age * DAY, section=("s1", "S1", "ß", "")[age % 4], size=(age + 1) << 20)
            rows.add_files(run, {"shop.a.sql.gz": 10, f"{'x' * 20}{9 - age % 3}": 5, "shop.a-schema.sql.gz": None})
        rows.add(status="ongoing", start=NOW - HOUR)
        made.execute("GRANT SELECT ON dbbackups.* TO bernard@'%'")
        yield made


def everything(server: MariaDB) -> object:
    """Return all that is read of the inventory, in a session of an account that is let in by ``init_connect``."""
    database = Database(DatabaseSettings(url=server.url("dbbackups", "bernard"), timeout=5))
    known = policy()
    with database.connect() as connection:
        snapshot = read_once(connection, known, NOW)
        pages = [
            search_runs(connection, snapshot, wanted)
            for wanted in (RunFilter(), RunFilter(name="ß"), RunFilter(section=("s1",), sort=RunSort.SIZE_DOWN))
        ]
        ordered = connection.exec_driver_sql("SELECT file_name FROM backup_files ORDER BY file_name, size").all()
        return snapshot, pages, ordered


@pytest.fixture(scope="module")
def untouched(server: MariaDB) -> object:
    return everything(server)


@pytest.mark.parametrize("setting", SETTINGS)
def test_setting_of_the_server_changes_nothing_that_is_read(server: MariaDB, untouched: object, setting: str) -> None:
    name = setting.partition(" ")[0]
    connection = server.connect()
    cursor = connection.cursor()
    cursor.execute(f"SELECT @@GLOBAL.{name}")
    [before] = cursor.fetchone() or [None]
    try:
        cursor.execute(f"SET GLOBAL {setting}")
        assert everything(server) == untouched
    finally:
        default = name in ("system_versioning_asof", "max_statement_time")
        cursor.execute(f"SET GLOBAL {name} = {'DEFAULT' if default else '%s'}", None if default else (before,))
        connection.close()


def test_variable_that_a_server_lacks_is_left_out_from_then_on(
    server: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other versions, and MySQL, know other variables."""
    monkeypatch.setattr(session, "_missing", {})
    monkeypatch.setitem(session._PINNED, "no_such_variable", "1")
    statements: list[str] = []
    raw = Raw(host="127.0.0.1", port=server.port, user="root", connect_timeout=5)
    raw.connect()
    query = raw.query

    def note(sql: str, **named: bool) -> int:
        statements.append(sql)
        return query(sql, **named)

    monkeypatch.setattr(raw, "query", note)
    session.prepare(raw, "dbbackups", 5.0)
    first = len(statements)
    session.prepare(raw, "dbbackups", 5.0)
    raw.close()
    [missing] = session._missing.values()
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW SESSION VARIABLES")
        known = {name for name, _ in cursor}
    assert missing == (session._PINNED | session._limits(5.0)).keys() - known
    assert {"no_such_variable", "max_execution_time"} <= missing
    assert (first, len(statements)) == (len(missing) + 1, len(missing) + 2)


def test_variable_that_cannot_be_set_is_an_error_and_not_left_out(
    server: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(session._PINNED, "time_zone", "'nowhere'")
    database = Database(DatabaseSettings(url=server.url("dbbackups"), timeout=5))
    with pytest.raises(Exception, match="Unknown or incorrect time zone"), database.connect():
        pass


@pytest.mark.parametrize("seconds", [-1_000_000_000_000, -1, 0, 1])
def test_no_time_is_earlier_than_the_first_timestamp(server: MariaDB, seconds: int) -> None:
    """Retention and filters may begin before 1970; such a time as NULL would match nothing."""
    database = Database(DatabaseSettings(url=server.url("dbbackups"), timeout=5))
    with database.connect() as connection:
        assert connection.scalar(select(FromEpoch(seconds))) == datetime(1970, 1, 1, 0, 0, 1)


def test_statement_is_short_enough_for_the_smallest_packet() -> None:
    assert len(session._statement(session._PINNED | session._limits(600.0), ())) < 1024
