"""The board ``bernard-storage``: how much room backups take, how fast that grows, and when it is full."""

from __future__ import annotations

from dataclasses import replace

from alerts.settings import Settings
from dashboards.board import board, job_variables
from dashboards.grafana.board import Board, TextVariable
from dashboards.grafana.fields import Step
from dashboards.layout import Shelf, even
from dashboards.panels import BYTES, COUNT, MOMENT, RATIO, SECONDS, Column, Line, bars, number, table, trend
from dashboards.queries import jobs
from dashboards.queries import storage as q

_A_DAY = replace(BYTES, no_value="no history yet")
_FILLED = replace(RATIO, steps=(Step(None, "green"), Step(0.8, "yellow"), Step(0.9, "red")), minimum=0, maximum=1)
_DAYS = replace(
    COUNT,
    unit="d",
    steps=(Step(None, "red"), Step(30, "yellow"), Step(90, "green")),
    no_value="no host grows",
)
_GREW = replace(RATIO, steps=(Step(None, "blue"), Step(0.1, "yellow"), Step(0.3, "orange")))


def _verdict() -> Shelf:
    return even(
        4,
        number("Newest successes", "Size of the newest success of each job together.", q.NEWEST, BYTES),
        number("Retained", "Size of all successes within retention together.", q.RETAINED, BYTES),
        number("Backups retained", "Successes within retention.", q.RETAINED_BACKUPS, COUNT),
        number("Growth a day", "Of what is retained, by the trend of the last 30 days.", q.GROWTH, _A_DAY),
        number(
            "First host full in",
            "Days until a host retains more than the capacity above, by the trend of the last 30 days.",
            f"min({q.DAYS_LEFT})",
            _DAYS,
        ),
        number(
            "Restoring all takes about",
            "Estimates of all jobs together, one after the other.",
            q.RESTORE_ALL,
            replace(SECONDS, no_value="no restore rate"),
        ),
    )


def _hosts() -> Shelf:
    hosts = table(
        "Hosts",
        "What each host retains, against the capacity above, and when it is full by the trend of the last 30 days.",
        [
            Column("Retained", q.RETAINED_BY_HOST, BYTES),
            Column("Backups", q.BACKUPS_BY_HOST, COUNT),
            Column("Of capacity", q.FILLED, _FILLED, cell="gauge"),
            Column("Growth a day", q.GROWTH_BY_HOST, _A_DAY),
            Column("Full in", q.DAYS_LEFT, _DAYS, cell="color-text"),
        ],
        sort="Full in",
        keys=("host",),
        links=False,
        empty="the policy says no retention",
    )
    retained = trend(
        "Retained on each host",
        "Successes within retention, by destination host.",
        [Line(q.RETAINED_BY_HOST, "{{host}}")],
        BYTES,
        budget=50,
        stacked=True,
    )
    return Shelf(10, [(12, hosts), (12, retained)], "Hosts")


def _growth() -> Shelf:
    kinds = trend(
        "Retained, by type",
        "Successes within retention, by type.",
        [Line(q.RETAINED_BY_TYPE, "{{type}}")],
        BYTES,
        budget=3,
        stacked=True,
    )
    newest = trend(
        "Newest successes, by type",
        "Size of the newest success of each job together, by type: what one set of backups takes.",
        [Line(q.NEWEST_BY_TYPE, "{{type}}")],
        BYTES,
        budget=3,
    )
    coming = bars(
        "Retained in 30 days",
        "Where the trend of the last 30 days leads, by host.",
        Line(q.FORECAST_BY_HOST, "{{host}}"),
        _A_DAY,
        budget=50,
    )
    return even(9, kinds, newest, coming, title="Growth")


def _sections() -> Shelf:
    sections = bars(
        "Sections",
        "Size of the newest successes of a section together, the 25 largest.",
        Line(q.NEWEST_BY_SECTION, "{{section}}"),
        BYTES,
        budget=25,
    )
    fleet = table(
        "The fleet in one table",
        "Each job's newest success: its size, how it changed and grew, what is in it, how far back one can restore, and"
        " how long that takes.",
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


def storage(settings: Settings) -> Board:
    """Return the board."""
    capacity = TextVariable("capacity", "Capacity of a host, bytes", "60e12")
    return board(
        "storage",
        "Storage",
        "How much room backups take on which host, how fast that grows, and when it is full.",
        [_verdict(), _hosts(), _growth(), _sections()],
        variables=[*job_variables(), capacity],
        since="now-90d",
        pages={"Pages": "/"},
        settings=settings,
        refresh="5m",
    )
