"""The board ``bernard-exporter``: does the exporter itself do well?"""

from __future__ import annotations

from dataclasses import replace

from alerts.settings import Settings
from dashboards.board import board, target_variables
from dashboards.grafana.board import Board
from dashboards.grafana.fields import Step
from dashboards.layout import Shelf, even
from dashboards.panels import (
    BAD,
    BYTES,
    COUNT,
    MOMENT,
    ODD,
    PLAIN,
    RATIO,
    SECONDS,
    Column,
    Line,
    number,
    table,
    trend,
)
from dashboards.queries import exporter as q

# How many exporters are scraped at most, for the budgets of series.
_EXPORTERS = 8
_UP = replace(COUNT, steps=(Step(None, "red"), Step(1, "green")), mappings=(("0", "down", "red"), ("1", "up", "green")))
_YES = replace(_UP, mappings=(("0", "refused", "red"), ("1", "in force", "green")))
_POLL = replace(SECONDS, steps=(Step(None, "green"), Step(300, "yellow"), Step(900, "red")), no_value="never")
_NEWS = replace(SECONDS, steps=(Step(None, "green"), Step(2 * 86400, "yellow"), Step(4 * 86400, "red")))
_SLOW = replace(SECONDS, steps=(Step(None, "green"), Step(10, "yellow"), Step(30, "red")))
_PER_MINUTE = replace(COUNT, unit="cpm", decimals=2)


def _verdict() -> Shelf:
    return even(
        4,
        number(
            "Scraped",
            "Whether Prometheus reaches the exporter.",
            q.TARGETS,
            _UP,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number(
            "Database read",
            "Whether the exporter's last poll of the database succeeded.",
            q.UP,
            _UP,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number(
            "Since the last poll",
            "Age of the last successful poll: values are as of then.",
            q.LAST_POLL_AGE,
            _POLL,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number(
            "Since the newest run",
            "Start of the newest run of all. If it stays old, the backups are not recorded any more, or the database"
            " is a lagging replica.",
            q.NEWEST_RUN_AGE,
            _NEWS,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number(
            "Configuration",
            "Whether the last reload was accepted; a refused one leaves the old one in force.",
            q.RELOADED,
            _YES,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number("Rows rejected", "Rows, or values in them, that could not be used.", q.REJECTED_ALL, ODD),
    )


def _polls() -> Shelf:
    polls = trend(
        "Polls",
        "Polls a minute, by outcome.",
        [Line(q.POLLS, "{{instance}} {{outcome}}")],
        _PER_MINUTE,
        budget=2 * _EXPORTERS,
    )
    duration = trend(
        "Duration of a poll",
        "How long the last successful poll took. Longer than the poll interval is too long.",
        [Line(q.POLL_DURATION, "{{instance}}")],
        _SLOW,
        budget=_EXPORTERS,
    )
    errors = trend(
        "Errors of polls",
        "Failed polls within the step, by reason.",
        [Line(q.ERRORS, "{{reason}}")],
        BAD,
        budget=5,
    )
    return even(8, polls, duration, errors, title="Polls of the database")


def _inventory() -> Shelf:
    rejected = trend(
        "Rows rejected",
        "Rows, or values in them, that could not be used, by reason.",
        [Line(q.REJECTED, "{{reason}}")],
        ODD,
        budget=5,
    )
    anomalies = trend(
        "Rows that contradict themselves",
        "Or the policy, by kind. They are used as far as they can be.",
        [Line(q.ANOMALIES, "{{kind}}")],
        ODD,
        budget=5,
    )
    afresh = trend(
        "Counted afresh",
        "Polls within the step that counted the whole inventory again, by reason.",
        [Line(q.RESYNCS, "{{reason}}")],
        COUNT,
        budget=6,
    )
    return even(8, rejected, anomalies, afresh, title="Inventory")


def _scrapes() -> Shelf:
    duration = trend(
        "Duration of a scrape",
        "As Prometheus measures it, the network included.",
        [Line(q.SCRAPE_DURATION, "{{instance}}")],
        replace(SECONDS, steps=(Step(None, "green"), Step(1, "yellow"), Step(5, "red"))),
        budget=_EXPORTERS,
    )
    samples = trend(
        "Samples in a scrape",
        "Some fifty for each job.",
        [Line(q.SCRAPE_SAMPLES, "{{instance}}")],
        COUNT,
        budget=_EXPORTERS,
    )
    versions = table(
        "Versions",
        "Of the exporter and of Python; when the process began, and when it last took its configuration.",
        [
            Column("version", q.BUILD, COUNT, hidden=True),
            Column("Up for", f"max by (instance) ({q.UPTIME})", SECONDS),
            Column("Configured", f"max by (instance) ({q.RELOAD_MOMENT})", MOMENT),
        ],
        sort="instance",
        keys=("instance",),
        budget=_EXPORTERS,
        links=False,
    )
    return even(8, duration, samples, versions, title="Scrapes")


def _process() -> Shelf:
    memory = trend(
        "Resident memory",
        "Of the exporter's process.",
        [Line(q.MEMORY, "{{instance}}")],
        replace(BYTES, steps=PLAIN),
        budget=_EXPORTERS,
    )
    cpu = trend("CPU", "Share of one core.", [Line(q.CPU, "{{instance}}")], RATIO, budget=_EXPORTERS)
    files = trend(
        "Open files",
        "Open file descriptors, connections included, as a share of what is allowed.",
        [Line(q.OPEN_FILES, "{{instance}}")],
        replace(RATIO, steps=(Step(None, "green"), Step(0.5, "yellow"), Step(0.9, "red"))),
        budget=_EXPORTERS,
    )
    garbage = trend(
        "Garbage collections",
        "A second, by generation.",
        [Line(q.COLLECTIONS, "{{instance}} {{generation}}")],
        replace(COUNT, unit="ops", decimals=2),
        budget=3 * _EXPORTERS,
    )
    return even(8, memory, cpu, files, garbage, title="Process")


def exporter(settings: Settings) -> Board:
    """Return the board."""
    return board(
        "exporter",
        "Exporter",
        "Whether the exporter reads the database, serves Prometheus, and stays small.",
        [_verdict(), _polls(), _inventory(), _scrapes(), _process()],
        variables=target_variables(),
        since="now-6h",
        pages={"Pages": "/"},
        settings=settings,
    )
