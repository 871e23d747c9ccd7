"""The dashboard ``bernard-overview``: the state of every job, and the jobs with problems."""

from __future__ import annotations

from dataclasses import replace

from bernard_exporter.metrics.metric import JOB_LABELS
from dashboards import links
from dashboards.board import board, failures, job_variables
from dashboards.grafana.board import Board
from dashboards.grafana.fields import Step
from dashboards.grafana.panel_types import Table
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
from monitoring import boards
from monitoring.settings import SiteSettings

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
            "Jobs that are missing, very stale, stale or too small, or whose size changed by more than the critical"
            " limit.",
            fleet.CRITICAL,
            BAD,
        ),
        number(
            "Warning",
            "Jobs with a single success, or whose size changed by more than the warning limit.",
            fleet.WARNING,
            ODD,
        ),
        number(
            "Stale everywhere",
            "Combinations of section and type without a fresh backup in any data centre. These raise a page.",
            fleet.STALE_EVERYWHERE,
            BAD,
        ),
        failed_jobs(),
        number(
            "Did not start",
            "Overdue jobs: no run started within start_within of its due time.",
            fleet.OVERDUE,
            BAD,
        ),
        number("Running", "Runs in progress, without abandoned runs.", fleet.RUNNING, COUNT),
        number(
            "Inventory read",
            "Time since an exporter last read the inventory. If it grows, this dashboard shows old data.",
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
        "Jobs that are not fresh",
        "Expected jobs whose state is not fresh, worst first. The section links to the job, the number to its run.",
        _problems(),
        sort="State",
        descending=True,
        empty="every job is fresh",
    )
    every = matrix(
        "State of every job",
        "Sections by type and data centre. A job in an empty cell is neither expected nor recorded.",
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
        "Alerts of this project that are firing in Prometheus. Requires the rules of this project.",
        [Column("Severity", fleet.ALERTS, SEVERITY, cell="color-text", width=100)],
        sort="Severity",
        descending=True,
        keys=("alertname", *JOB_LABELS),
        empty="no alert fires",
        links=False,
    )


def _failed_and_overdue() -> Shelf:
    failed = table(
        "Failed",
        "Jobs whose newest run failed, with the number of failed runs since the newest success.",
        [
            Column("Started", jobs.FAILED_MOMENT, MOMENT),
            Column("In a row", among(jobs.FAILURES, jobs.FAILED), BAD, "color-text"),
            Column("Run", among(jobs.ATTEMPT_ID, jobs.FAILED), RUN),
            Column("State", among(jobs.STATE, jobs.FAILED), STATE, cell="color-text"),
        ],
        sort="Started",
        descending=True,
        empty="no failures",
    )
    overdue = table(
        "Overdue",
        "Jobs without a run that started within start_within of the due time.",
        [
            Column("Last due", among(f"{jobs.DUE} * 1000", jobs.OVERDUE), MOMENT),
            Column("Newest run", among(jobs.ATTEMPT_MOMENT, jobs.OVERDUE), MOMENT),
            Column("Ago", among(f"time() - {jobs.ATTEMPT_START}", jobs.OVERDUE), replace(SECONDS, steps=GOOD_AT_ZERO)),
            Column("Status", among(jobs.STATUS, jobs.OVERDUE), STATUS, cell="color-text"),
        ],
        sort="Ago",
        descending=True,
        empty="no job is overdue",
    )
    return even(8, failed, overdue, title="Failed, overdue, running and next")


def _running_and_next() -> Shelf:
    coming = table(
        "Next",
        "The next twenty due times of the schedules.",
        [Column("Due", f"{jobs.COMING} * 1000", MOMENT), Column("In", f"{jobs.COMING} - time()", SECONDS)],
        sort="In",
        budget=20,
        empty="no job has a schedule",
    )
    return even(8, running(), coming)


def _service_level() -> Shelf:
    fresh = trend(
        "Fresh, over time",
        "Share of the expected jobs whose state is fresh, by type and data centre.",
        [Line(fleet.FRESH_SHARE_BY_DATACENTER, "{{type}} {{datacenter}}")],
        replace(_FRESH, minimum=None),
        budget=12,
    )
    met = bars(
        "Recovery point objective met, 30 days",
        "Share of the last 30 days in which the newest success was within its age limit, averaged over the jobs.",
        Line(fleet.RPO_MET, "{{type}} {{datacenter}}"),
        MET,
        budget=12,
    )
    ages = trend(
        "Closest to the age limit",
        "Age of the newest success as a share of its limit, for the ten jobs with the highest share.",
        [Line(f"topk(10, {jobs.AGE_OF_LIMIT})", JOB_LEGEND)],
        SHARE_OF_LIMIT,
        budget=60,
        links=True,
    )
    by_state = bars(
        "Jobs by state",
        "Number of jobs in each state.",
        Line(fleet.BY_STATE, "{{state}}"),
        COUNT,
        budget=8,
        overrides=STATE_COLORS_BY_LABEL,
    )
    return Shelf(9, [(5, by_state), (7, fresh), (5, met), (7, ages)], "Over time")


def overview(settings: SiteSettings) -> Board:
    """Return the dashboard."""
    return board(
        boards.OVERVIEW,
        "Overview",
        "Does every expected backup exist in every data centre, recent enough and of a plausible size?",
        [_verdict(), _states(), _failed_and_overdue(), _running_and_next(), _service_level()],
        variables=job_variables(),
        since="now-7d",
        pages={"Pages": "/", "Schedule": "/schedule"},
        settings=settings,
        annotations=[failures()],
    )
