"""Whether the account may do more than read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bernard_exporter.doctor.finding import Finding, ok, warn

# What lets an account see things and change none.
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
    """What an account, or a role that it has, may do where."""

    privileges: tuple[str, ...]
    scope: str
    account: str
    may_grant: bool


def parse_grant(line: str) -> Grant | None:
    """Return a grant as ``SHOW GRANTS`` writes it; None for one that is not about tables, such as of a role."""
    match = _GRANT.match(line)
    if not match:
        return None
    # A comma in a list of columns, SELECT (`a`, `b`), does not separate privileges.
    privileges = re.split(r", (?![^(]*\))", match["what"])
    return Grant(tuple(privileges), match["scope"], match["account"], "WITH GRANT OPTION" in match["rest"])


def examine_grants(lines: Iterable[str], database: str) -> Iterator[Finding]:
    """Yield what the account may do beside reading, with the statements that take it away.

    Args:
        lines: what ``SHOW GRANTS`` says.
        database: where the account must go on reading.
    """
    found = [grant for line in lines if (grant := parse_grant(line))]
    beyond = [finding for grant in found if (finding := _beyond_reading(grant, database))]
    yield from beyond or [ok("grants", "the account may read and no more")]


def _beyond_reading(grant: Grant, database: str) -> Finding | None:
    excess = [privilege for privilege in grant.privileges if privilege.split(" (")[0] not in _HARMLESS]
    if not excess and not grant.may_grant:
        return None
    name = database.replace("`", "``")
    if re.match(r"[`']root[`']@", grant.account):
        own = f"CREATE USER 'bernard'@'%' IDENTIFIED BY '...'; GRANT SELECT ON `{name}`.* TO 'bernard'@'%';"
        return warn("grants", f"the account is {grant.account}, which may do everything", f"use one of its own: {own}")
    mend = [f"REVOKE {', '.join(excess)} ON {grant.scope} FROM {grant.account};"] if excess else []
    if grant.may_grant:
        mend.append(f"REVOKE GRANT OPTION ON {grant.scope} FROM {grant.account};")
    if _ALL in excess:
        mend.append(f"GRANT SELECT ON `{name}`.* TO {grant.account};")
    excess += ["GRANT OPTION"] if grant.may_grant else []
    return warn("grants", f"the account may {', '.join(excess)} on {grant.scope}; reading is enough", " ".join(mend))
