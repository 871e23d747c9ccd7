"""The cost of checking every job depends on the number of jobs, not on their history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bernard_exporter.commands.check.expected import judge_jobs
from bernard_exporter.domain.model import Job, State
from bernard_exporter.domain.policy import BUILT_IN, Policy
from bernard_exporter.store.connection import Database
from testing.rows import CODFW, EQIAD, HOUR, NOW, Rows, run_row
from testing.servers import MariaDB
from tests.polling.test_cost import rows_read

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
        judged = judge_jobs(connection, policy.expected, policy, NOW)
        read = rows_read(connection) - before
    assert {one.verdict.state for one in judged} == {State.FRESH}
    assert len(judged) == 40
    # Ten rows a section, of the 2,000 that each has.
    assert read < 12 * len(SECTIONS)


@pytest.mark.parametrize("started", ["now() - INTERVAL seq SECOND", "now() - INTERVAL 1 DAY"])
@pytest.mark.parametrize("end", ["now()", "NULL"])
def test_job_with_many_runs_costs_each_of_them_at_most_twice(
    mariadb: MariaDB, mariadb_url: str, started: str, end: str
) -> None:
    """The success of the other data centre lies behind them, whether they are successes or not."""
    rows = Rows(mariadb_url)
    behind = rows.add(host=CODFW, start=datetime.now(UTC) - timedelta(days=20))
    mariadb.execute(
        "INSERT INTO backups (status, host, type, section, start_date, end_date, total_size) "
        f"SELECT 'finished', IF(seq % 2, '{EQIAD}', 'dbprov1002.eqiad.wmnet'), 'dump', 's1', {started}, {end}, 5000000 "
        "FROM seq_1_to_30000",
        "ANALYZE TABLE backups",
        database=mariadb_url.rpartition("/")[2],
    )
    jobs = [Job("s1", "dump", "eqiad"), Job("s1", "dump", "codfw")]
    policy = Policy(expected=dict.fromkeys(jobs, BUILT_IN["dump"]))
    with Database(rows.settings).connect() as connection:
        before = rows_read(connection)
        eqiad, codfw = judge_jobs(connection, policy.expected, policy, datetime.now(UTC))
        read = rows_read(connection) - before
    assert (codfw.newest.id if codfw.newest else None, codfw.previous) == (behind, None)
    assert (eqiad.newest is None) == (end == "NULL")
    assert read < 2.1 * 30_000
