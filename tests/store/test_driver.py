"""The internals of PyMySQL that the exporter relies on exist and work."""

from __future__ import annotations

import inspect
import socket
import ssl
import threading

import pymysql
import pytest
from pymysql.connections import Connection, MySQLResult
from pymysql.cursors import SSCursor

from bernard_exporter.store.driver import Raw
from testing.servers import MariaDB


@pytest.fixture
def raw(mariadb: MariaDB) -> Raw:
    made = Raw(host="127.0.0.1", port=mariadb.port, user="root", connect_timeout=5)
    made.connect()
    return made


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("_force_close", ["self"]), ("_read_bytes", ["self", "num_bytes"]), ("_create_ssl_ctx", ["self", "sslp"])],
)
def test_private_method_has_the_parameters_it_is_called_with(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(Connection, name)).parameters) == parameters


def test_private_method_that_answers_a_plugin_takes_the_name_first() -> None:
    assert list(inspect.signature(Connection._process_auth).parameters)[:3] == ["self", "plugin_name", "auth_packet"]  # type: ignore[attr-defined]


def test_private_attribute_says_that_the_connection_is_not_encrypted(raw: Raw) -> None:
    """That it says when it is: tests/store/test_wrong_answers.py."""
    assert raw._secure is False
    raw.close()


def test_private_attributes_hold_what_is_read_of_them(raw: Raw) -> None:
    cursor = raw.cursor(SSCursor)
    cursor.execute("SELECT seq FROM mysql.seq_1_to_1000000")
    state = vars(raw)
    assert isinstance(state["_sock"], socket.socket)
    assert isinstance(state["_result"], MySQLResult)
    assert state["_result"].unbuffered_active is True
    raw.abort()
    with pytest.raises(pymysql.err.OperationalError, match="2013"):
        cursor.fetchall()
    cursor.close()
    assert vars(raw)["_sock"] is None
    raw.close()


def test_context_of_ours_encrypts_without_any_authority_being_read(
    mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: pytest.fail("authorities are read"))
    Raw(host="127.0.0.1", port=mariadb.port, user="root").close()


def test_nothing_is_counted_after_the_login(raw: Raw) -> None:
    assert "_read_bytes" not in vars(raw)
    cursor = raw.cursor()
    cursor.execute("SELECT REPEAT('x', 3000000)")
    assert len(cursor.fetchone()[0]) == 3_000_000
    raw.close()


def test_mistake_in_the_values_of_a_statement_does_not_end_the_connection(raw: Raw) -> None:
    """It is our own, and none of the server's."""
    for cursor in (raw.cursor(), raw.cursor(SSCursor)):
        with pytest.raises(pymysql.err.ProgrammingError):
            cursor.execute("SELECT %s", ("a", "b"))
        cursor.execute("SELECT 1")
        assert cursor.fetchall()
    raw.close()


def test_no_thread_is_left_of_a_login(raw: Raw) -> None:
    assert not [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ]
    raw.close()
