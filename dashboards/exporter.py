"""The dashboard ``bernard-exporter``: health of the exporter itself."""

from __future__ import annotations

from dataclasses import replace

from bernard_exporter.domain.model import Anomaly, Rejection
from bernard_exporter.errors import POLL_ERROR_REASONS
from bernard_exporter.metrics.self_metrics import RESYNC_REASONS
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
from monitoring import boards
from monitoring.settings import SiteSettings

# Number of exporters assumed in the budgets of series.
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
            "Whether Prometheus can scrape the exporter.",
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
            "Time since the last successful poll, from which all values are.",
            q.LAST_POLL_AGE,
            _POLL,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number(
            "Since the newest run",
            "Time since the start of the newest run of any job. If it keeps growing, backups are no longer recorded, or"
            " the database is a lagging replica.",
            q.NEWEST_RUN_AGE,
            _NEWS,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number(
            "Configuration",
            "Whether the last reload succeeded; if not, the previous configuration is still in force.",
            q.RELOADED,
            _YES,
            legend="{{instance}}",
            budget=_EXPORTERS,
        ),
        number("Rows rejected", "Rows that cannot be used, in whole or in part.", q.REJECTED_ALL, ODD),
    )


def _polls() -> Shelf:
    polls = trend(
        "Polls",
        "Polls per minute, by outcome.",
        [Line(q.POLLS, "{{instance}} {{outcome}}")],
        _PER_MINUTE,
        budget=2 * _EXPORTERS,
    )
    duration = trend(
        "Duration of a poll",
        "Duration of the last successful poll. It should be shorter than the poll interval.",
        [Line(q.POLL_DURATION, "{{instance}}")],
        _SLOW,
        budget=_EXPORTERS,
    )
    errors = trend(
        "Poll errors",
        "Failed polls per step, by reason.",
        [Line(q.ERRORS, "{{reason}}")],
        BAD,
        budget=len(POLL_ERROR_REASONS),
    )
    return even(8, polls, duration, errors, title="Polls of the database")


def _inventory() -> Shelf:
    rejected = trend(
        "Rows rejected",
        "Rows that cannot be used, in whole or in part, by reason.",
        [Line(q.REJECTED, "{{reason}}")],
        ODD,
        budget=len(Rejection),
    )
    anomalies = trend(
        "Inconsistent rows",
        "Rows that contradict themselves or the policy, by kind. Their consistent values are used.",
        [Line(q.ANOMALIES, "{{kind}}")],
        ODD,
        budget=len(Anomaly),
    )
    resyncs = trend(
        "Full resyncs",
        "Polls per step that counted the whole inventory again, by reason.",
        [Line(q.RESYNCS, "{{reason}}")],
        COUNT,
        budget=len(RESYNC_REASONS),
    )
    return even(8, rejected, anomalies, resyncs, title="Inventory")


def _scrapes() -> Shelf:
    duration = trend(
        "Duration of a scrape",
        "As measured by Prometheus, including the network.",
        [Line(q.SCRAPE_DURATION, "{{instance}}")],
        replace(SECONDS, steps=(Step(None, "green"), Step(1, "yellow"), Step(5, "red"))),
        budget=_EXPORTERS,
    )
    samples = trend(
        "Samples in a scrape",
        "About fifty per job.",
        [Line(q.SCRAPE_SAMPLES, "{{instance}}")],
        COUNT,
        budget=_EXPORTERS,
    )
    versions = table(
        "Versions",
        "Versions of the exporter and of Python, uptime of the process, and time of the last successful reload.",
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
        "Resident memory of the exporter's process.",
        [Line(q.MEMORY, "{{instance}}")],
        replace(BYTES, steps=PLAIN),
        budget=_EXPORTERS,
    )
    cpu = trend("CPU", "CPU usage, as a share of one core.", [Line(q.CPU, "{{instance}}")], RATIO, budget=_EXPORTERS)
    files = trend(
        "Open files",
        "Open file descriptors, including connections, as a share of the limit.",
        [Line(q.OPEN_FILES, "{{instance}}")],
        replace(RATIO, steps=(Step(None, "green"), Step(0.5, "yellow"), Step(0.9, "red"))),
        budget=_EXPORTERS,
    )
    garbage = trend(
        "Garbage collections",
        "Garbage collections per second, by generation.",
        [Line(q.COLLECTIONS, "{{instance}} {{generation}}")],
        replace(COUNT, unit="ops", decimals=2),
        budget=3 * _EXPORTERS,
    )
    return even(8, memory, cpu, files, garbage, title="Process")


def exporter(settings: SiteSettings) -> Board:
    """Return the dashboard."""
    return board(
        boards.EXPORTER,
        "Exporter",
        "Does the exporter read the database and answer Prometheus, and which resources does it use?",
        [_verdict(), _polls(), _inventory(), _scrapes(), _process()],
        variables=target_variables(),
        since="now-6h",
        pages={"Pages": "/"},
        settings=settings,
    )
