"""Queries about the space used by backups."""

from __future__ import annotations

from bernard_exporter.domain.model import BackupType
from bernard_exporter.metrics import catalogue as c
from dashboards.queries import jobs
from dashboards.queries.selection import chosen, each
from monitoring.promql import largest

# Window and step of growth: in shorter windows weekly backups show as steps.
WINDOW, _STEP = "30d", "6h"
_DAY = 86400

NEWEST = f"sum({jobs.SIZE})"
NEWEST_BY_TYPE = f"sum by (type) ({jobs.SIZE})"
NEWEST_BY_SECTION = f"topk(25, sum by (section) ({jobs.SIZE}))"
RETAINED = f"sum({chosen(c.STORAGE_BYTES)})"
RETAINED_BACKUPS = f"sum({chosen(c.STORAGE_BACKUPS)})"
RETAINED_BY_HOST = f"sum by (host) ({chosen(c.STORAGE_BYTES)})"
BACKUPS_BY_HOST = f"sum by (host) ({chosen(c.STORAGE_BACKUPS)})"
RETAINED_BY_TYPE = f"sum by (type) ({chosen(c.STORAGE_BYTES)})"
# Bytes per day.
GROWTH_BY_HOST = f"deriv({RETAINED_BY_HOST}[{WINDOW}:{_STEP}]) * {_DAY}"
GROWTH = f"sum({GROWTH_BY_HOST})"
FILLED = f"{RETAINED_BY_HOST} / ($capacity)"
# Days until the retained size of a host reaches its capacity; hosts that do not grow are omitted.
DAYS_LEFT = f"(($capacity) - {RETAINED_BY_HOST}) / ({GROWTH_BY_HOST} > 0)"
FORECAST_BY_HOST = f"sort_desc(predict_linear({RETAINED_BY_HOST}[{WINDOW}:{_STEP}], 30 * {_DAY}))"
# Relative growth of the jobs that existed at the start of the window.
_SIZE_BEFORE = largest(f"{each(c.LAST_SUCCESS_SIZE)} offset {WINDOW}")
JOB_GROWTH = f"{jobs.SIZE} / ({_SIZE_BEFORE} > 0) - 1"
RESTORE_ALL = f"sum({jobs.RESTORE})"
_DUMPS, _SNAPSHOTS = (
    chosen(c.LAST_SUCCESS_SIZE, type=backup_type) for backup_type in (BackupType.DUMP, BackupType.SNAPSHOT)
)
# Size of a dump relative to the snapshot of its section: a dump has no indexes and compresses better.
COMPRESSION = (
    f'label_replace({_DUMPS} / on (section, datacenter) ({_SNAPSHOTS} > 0), "type", "{BackupType.DUMP}", "", "")'
)
