"""The queries that a generic SQL exporter needs for the same metrics, over the whole history at every interval."""

from __future__ import annotations

from typing import NamedTuple

_DATACENTER = "SUBSTRING_INDEX(SUBSTRING_INDEX(host, '.', 2), '.', -1)"
_JOB = f"section, type, {_DATACENTER} AS datacenter"
_BY_JOB = f"section, type, {_DATACENTER}"
LABELS = ("section", "type", "datacenter")


class Query(NamedTuple):
    """A statement whose rows have the labels first and then the values."""

    name: str
    labels: tuple[str, ...]
    values: tuple[str, ...]
    sql: str


NEWEST_TWO = f"""
SELECT section, type, datacenter,
  MAX(CASE WHEN place = 1 THEN id END) AS last_success_id,
  MAX(CASE WHEN place = 1 THEN UNIX_TIMESTAMP(start_date) END) AS last_success_start,
  MAX(CASE WHEN place = 1 THEN UNIX_TIMESTAMP(end_date) END) AS last_success_end,
  MAX(CASE WHEN place = 1 THEN TIMESTAMPDIFF(SECOND, start_date, end_date) END) AS last_success_duration,
  COALESCE(MAX(CASE WHEN place = 1 THEN total_size END), 0) AS last_success_size,
  COALESCE(MAX(CASE WHEN place = 2 THEN UNIX_TIMESTAMP(start_date) END), 0) AS previous_success_start,
  COALESCE(MAX(CASE WHEN place = 2 THEN total_size END), 0) AS previous_success_size
FROM (
  SELECT id, {_JOB}, start_date, end_date, total_size,
    ROW_NUMBER() OVER (PARTITION BY {_BY_JOB} ORDER BY start_date DESC, id DESC) AS place
  FROM backups WHERE status = 'finished' AND end_date IS NOT NULL) AS placed
WHERE place <= 2 GROUP BY section, type, datacenter
"""
_NEWEST_ATTEMPT = f"""
SELECT section, type, datacenter, id AS last_attempt_id, UNIX_TIMESTAMP(start_date) AS last_attempt_start
FROM (
  SELECT id, {_JOB}, start_date,
    ROW_NUMBER() OVER (PARTITION BY {_BY_JOB} ORDER BY start_date DESC, id DESC) AS place
  FROM backups) AS placed
WHERE place = 1
"""
_RUNS = f"SELECT {_JOB}, status, COUNT(*) AS backup_runs FROM backups GROUP BY {_BY_JOB}, status"
_ONGOING = f"""
SELECT {_JOB}, COUNT(*) AS backup_ongoing, MIN(UNIX_TIMESTAMP(start_date)) AS backup_ongoing_start
FROM backups WHERE status = 'ongoing' GROUP BY {_BY_JOB}
"""
# A window function over each job would take minutes.
_FAILURES = f"""
SELECT section, type, datacenter, SUM(status = 'failed' AND start_date > COALESCE(newest, 0)) AS consecutive_failures
FROM (SELECT {_JOB}, status, start_date FROM backups) AS judged
JOIN (
  SELECT {_JOB}, MAX(CASE WHEN status = 'finished' AND end_date IS NOT NULL THEN start_date END) AS newest
  FROM backups GROUP BY {_BY_JOB}) AS successes USING (section, type, datacenter)
GROUP BY section, type, datacenter
"""
_STORAGE = """
SELECT host AS destination, type, COUNT(*) AS retained_backups, COALESCE(SUM(total_size), 0) AS retained_bytes
FROM backups WHERE status = 'finished' AND end_date IS NOT NULL AND start_date > NOW() - INTERVAL 30 DAY
GROUP BY host, type
"""

QUERIES = (
    Query(
        "successes",
        LABELS,
        (
            "last_success_id",
            "last_success_start",
            "last_success_end",
            "last_success_duration",
            "last_success_size",
            "previous_success_start",
            "previous_success_size",
        ),
        NEWEST_TWO,
    ),
    Query("attempts", LABELS, ("last_attempt_id", "last_attempt_start"), _NEWEST_ATTEMPT),
    Query("runs", (*LABELS, "status"), ("backup_runs",), _RUNS),
    Query("ongoing", LABELS, ("backup_ongoing", "backup_ongoing_start"), _ONGOING),
    Query("failures", LABELS, ("consecutive_failures",), _FAILURES),
    Query("storage", ("destination", "type"), ("retained_backups", "retained_bytes"), _STORAGE),
)
