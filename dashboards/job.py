"""The dashboard ``bernard-job``: everything about one job."""

from __future__ import annotations

from dataclasses import replace

from dashboards.board import board, failures, job_variables
from dashboards.grafana.board import Board
from dashboards.layout import Shelf, even
from dashboards.panels import (
    BAD,
    BYTES,
    COUNT,
    MET,
    MOMENT,
    RATIO,
    RUN,
    SECONDS,
    SHARE_OF_LIMIT,
    STATE,
    STATUS,
    Column,
    Line,
    band,
    limit,
    number,
    table,
    timeline,
    trend,
)
from dashboards.queries import fleet, jobs
from dashboards.shared import by_status
from monitoring import boards
from monitoring.settings import SiteSettings

_NONE = "no success yet"


def _verdict() -> Shelf:
    return even(
        4,
        number("State", "Current state of the job.", jobs.STATE, replace(STATE, no_value="not in the policy")),
        number(
            "Age of the newest success",
            "Time since the start of the newest success, because it contains the data as of its start.",
            jobs.AGE,
            replace(SECONDS, no_value=_NONE),
        ),
        number(
            "Age, of its limit",
            "The age as a share of max_age: stale above 100 %, very stale above 200 %.",
            jobs.AGE_OF_LIMIT,
            replace(SHARE_OF_LIMIT, no_value=_NONE),
        ),
        number(
            "Size",
            "Size of the newest success; for snapshots, before compression.",
            jobs.SIZE,
            replace(BYTES, no_value="not measured"),
        ),
        number(
            "Size change, of its limit",
            "The change of size from the previous success, up or down, as a share of the critical limit.",
            jobs.CHANGE_OF_LIMIT,
            replace(SHARE_OF_LIMIT, no_value="nothing to compare"),
        ),
        number(
            "Duration, of its limit",
            "Duration of the newest success, for snapshots without the transfer, as a share of max_duration.",
            jobs.DURATION_OF_LIMIT,
            replace(SHARE_OF_LIMIT, no_value=_NONE),
        ),
        number(
            "Failures in a row",
            "Failed runs since the newest success.",
            jobs.FAILURES,
            BAD,
        ),
        number(
            "Next run in",
            "Time until the next due time.",
            f"{jobs.NEXT} - time()",
            replace(SECONDS, no_value="no schedule"),
        ),
    )


def _times() -> Shelf:
    state = timeline("State", "State of the job over time.", Line(jobs.STATE, "state"), STATE, budget=1)
    newest = timeline(
        "Newest run", "Status of the newest run over time.", Line(jobs.STATUS, "newest run"), STATUS, budget=1
    )
    return even(4, state, newest, title="Over time")


def _age_and_size() -> Shelf:
    age = trend(
        "Age against its limit",
        "Age of the newest success. Above the lower line the job is stale, above the upper line very stale.",
        [
            Line(jobs.AGE, "age"),
            Line(jobs.MAX_AGE, "stale"),
            Line(f"2 * {jobs.MAX_AGE}", "very stale"),
        ],
        SECONDS,
        budget=1,
        overrides=[limit("stale", "red"), limit("very stale", "dark-red")],
    )
    size = trend(
        "Size and expected range",
        "Size of the newest success. The band is the median of earlier successes plus and minus three deviations; it"
        " does not affect the state.",
        [
            Line(jobs.SIZE, "size"),
            Line(jobs.SIZE_UPPER, "expected at most"),
            Line(jobs.SIZE_LOWER, "expected at least"),
        ],
        BYTES,
        budget=1,
        overrides=band("expected at most", "expected at least"),
    )
    return even(9, age, size)


def _change_and_duration() -> Shelf:
    change = trend(
        "Size change from the previous success",
        "Outside the inner lines the state is wrong_size, outside the outer lines very_wrong_size.",
        [
            Line(jobs.CHANGE, "change"),
            Line(jobs.CHANGE_WARNING, "warning"),
            Line(f"-{jobs.CHANGE_WARNING}", "warning, smaller"),
            Line(jobs.CHANGE_CRITICAL, "critical"),
            Line(f"-{jobs.CHANGE_CRITICAL}", "critical, smaller"),
        ],
        RATIO,
        budget=1,
        overrides=[
            limit("warning", "yellow"),
            limit("warning, smaller", "yellow"),
            limit("critical", "red"),
            limit("critical, smaller", "red"),
        ],
    )
    duration = trend(
        "Duration",
        "Duration of the newest success, for snapshots without the transfer, and the policy's max_duration.",
        [Line(jobs.DURATION, "duration"), Line(jobs.MAX_DURATION, "limit")],
        SECONDS,
        budget=1,
        overrides=[limit("limit", "red")],
    )
    return even(9, change, duration)


def _contents() -> Shelf:
    files = trend(
        "Files and objects",
        "Number of files and directories, and of databases and tables, in the newest success.",
        [Line(jobs.FILES, "files"), Line(jobs.OBJECTS, "databases and tables")],
        replace(COUNT, no_value="not counted"),
        budget=1,
    )
    objects = trend(
        "Databases and tables added and removed",
        "Compared with the previous success. The page of the run lists them.",
        [Line(jobs.OBJECTS_CHANGE, "{{change}}")],
        replace(COUNT, no_value="not counted"),
        budget=2,
    )
    runs = by_status(
        "Runs recorded",
        "Rows of the job in the inventory, by status. The number falls when rows are purged.",
        jobs.RUNS,
    )
    return even(8, files, objects, runs, title="Contents and runs")


def _facts() -> Shelf:
    newest = table(
        "Newest success",
        "Source, host, start and size. The number links to its files, tables and differences.",
        [
            Column("Run", jobs.SUCCESS_ID, RUN),
            Column("Started", jobs.SUCCESS_MOMENT, MOMENT),
            Column("Took", jobs.DURATION, SECONDS),
            Column("Size", jobs.SIZE, BYTES),
            Column("Previous size", jobs.PREVIOUS_SIZE, BYTES),
            Column("Minimum size", jobs.MIN_SIZE, BYTES),
            Column("where", jobs.WHERE, COUNT, hidden=True),
        ],
        sort="Started",
        budget=1,
        empty=_NONE,
    )
    service = number(
        "Objective met, 30 days",
        "Share of the last 30 days in which the newest success was within its age limit.",
        fleet.JOB_RPO_MET,
        MET,
    )
    restore = number(
        "Restore takes about",
        "Estimate: the size divided by the policy's restore_rate; absent without one.",
        jobs.RESTORE,
        replace(SECONDS, no_value="no restore rate"),
    )
    oldest = number(
        "Oldest restore point",
        "Start of the oldest retained success.",
        f"{jobs.OLDEST} * 1000",
        replace(MOMENT, no_value="no retention"),
    )
    return Shelf(5, [(15, newest), (3, service), (3, restore), (3, oldest)])


def job(settings: SiteSettings) -> Board:
    """Return the dashboard."""
    return board(
        boards.JOB,
        "Job",
        "One section, one type, one data centre: state, age, size, duration and contents over time.",
        [_verdict(), _facts(), _times(), _age_and_size(), _change_and_duration(), _contents()],
        variables=job_variables(every=False),
        since="now-30d",
        pages={
            "Page of the job": "/jobs/$section/$type/$datacenter",
            "Runs of the job": "/runs?section=$section&type=$type&datacenter=$datacenter",
        },
        settings=settings,
        annotations=[failures()],
    )
