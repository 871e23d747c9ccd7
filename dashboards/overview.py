"""The board ``bernard-overview``: is every backup there, young enough and of the right size, and what is not?"""

from __future__ import annotations

from dataclasses import replace

from alerts.settings import Settings
from bernard_exporter.metric import JOB_LABELS
from dashboards import links
from dashboards.board import board, failures, job_variables
from dashboards.grafana.board import Board
from dashboards.grafana.fields import Step
from dashboards.grafana.kinds import Table
from dashboards.layout import Shelf, Stack, even
from dashboards.panels import (
    BAD,
    BYTES,
    COUNT,
    GOOD_AT_ZERO,
    JOB_LEGEND,
    MET,
    MOMENT,
    ODD,
    RATIO,
    RUN,
    SECONDS,
    SEVERITY,
    SHARE_OF_LIMIT,
    STATE,
    STATUS,
    Column,
    Line,
    bars,
    matrix,
    number,
    table,
    trend,
    with_links,
)
from dashboards.queries import fleet, jobs
from dashboards.queries.selection import among
from dashboards.shared import failed_jobs, running
from dashboards.states import STATE_COLORS_BY_LABEL

_FRESH = replace(
    RATIO, steps=(Step(None, "red"), Step(0.9, "orange"), Step(0.97, "yellow"), Step(1, "green")), minimum=0, maximum=1
)
_READ = replace(SECONDS, steps=(Step(None, "green"), Step(300, "yellow"), Step(900, "red")), no_value="no exporter")


def _verdict() -> Shelf:
    return even(
        4,
        number("Fresh", "Share of the expected jobs whose state is fresh.", fleet.FRESH_SHARE, _FRESH),
        number(
            "Critical",
            "Jobs that are missing, very stale, stale, too small, or whose size changed beyond the critical limit.",
            fleet.CRITICAL,
            BAD,
        ),
        number(
            "Warning",
            "Jobs with a single success, or whose size changed beyond the warning limit.",
            fleet.WARNING,
            ODD,
        ),
        number(
            "Stale everywhere",
            "Sections, by type, of which no data centre has a backup within its age limit. These page.",
            fleet.STALE_EVERYWHERE,
            BAD,
        ),
        failed_jobs(),
        number("Did not start", "Jobs whose run was due over an hour ago and has not begun.", fleet.OVERDUE, BAD),
        number("Running", "Runs in progress; those that can never end are left out.", fleet.RUNNING, COUNT),
        number(
            "Inventory read",
            "Time since an exporter last read the inventory. If this grows, nothing on this board is news.",
            fleet.INVENTORY_AGE,
            _READ,
        ),
    )


def _problems() -> list[Column]:
    return [
        Column("State", among(jobs.STATE, jobs.NOT_FRESH), STATE, cell="color-background", width=140),
        Column("Age", among(jobs.AGE, jobs.NOT_FRESH), SECONDS),
        Column("Of its limit", among(jobs.AGE_OF_LIMIT, jobs.NOT_FRESH), SHARE_OF_LIMIT, cell="color-text"),
        Column("Size", among(jobs.SIZE, jobs.NOT_FRESH), BYTES),
        Column("Change", among(jobs.CHANGE, jobs.NOT_FRESH), RATIO),
        Column("Newest run", among(jobs.STATUS, jobs.NOT_FRESH), STATUS, cell="color-text"),
        Column("Success", among(jobs.SUCCESS_ID, jobs.NOT_FRESH), RUN),
    ]


def _states() -> Shelf:
    problems = table(
        "What is not fresh",
        "Every expected job whose state is not fresh, worst first. The job leads to its board, the number to its run.",
        _problems(),
        sort="State",
        descending=True,
        empty="every job is fresh",
    )
    every = matrix(
        "State of every job",
        "Sections by type and data centre. An empty cell is a job that nobody expects and nobody has seen.",
        fleet.MATRIX,
        with_links(STATE, *links.of_matrix()),
        rows="section",
        column="place",
        budget=200,
    )
    return Shelf(22, [(10, every), (14, Stack(11, problems, _alerts()))], "State")


def _alerts() -> Table:
    return table(
        "Firing alerts",
        "Alerts of this project that fire now, from Prometheus itself; needs its rules.",
        [Column("Severity", fleet.ALERTS, SEVERITY, cell="color-text", width=100)],
        sort="Severity",
        descending=True,
        keys=("alertname", *JOB_LABELS),
        empty="no alert fires",
        links=False,
    )


def _night() -> Shelf:
    failed = table(
        "Failed",
        "Jobs whose newest run failed, and how many runs have since the newest success.",
        [
            Column("Begun", jobs.FAILED_MOMENT, MOMENT),
            Column("In a row", among(jobs.FAILURES, jobs.FAILED), BAD, "color-text"),
            Column("Run", among(jobs.ATTEMPT_ID, jobs.FAILED), RUN),
            Column("State", among(jobs.STATE, jobs.FAILED), STATE, cell="color-text"),
        ],
        sort="Begun",
        descending=True,
        empty="no newest run failed",
    )
    overdue = table(
        "Should have started and did not",
        "Jobs whose schedule was due over an hour ago, and whose newest run is older than that.",
        [
            Column("Due", among(f"{jobs.DUE} * 1000", jobs.OVERDUE), MOMENT),
            Column("Late", among(f"time() - {jobs.DUE}", jobs.OVERDUE), replace(SECONDS, steps=GOOD_AT_ZERO)),
            Column("Newest run", among(jobs.STATUS, jobs.OVERDUE), STATUS, cell="color-text"),
        ],
        sort="Late",
        descending=True,
        empty="all that was due has started",
    )
    return even(8, failed, overdue, title="Last night, now, and next")


def _now() -> Shelf:
    coming = table(
        "Next",
        "The twenty jobs that are due next by their schedules.",
        [Column("Due", f"{jobs.COMING} * 1000", MOMENT), Column("In", f"{jobs.COMING} - time()", SECONDS)],
        sort="In",
        budget=20,
        empty="no job has a schedule",
    )
    return even(8, running(), coming)


def _service() -> Shelf:
    fresh = trend(
        "Fresh, over time",
        "Share of the expected jobs whose state is fresh, by type and data centre.",
        [Line(fleet.FRESH_SHARE_BY_PLACE, "{{type}} {{datacenter}}")],
        replace(_FRESH, minimum=None),
        budget=12,
    )
    met = bars(
        "Recovery point objective met, 30 days",
        "Share of the last 30 days in which the newest success was within its age limit, mean of the jobs; needs the"
        " project's recording rules.",
        Line(fleet.RPO_MET, "{{type}} {{datacenter}}"),
        MET,
        budget=12,
    )
    ages = trend(
        "Nearest to their age limit",
        "Age of the newest success as a share of its limit, of the ten jobs that are nearest to it or past it.",
        [Line(f"topk(10, {jobs.AGE_OF_LIMIT})", JOB_LEGEND)],
        SHARE_OF_LIMIT,
        budget=40,
        links=True,
    )
    by_state = bars(
        "Jobs by state",
        "How many jobs are in each state.",
        Line(fleet.BY_STATE, "{{state}}"),
        COUNT,
        budget=8,
        overrides=STATE_COLORS_BY_LABEL,
    )
    return Shelf(9, [(5, by_state), (7, fresh), (5, met), (7, ages)], "Over time")


def overview(settings: Settings) -> Board:
    """Return the board."""
    return board(
        "overview",
        "Overview",
        "Is every expected backup there, in every data centre, young enough and of the right size?",
        [_verdict(), _states(), _night(), _now(), _service()],
        variables=job_variables(),
        since="now-7d",
        pages={"Pages": "/", "Schedule": "/schedule"},
        settings=settings,
        annotations=[failures()],
    )
