"""The dashboard ``bernard-runs``: outcome, duration and punctuality of runs."""

from __future__ import annotations

from dataclasses import replace

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
from monitoring import boards
from monitoring.settings import SiteSettings

_ON_TIME = replace(
    RATIO,
    steps=(Step(None, "red"), Step(0.9, "yellow"), Step(1, "green")),
    minimum=0,
    maximum=1,
    no_value="no schedule",
)


def _verdict() -> Shelf:
    return even(
        4,
        number("Running", "Runs in progress.", fleet.RUNNING, COUNT),
        number(
            "Running too long",
            "Jobs whose oldest run in progress has taken longer than max_duration.",
            fleet.RUNNING_LONG,
            BAD,
        ),
        failed_jobs(),
        number(
            "Abandoned",
            "Runs with status ongoing that are older than 7 days, or of whose job a newer run has ended.",
            fleet.ABANDONED,
            ODD,
        ),
        number(
            "Started as scheduled",
            "Share of the scheduled jobs with a run that started within start_within of the due time.",
            fleet.ON_TIME,
            _ON_TIME,
        ),
        number("Runs recorded", "Rows in the inventory.", fleet.RUNS, COUNT),
    )


def _timelines() -> list[Shelf]:
    state = timeline(
        "State of every job",
        "State of each job over time. A span links to the dashboard of the job.",
        Line(jobs.STATE, JOB_LEGEND),
        STATE,
        budget=200,
    )
    newest = history(
        "Newest run of every job",
        "Status of the newest run of each job, at each step of the time range.",
        Line(jobs.STATUS, JOB_LEGEND),
        STATUS,
        budget=200,
    )
    return [even(24, state, title="Every job, over time"), even(24, newest)]


def _durations() -> Shelf:
    longest = table(
        "Longest runs, of their limits",
        "The fifteen newest successes with the highest share of max_duration.",
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
        "Duration of the newest success, for the ten jobs that take longest.",
        [Line(f"topk(10, {jobs.DURATION})", JOB_LEGEND)],
        SECONDS,
        budget=40,
        links=True,
    )
    return Shelf(10, [(10, longest), (14, over_time)], "Durations")


def _in_progress() -> Shelf:
    stuck = table(
        "Abandoned",
        "Jobs with abandoned runs: their status is ongoing, but the process has died. No other run waits for them.",
        [Column("Runs", jobs.ABANDONED, ODD, cell="color-text")],
        sort="Runs",
        descending=True,
        empty="no abandoned runs",
    )
    at_once = trend(
        "Concurrent runs",
        "Number of runs in progress over time.",
        [Line(fleet.RUNNING_BY_DATACENTER, "{{type}} {{datacenter}}")],
        COUNT,
        budget=12,
        stacked=True,
    )
    return even(8, running(), stuck, at_once, title="In progress")


def _schedule() -> Shelf:
    behind = table(
        "Delay of the newest run",
        "Time between the due time and the start of the newest run: dumps of a host wait for each other, and the row of"
        " a snapshot appears when its transfer is complete.",
        [
            Column("Due", among(f"{jobs.DUE} * 1000", f"({jobs.BEHIND})"), MOMENT),
            Column("Delay", jobs.BEHIND, SECONDS),
            Column("Of its limit", jobs.BEHIND_OF_LIMIT, SHARE_OF_LIMIT, cell="color-text"),
            Column("Run", among(jobs.ATTEMPT_ID, f"({jobs.BEHIND})"), RUN),
        ],
        sort="Delay",
        descending=True,
        budget=200,
        empty="no run started since its due time",
    )
    overdue = trend(
        "Did not start",
        "Number of overdue jobs over time.",
        [Line(fleet.OVERDUE, "did not start")],
        BAD,
        budget=1,
    )
    outcomes = by_status(
        "Newest runs by status",
        "Number of jobs by the status of their newest run, over time.",
        fleet.BY_STATUS,
    )
    return even(9, behind, overdue, outcomes, title="Schedule")


def runs(settings: SiteSettings) -> Board:
    """Return the dashboard."""
    return board(
        boards.RUNS,
        "Runs",
        "Which runs succeeded, how long did they take, and did they start on time?",
        [_verdict(), _in_progress(), _schedule(), _durations(), *_timelines()],
        variables=job_variables(),
        since="now-14d",
        pages={"Runs": "/runs", "Schedule": "/schedule"},
        settings=settings,
        annotations=[failures()],
    )
