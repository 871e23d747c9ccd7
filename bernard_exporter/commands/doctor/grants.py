"""Checks that the account has no privileges beyond reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bernard_exporter.commands.doctor.result import DoctorResult, ok, warn

# Privileges that do not allow changes.
_HARMLESS = {
    "USAGE",
    "SELECT",
    "SHOW VIEW",
    "SHOW DATABASES",
    "PROCESS",
    "BINLOG MONITOR",
    "REPLICATION CLIENT",
    "REPLICA MONITOR",
    "SLAVE MONITOR",
}
_ALL = "ALL PRIVILEGES"
_NAME = r"(?:\*|`(?:[^`]|``)+`)"
_ACCOUNT = r"(?:`(?:[^`]|``)*`|'(?:[^']|'')*')"
_GRANT = re.compile(
    rf"GRANT (?P<what>.+?) ON (?P<scope>{_NAME}\.{_NAME}) TO (?P<account>{_ACCOUNT}(?:@{_ACCOUNT})?)(?P<rest>.*)"
)


class Grant(NamedTuple):
    """The privileges of an account, or of a role that it has, on an object."""

    privileges: tuple[str, ...]
    scope: str
    account: str
    may_grant: bool


def parse_grant(line: str) -> Grant | None:
    """Parse a line of ``SHOW GRANTS``; None for a grant that is not on tables, such as the grant of a role."""
    match = _GRANT.match(line)
    if not match:
        return None
    # A comma in a list of columns, SELECT (`a`, `b`), does not separate privileges.
    privileges = re.split(r", (?![^(]*\))", match["what"])
    return Grant(tuple(privileges), match["scope"], match["account"], "WITH GRANT OPTION" in match["rest"])


def examine_grants(lines: Iterable[str], database: str) -> Iterator[DoctorResult]:
    """Yield the privileges beyond reading, with the statements that revoke them.

    Args:
        lines: the output of ``SHOW GRANTS``.
        database: the database that the account must still be able to read.
    """
    grants = [grant for line in lines if (grant := parse_grant(line))]
    beyond = [result for grant in grants if (result := _beyond_reading(grant, database))]
    yield from beyond or [ok("grants", "the account can only read")]


def _beyond_reading(grant: Grant, database: str) -> DoctorResult | None:
    excess = [privilege for privilege in grant.privileges if privilege.split(" (")[0] not in _HARMLESS]
    if not excess and not grant.may_grant:
        return None
    name = database.replace("`", "``")
    if re.match(r"[`']root[`']@", grant.account):
        own = f"CREATE USER 'bernard'@'%' IDENTIFIED BY '...'; GRANT SELECT ON `{name}`.* TO 'bernard'@'%';"
        return warn(
            "grants", f"the account is {grant.account}, which has all privileges", f"use a separate account: {own}"
        )
    fix = [f"REVOKE {', '.join(excess)} ON {grant.scope} FROM {grant.account};"] if excess else []
    if grant.may_grant:
        fix.append(f"REVOKE GRANT OPTION ON {grant.scope} FROM {grant.account};")
    if _ALL in excess:
        fix.append(f"GRANT SELECT ON `{name}`.* TO {grant.account};")
    excess += ["GRANT OPTION"] if grant.may_grant else []
    return warn("grants", f"the account has {', '.join(excess)} on {grant.scope}; SELECT is enough", " ".join(fix))
