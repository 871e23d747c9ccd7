"""An inventory with data for every page, and its policy, evaluated at ``NOW``."""

from __future__ import annotations

from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import DAY as DAY_SECONDS
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from testing.rows import CODFW, DAY, HOUR, MIB, NOW, Rows

DAILY = Limits(
    max_age=8 * DAY_SECONDS, retention=90 * DAY_SECONDS, schedule=Schedule("0 0 * * *"), start_within=6 * 3600.0
)
YEARLY = Limits(max_age=8 * DAY_SECONDS, schedule=Schedule("0 0 1 1 *"))
POLICY = Policy(
    expected={
        Job("s1", "dump", "eqiad"): DAILY,
        Job("s1", "dump", "codfw"): DAILY,
        Job("s2", "dump", "eqiad"): YEARLY,
        Job("s10", "snapshot", "eqiad"): Limits(max_age=3 * DAY_SECONDS),
    }
)


def fill(rows: Rows) -> dict[str, int]:
    """Write the inventory; return the ids of the runs that tests use.

    At ``NOW`` s1 dump eqiad is fresh and runs, s1 dump codfw is stale, its last run failed and today's did not start,
    s2 has a wrong size, s10 is missing, and m1 is not in the policy.
    """
    ids = {f"old{day}": rows.add(start=NOW - day * DAY - 12 * HOUR, size=(100 - day) * MIB) for day in range(6, 1, -1)}
    ids["previous"] = rows.add(start=NOW - DAY - 12 * HOUR, size=99 * MIB)
    ids["newest"] = rows.add(start=NOW - 12 * HOUR, size=100 * MIB)
    ids["running"] = rows.add(start=NOW - HOUR, status="ongoing")
    ids["stale"] = rows.add(host=CODFW, start=NOW - 9 * DAY, size=90 * MIB)
    ids["failed"] = rows.add(host=CODFW, start=NOW - 2 * DAY, status="failed")
    rows.add(section="s2", start=NOW - 3 * DAY, size=100 * MIB)
    ids["grown"] = rows.add(section="s2", start=NOW - 2 * DAY, size=110 * MIB)
    ids["stray"] = rows.add(section="m1", start=NOW - DAY, size=MIB)
    rows.add_files(
        ids["previous"],
        {
            "enwiki-schema-create.sql.gz": 100,
            "enwiki.page-schema.sql.gz": 200,
            "enwiki.page.sql.gz": 40 * MIB,
            "enwiki.text.sql.gz": 10 * MIB,
            "dewiki.page.sql.gz": 3 * MIB,
        },
    )
    rows.add_files(
        ids["newest"],
        {
            "metadata": 77,
            "enwiki-schema-create.sql.gz": 100,
            "enwiki.page-schema.sql.gz": 200,
            "enwiki.page.sql.gz": 60 * MIB,
            "enwiki.user.sql.gz": 5 * MIB,
            **{f"enwiki.page.{chunk:05}.sql.gz": 1024 * chunk for chunk in range(1, 120)},
        },
    )
    return ids
