"""The dashboard ``bernard-storage``: space used by backups, its growth, and when hosts are full."""

from __future__ import annotations

from dataclasses import replace

from dashboards.board import board, job_variables
from dashboards.grafana.board import Board, TextVariable
from dashboards.grafana.fields import Step
from dashboards.layout import Shelf, even
from dashboards.panels import BYTES, COUNT, MOMENT, RATIO, SECONDS, Column, Line, bars, number, table, trend
from dashboards.queries import jobs
from dashboards.queries import storage as q
from monitoring import boards
from monitoring.settings import SiteSettings

_A_DAY = replace(BYTES, no_value="no history yet")
_FILLED = replace(RATIO, steps=(Step(None, "green"), Step(0.8, "yellow"), Step(0.9, "red")), minimum=0, maximum=1)
_DAYS = replace(
    COUNT,
    unit="d",
    steps=(Step(None, "red"), Step(30, "yellow"), Step(90, "green")),
    no_value="no host grows",
)
_AS_RECORDED = "Sizes are as recorded: for snapshots before compression, so less space is used on disk."
_GREW = replace(RATIO, steps=(Step(None, "blue"), Step(0.1, "yellow"), Step(0.3, "orange")))


def _verdict() -> Shelf:
    return even(
        4,
        number("Newest successes", "Total size of the newest success of each job.", q.NEWEST, BYTES),
        number("Retained", f"Total size of all retained successes. {_AS_RECORDED}", q.RETAINED, BYTES),
        number("Backups retained", "Successes that the policy's retention still keeps.", q.RETAINED_BACKUPS, COUNT),
        number("Growth per day", "Growth of the retained size, by the trend of the last 30 days.", q.GROWTH, _A_DAY),
        number(
            "First host full in",
            "Days until the first host retains more than the capacity above, by the trend of the last 30 days.",
            f"min({q.DAYS_LEFT})",
            _DAYS,
        ),
        number(
            "Restore time of all jobs",
            "Sum of the estimates of all jobs, restored one after the other.",
            q.RESTORE_ALL,
            replace(SECONDS, no_value="no restore rate"),
        ),
    )


def _hosts() -> Shelf:
    hosts = table(
        "Hosts",
        "Retained size of each host compared with the capacity above, and days until it is full by the trend of the"
        f" last 30 days. {_AS_RECORDED}",
        [
            Column("Retained", q.RETAINED_BY_HOST, BYTES),
            Column("Backups", q.BACKUPS_BY_HOST, COUNT),
            Column("Of capacity", q.FILLED, _FILLED, cell="gauge"),
            Column("Growth per day", q.GROWTH_BY_HOST, _A_DAY),
            Column("Full in", q.DAYS_LEFT, _DAYS, cell="color-text"),
        ],
        sort="Full in",
        keys=("host",),
        links=False,
        empty="no retention in the policy",
    )
    retained = trend(
        "Retained on each host",
        f"Size of retained successes, by destination host. {_AS_RECORDED}",
        [Line(q.RETAINED_BY_HOST, "{{host}}")],
        BYTES,
        budget=50,
        stacked=True,
    )
    return Shelf(10, [(12, hosts), (12, retained)], "Hosts")


def _growth() -> Shelf:
    by_type = trend(
        "Retained, by type",
        "Size of retained successes, by type.",
        [Line(q.RETAINED_BY_TYPE, "{{type}}")],
        BYTES,
        budget=3,
        stacked=True,
    )
    newest = trend(
        "Newest successes, by type",
        "Total size of the newest success of each job, by type: the size of one complete set of backups.",
        [Line(q.NEWEST_BY_TYPE, "{{type}}")],
        BYTES,
        budget=3,
    )
    coming = bars(
        "Retained in 30 days",
        "Size in 30 days by the trend of the last 30 days, by host.",
        Line(q.FORECAST_BY_HOST, "{{host}}"),
        _A_DAY,
        budget=50,
    )
    return even(9, by_type, newest, coming, title="Growth")


def _sections() -> Shelf:
    sections = bars(
        "Sections",
        "Total size of the newest successes of each section; the 25 largest sections.",
        Line(q.NEWEST_BY_SECTION, "{{section}}"),
        BYTES,
        budget=25,
    )
    fleet = table(
        "All jobs",
        "Newest success of each job: size, change and growth, contents, oldest restore point, and estimated restore"
        " time.",
        [
            Column("Size", jobs.SIZE, BYTES),
            Column("Change", jobs.CHANGE, RATIO),
            Column("30 days", q.JOB_GROWTH, _GREW, cell="color-text"),
            Column("Files", jobs.FILES, COUNT),
            Column("Objects", jobs.OBJECTS, COUNT),
            Column("Back to", f"{jobs.OLDEST} * 1000", MOMENT),
            Column("Restore", jobs.RESTORE, SECONDS),
            Column("Of the snapshot", q.COMPRESSION, RATIO),
        ],
        sort="Size",
        descending=True,
        budget=200,
    )
    return Shelf(20, [(7, sections), (17, fleet)], "Sections and jobs")


def storage(settings: SiteSettings) -> Board:
    """Return the dashboard."""
    capacity = TextVariable("capacity", "Capacity of a host, bytes", "60e12")
    return board(
        boards.STORAGE,
        "Storage",
        "How much space do backups use on each host, how fast does it grow, and when is a host full?",
        [_verdict(), _hosts(), _growth(), _sections()],
        variables=[*job_variables(), capacity],
        since="now-90d",
        pages={"Pages": "/"},
        settings=settings,
        refresh="5m",
    )
