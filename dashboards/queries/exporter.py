"""Queries about the exporters themselves; they keep ``job`` and ``instance``."""

from __future__ import annotations

from bernard_exporter.metrics import catalogue as c
from bernard_exporter.metrics.metric import Metric
from monitoring.promql import TARGET_LABELS

_CHOSEN = {label: f"${label}" for label in TARGET_LABELS}
_INSIDE = ",".join(f'{label}=~"{variable}"' for label, variable in _CHOSEN.items())


def _own(metric: Metric) -> str:
    return _of_target(metric.name)


def _of_target(name: str) -> str:
    """Return a selector of a series that Prometheus or its client library defines."""
    return f"{name}{{{_INSIDE}}}"


def _rate(series: str) -> str:
    return f"rate({series}[$__rate_interval])"


TARGETS = _of_target("up")
UP = _own(c.UP)
LAST_POLL_AGE = f"time() - {_own(c.LAST_POLL)}"
POLL_DURATION = _own(c.LAST_POLL_DURATION)
POLLS = f"sum by (instance, outcome) ({_rate(_own(c.POLLS))}) * 60"
ERRORS = f"sum by (reason) (increase({_own(c.POLL_ERRORS)}[$__rate_interval]))"
RESYNCS = f"sum by (reason) (increase({_own(c.RESYNCS)}[$__rate_interval]))"
RELOADED = _own(c.RELOAD_SUCCESSFUL)
RELOAD_MOMENT = f"{_own(c.RELOAD_SUCCESS)} * 1000"
NEWEST_RUN_AGE = f"time() - {_own(c.NEWEST_START)}"
# Values about the inventory are the same for every exporter.
REJECTED = f"max by (reason) ({_own(c.ROWS_REJECTED)})"
REJECTED_ALL = f"max(sum by (instance) ({_own(c.ROWS_REJECTED)}))"
ANOMALIES = f"max by (kind) ({_own(c.ANOMALIES)})"
BUILD = f"max by (instance, version, pythonversion) ({_own(c.BUILD_INFO)})"
SCRAPE_DURATION = _of_target("scrape_duration_seconds")
SCRAPE_SAMPLES = _of_target("scrape_samples_scraped")
MEMORY = _of_target("process_resident_memory_bytes")
CPU = _rate(_of_target("process_cpu_seconds_total"))
OPEN_FILES = f"{_of_target('process_open_fds')} / {_of_target('process_max_fds')}"
COLLECTIONS = f"sum by (instance, generation) ({_rate(_of_target('python_gc_collections_total'))})"
UPTIME = f"time() - {_of_target('process_start_time_seconds')}"
