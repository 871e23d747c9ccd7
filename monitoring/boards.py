"""The names of the dashboards, which alerts link to; a uid never changes."""

OVERVIEW = "bernard-overview"
JOB = "bernard-job"
RUNS = "bernard-runs"
STORAGE = "bernard-storage"
EXPORTER = "bernard-exporter"
