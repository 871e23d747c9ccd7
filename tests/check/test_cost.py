"""What it costs to judge every job follows the jobs, not the length of their history."""

from __future__ import annotations

from datetime import timedelta

from bernard_exporter.check.expected import judge_expected
from bernard_exporter.model import Job, State
from bernard_exporter.policy import BUILT_IN, Policy
from bernard_exporter.store.connection import Database
from tests.rows import CODFW, EQIAD, HOUR, NOW, Rows, run_row
from tests.servers import MariaDB
from tests.test_cost import rows_read

SECTIONS = [f"s{number}" for number in range(20)]


def test_all_jobs_are_judged_by_a_few_rows_of_each(mariadb: MariaDB, mariadb_url: str) -> None:
    rows, limits = Rows(mariadb_url), BUILT_IN["dump"]
    for section in SECTIONS:
        starts = [NOW - number * HOUR for number in range(1, 1001)]
        rows.add_all(
            [
                run_row(section=section, host=host, start=start + timedelta(seconds=place))
                for start in starts
                for place, host in enumerate((EQIAD, CODFW))
            ]
        )
    mariadb.execute("ANALYZE TABLE backups", database=mariadb_url.rpartition("/")[2])
    policy = Policy(expected={Job(s, "dump", place): limits for s in SECTIONS for place in ("eqiad", "codfw")})
    with Database(rows.settings).connect() as connection:
        before = rows_read(connection)
        judged = judge_expected(connection, policy, NOW)
        read = rows_read(connection) - before
    assert {one.verdict.state for one in judged} == {State.FRESH}
    assert len(judged) == 40
    # A page of ten rows a section, of the 2,000 that each has.
    assert read < 12 * len(SECTIONS)
