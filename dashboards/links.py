"""Links to the other dashboards and to the exporter's own pages."""

from __future__ import annotations

from grafanalib import core

from dashboards.grafana.fields import Link
from monitoring import boards

TAG = "bernard"
# The variable with the URL of the exporter's pages; without `:raw` Grafana escapes the slashes.
PAGES = "${exporter:raw}"
_KEPT = "${datasource:queryparam}&${exporter:queryparam}&${__url_time_range}"
RUN_PAGE = Link("Run: files, tables, differences", PAGES + "/runs/${__value.raw}")


def _job(section: str, backup_type: str, datacenter: str) -> tuple[Link, ...]:
    variables = f"var-section={section}&var-type={backup_type}&var-datacenter={datacenter}"
    return (
        Link("Dashboard of the job", f"/d/{boards.JOB}/{boards.JOB}?{variables}&{_KEPT}"),
        Link("Page of the job", f"{PAGES}/jobs/{section}/{backup_type}/{datacenter}"),
    )


def of_table() -> tuple[Link, ...]:
    """Return the links of a table's row about a job."""
    return _job("${__data.fields.section}", "${__data.fields.type}", "${__data.fields.datacenter}")


def of_series() -> tuple[Link, ...]:
    """Return the links of a series about a job."""
    return _job("${__field.labels.section}", "${__field.labels.type}", "${__field.labels.datacenter}")


def of_matrix() -> tuple[Link, ...]:
    """Return the links of a cell in the row of a section and the column ``TYPE/DATACENTER``."""
    return (
        Link("Runs of the section", f"/d/{boards.RUNS}/{boards.RUNS}?var-section=${{__data.fields[0]}}&" + _KEPT),
        Link("Page of the job", PAGES + "/jobs/${__data.fields[0]}/${__field.name}"),
    )


def of_board(pages: dict[str, str]) -> list[core.DashboardLink]:
    """Return the links at the top of a dashboard: all other dashboards, and pages of the exporter by title and path."""
    others = core.DashboardLink(
        type="dashboards", title="Bernard", tags=[TAG], includeVars=True, keepTime=True, icon="dashboard"
    )
    return [others, *(_page(title, path) for title, path in pages.items())]


def _page(title: str, path: str) -> core.DashboardLink:
    return core.DashboardLink(
        type="link", title=title, uri=PAGES + path, tooltip="The exporter's own pages", targetBlank=True, keepTime=False
    )
