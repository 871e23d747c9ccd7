"""What is asked of the room that backups take."""

from __future__ import annotations

from bernard_exporter import catalogue as c
from bernard_exporter.model import BackupType
from bernard_exporter.promql import largest
from dashboards.queries import jobs
from dashboards.queries.selection import chosen, each

# Growth is told from so long, looked at so often: weekly backups show as steps in anything shorter.
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
# Bytes a day.
GROWTH_BY_HOST = f"deriv({RETAINED_BY_HOST}[{WINDOW}:{_STEP}]) * {_DAY}"
GROWTH = f"sum({GROWTH_BY_HOST})"
FILLED = f"{RETAINED_BY_HOST} / ($capacity)"
# Days until what a host retains reaches the limit; a host that does not grow never gets there, and is left out.
DAYS_LEFT = f"(($capacity) - {RETAINED_BY_HOST}) / ({GROWTH_BY_HOST} > 0)"
FORECAST_BY_HOST = f"sort_desc(predict_linear({RETAINED_BY_HOST}[{WINDOW}:{_STEP}], 30 * {_DAY}))"
# Ratio to what it was, among jobs that were there then.
_SIZE_BEFORE = largest(f"{each(c.LAST_SUCCESS_SIZE)} offset {WINDOW}")
JOB_GROWTH = f"{jobs.SIZE} / ({_SIZE_BEFORE} > 0) - 1"
RESTORE_ALL = f"sum({jobs.RESTORE})"
_DUMPS, _SNAPSHOTS = (chosen(c.LAST_SUCCESS_SIZE, type=kind) for kind in (BackupType.DUMP, BackupType.SNAPSHOT))
# What a dump saves over the snapshot of the same section: a logical copy has no indexes and compresses better.
COMPRESSION = (
    f'label_replace({_DUMPS} / on (section, datacenter) ({_SNAPSHOTS} > 0), "type", "{BackupType.DUMP}", "", "")'
)
