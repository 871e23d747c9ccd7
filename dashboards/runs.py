"""The board ``bernard-runs``: how runs went, how long they took, and whether they began when they should."""

from __future__ import annotations

from dataclasses import replace

from alerts.settings import Settings
from dashboards.board import board, failures, job_variables
from dashboards.grafana.board import Board
from dashboards.grafana.fields import Step
from dashboards.layout import Shelf, even
from dashboards.panels import (
    BAD,
    COUNT,
    JOB_LEGEND,
    MOMENT,
    ODD,
    RATIO,
    RUN,
    SECONDS,
    SHARE_OF_LIMIT,
    STATE,
    STATUS,
    Column,
    Line,
    history,
    number,
    table,
    timeline,
    trend,
)
from dashboards.queries import fleet, jobs
from dashboards.queries.selection import among
from dashboards.shared import by_status, failed_jobs, running

_ON_TIME = replace(
    RATIO,
    steps=(Step(None, "red"), Step(0.9, "yellow"), Step(1, "green")),
    minimum=0,
    maximum=1,
    no_value="no schedule",
)
_DELAY = replace(SECONDS, steps=(Step(None, "green"), Step(3600, "yellow"), Step(7200, "red")))


def _verdict() -> Shelf:
    return even(
        4,
        number("Running", "Runs in progress.", fleet.RUNNING, COUNT),
        number(
            "Running too long",
            "Jobs whose oldest run in progress has taken longer than the policy allows.",
            fleet.RUNNING_LONG,
            BAD,
        ),
        failed_jobs(),
        number(
            "Can never end",
            "Runs that say ongoing, and are older than 7 days or outlived by a newer run.",
            fleet.ABANDONED,
            ODD,
        ),
        number(
            "Started as scheduled",
            "Share of the scheduled jobs whose run, when it was last due, has begun.",
            fleet.ON_TIME,
            _ON_TIME,
        ),
        number("Runs recorded", "Rows in the inventory.", fleet.RUNS, COUNT),
    )


def _timelines() -> list[Shelf]:
    state = timeline(
        "State of every job",
        "What the policy said of each job, over time. A span leads to the job's board.",
        Line(jobs.STATE, JOB_LEGEND),
        STATE,
        budget=200,
    )
    newest = history(
        "Newest run of every job",
        "What the newest run of each job was doing, at each step of the time range.",
        Line(jobs.STATUS, JOB_LEGEND),
        STATUS,
        budget=200,
    )
    return [even(24, state, title="Every job, over time"), even(24, newest)]


def _durations() -> Shelf:
    longest = table(
        "Longest runs, of their limits",
        "The fifteen newest successes that took most of the time the policy allows.",
        [
            Column("Took", among(jobs.DURATION, f"({fleet.LONGEST})"), SECONDS),
            Column("Of its limit", fleet.LONGEST, SHARE_OF_LIMIT, cell="color-text"),
            Column("Run", among(jobs.SUCCESS_ID, f"({fleet.LONGEST})"), RUN),
        ],
        sort="Of its limit",
        descending=True,
        budget=15,
    )
    over_time = trend(
        "Durations",
        "How long the newest success took, of the ten jobs that take longest.",
        [Line(f"topk(10, {jobs.DURATION})", JOB_LEGEND)],
        SECONDS,
        budget=40,
        links=True,
    )
    return Shelf(10, [(10, longest), (14, over_time)], "Durations")


def _going() -> Shelf:
    stuck = table(
        "Can never end",
        "Jobs with runs that say ongoing and can never end: their process died. Nothing waits for them.",
        [Column("Runs", jobs.ABANDONED, ODD, cell="color-text")],
        sort="Runs",
        descending=True,
        empty="every run ended or goes on",
    )
    at_once = trend(
        "Runs at once",
        "Runs in progress, over time.",
        [Line(fleet.RUNNING_BY_PLACE, "{{type}} {{datacenter}}")],
        COUNT,
        budget=12,
        stacked=True,
    )
    return even(8, running(), stuck, at_once, title="In progress")


def _schedule() -> Shelf:
    behind = table(
        "Begun behind schedule",
        "How long after it was due the newest run began: runs that are due together queue up.",
        [
            Column("Due", among(f"{jobs.DUE} * 1000", f"({jobs.BEHIND})"), MOMENT),
            Column("Behind", jobs.BEHIND, _DELAY, cell="color-text"),
            Column("Run", among(jobs.ATTEMPT_ID, f"({jobs.BEHIND})"), RUN),
        ],
        sort="Behind",
        descending=True,
        budget=200,
        empty="no run has begun since it was due",
    )
    overdue = trend(
        "Did not start",
        "Jobs whose run was due over an hour before and had not begun, over time.",
        [Line(fleet.OVERDUE, "did not start")],
        BAD,
        budget=1,
    )
    outcomes = by_status(
        "Newest runs by status",
        "How many jobs have a newest run of each status, over time.",
        fleet.BY_STATUS,
    )
    return even(9, behind, overdue, outcomes, title="Schedule")


def runs(settings: Settings) -> Board:
    """Return the board."""
    return board(
        "runs",
        "Runs",
        "How runs went, how long they took, and whether they began when they should.",
        [_verdict(), _going(), _schedule(), _durations(), *_timelines()],
        variables=job_variables(),
        since="now-14d",
        pages={"Runs": "/runs", "Schedule": "/schedule"},
        settings=settings,
        annotations=[failures()],
    )
