"""Sets session variables, so that the server's configuration does not change the results of statements.

Of all session variables (``SHOW SESSION VARIABLES``) these are the ones that change a result or make a statement fail.
The others affect plans, logging or writes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pymysql.constants import ER
from pymysql.err import Error

from bernard_exporter.store.driver import Raw

_NO_LIMIT = (1 << 64) - 1
# Name to value in SQL.
_PINNED: dict[str, str] = {
    # Variables that affect the rows that a statement returns.
    "sql_select_limit": str(_NO_LIMIT),
    "sql_auto_is_null": "0",
    "system_versioning_asof": "DEFAULT",
    "wsrep_dirty_reads": "0",
    "autocommit": "0",
    "completion_type": "'NO_CHAIN'",
    "tx_isolation": "'REPEATABLE-READ'",
    "transaction_isolation": "'REPEATABLE-READ'",
    # Variables that affect the meaning of a statement.
    "sql_mode": "''",
    "old_mode": "''",
    "time_zone": "'+00:00'",
    "div_precision_increment": "4",
    "group_concat_max_len": str(1 << 20),
    # Character sets and collations; CONVERT uses character_set_collations.
    "character_set_client": "'utf8mb4'",
    "character_set_results": "'utf8mb4'",
    "character_set_connection": "'utf8mb4'",
    "collation_connection": "'utf8mb4_general_ci'",
    # An empty string that sql_mode EMPTY_STRING_IS_NULL does not turn into NULL.
    "character_set_collations": "LEFT('x',0)",
    "max_sort_length": "1024",
    # Variables that affect statements of doctor.
    "sql_quote_show_create": "1",
    "explain_format": "'TRADITIONAL'",
    # Limits that can make a statement fail before the time limit.
    "sql_big_selects": "1",
    "max_session_mem_used": str((1 << 63) - 1),
    "tmp_disk_table_size": str(_NO_LIMIT),
    "sort_buffer_size": str(2 << 20),
    "net_read_timeout": "30",
    "net_write_timeout": "60",
    "wait_timeout": "600",
    "idle_transaction_timeout": "0",
    "idle_readonly_transaction_timeout": "0",
}
# The variables that each server version lacks.
_missing: dict[str, frozenset[str]] = {}


def prepare(raw: Raw, database: str, timeout: float) -> None:
    """Select the database and set the session variables, whatever the server and its ``init_connect`` have set.

    Raises:
        pymysql.err.Error: the database does not exist or cannot be read, or a variable cannot be set.
    """
    raw.select_db(database)
    variables = _PINNED | _limits(timeout)
    cursor: Any = raw.cursor()
    while True:
        version = raw.version
        missing = _missing.get(version, frozenset())
        try:
            cursor.execute(_statement(variables, missing))
            return
        except Error as error:
            unknown = _unknown(error) & (variables.keys() - missing)
            if not unknown:
                raise
            _missing[version] = missing | unknown


def _limits(timeout: float) -> dict[str, str]:
    """Return the variables that limit each statement on the server, which keeps running it if the client gives up."""
    whole = str(max(1, round(timeout)))
    return {
        "max_statement_time": f"{timeout:.3f}",
        # MySQL's variable, in milliseconds.
        "max_execution_time": f"{max(1, round(timeout * 1000))}",
        "lock_wait_timeout": whole,
        "innodb_lock_wait_timeout": whole,
    }


def _statement(variables: Mapping[str, str], missing: Collection[str]) -> str:
    # Without spaces, to fit into the smallest max_allowed_packet, 1,024 bytes.
    return "SET " + ",".join(f"{name}={value}" for name, value in variables.items() if name not in missing)


def _unknown(error: Error) -> set[str]:
    """Return the unknown variable in a server's error; empty for any other error."""
    code, text = (*error.args, "")[:2]
    return set(re.findall(r"\w+", str(text))) if code == ER.UNKNOWN_SYSTEM_VARIABLE else set()
