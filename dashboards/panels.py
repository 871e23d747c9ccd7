"""Panel types and field formats that all dashboards share, so that the same value looks the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bernard_exporter.metrics.metric import JOB_LABELS
from dashboards.grafana.fields import EMPTY_CELL, Field, Json, Link, Step, override
from dashboards.grafana.panel_types import BarGauge, Stat, StateTimeline, StatusHistory, Table, Target, Trend
from dashboards.links import RUN_PAGE, of_series, of_table
from dashboards.states import SEVERITY_MAPPING, STATE_MAPPING, STATUS_MAPPING

PLAIN = (Step(None, "blue"),)
GOOD_AT_ZERO = (Step(None, "green"), Step(1, "red"))
WATCH_ABOVE_ZERO = (Step(None, "green"), Step(1, "yellow"))
# Colours for a share of a limit: close to it, above it, above twice the limit.
OF_LIMIT = (Step(None, "green"), Step(0.8, "yellow"), Step(1, "red"), Step(2, "dark-red"))

COUNT = Field("short", PLAIN, decimals=0, minimum=0)
# Counts that should be 0: errors, and warnings.
BAD = replace(COUNT, steps=GOOD_AT_ZERO)
ODD = replace(COUNT, steps=WATCH_ABOVE_ZERO)
RUN = Field("none", PLAIN, decimals=0, links=(RUN_PAGE,))
BYTES = Field("bytes", PLAIN)
SECONDS = Field("s", PLAIN)
# A time in milliseconds, the unit of Grafana.
MOMENT = Field("dateTimeAsIso", PLAIN)
RATIO = Field("percentunit", PLAIN, decimals=1)
SHARE_OF_LIMIT = Field("percentunit", OF_LIMIT, decimals=0, minimum=0)
# A share that should be close to 100 %.
MET = Field(
    "percentunit",
    (Step(None, "red"), Step(0.95, "yellow"), Step(0.99, "green")),
    no_value="no recording rules",
    decimals=2,
    minimum=0,
    maximum=1,
)
STATE = Field("none", PLAIN, STATE_MAPPING)
STATUS = Field("none", PLAIN, STATUS_MAPPING)
SEVERITY = Field("none", PLAIN, SEVERITY_MAPPING)
JOB_LEGEND = "{{section}} {{type}} {{datacenter}}"


@dataclass(frozen=True, slots=True)
class Line:
    """A query and the name of its series."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: an instant query with one value per row.

    Attributes:
        cell: one of Grafana's cell types.
        hidden: the query only adds its labels as columns.
    """

    title: str
    expr: str
    field: Field
    cell: str = "auto"
    width: int | None = None
    hidden: bool = False


def number(
    title: str, description: str, expr: str, field: Field, *, legend: str = "", budget: int = 1, trend: bool = False
) -> Stat:
    """Return a stat panel: the current values, with a sparkline where ``trend`` is set."""
    target = Target(expr, legend or title, instant=not trend)
    options: Json = {"graphMode": "area", "colorMode": "value"} if trend else {}
    return Stat(title, description, [target], field, budget=budget, options=options)


def bars(
    title: str, description: str, line: Line, field: Field, *, budget: int, overrides: Sequence[Json] = ()
) -> BarGauge:
    """Return a bar gauge with the current value of each series."""
    target = Target(line.expr, line.legend, instant=True)
    return BarGauge(title, description, [target], field, budget=budget, overrides=overrides)


def trend(
    title: str,
    description: str,
    lines: Sequence[Line],
    field: Field,
    *,
    budget: int,
    overrides: Sequence[Json] = (),
    stacked: bool = False,
    links: bool = False,
) -> Trend:
    """Return a time series panel; with ``links`` each series links to the dashboard of its job."""
    linked = replace(field, links=of_series()) if links else field
    custom: Json = {}
    if stacked:
        custom = {"fillOpacity": 40, "lineWidth": 1, "stacking": {"group": "A", "mode": "normal"}}
    elif len(field.steps) > 1:
        custom = {"thresholdsStyle": {"mode": "dashed"}}
    targets = [Target(line.expr, line.legend) for line in lines]
    return Trend(title, description, targets, linked, budget=budget, overrides=overrides, custom=custom)


def limit(legend: str, color: str) -> Json:
    """Return the override that draws a series as a limit: a dashed line without area."""
    style = {"dash": [8, 6], "fill": "dash"}
    return override(
        "byName",
        legend,
        [
            {"id": "color", "value": {"fixedColor": color, "mode": "fixed"}},
            {"id": "custom.lineStyle", "value": style},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "custom.lineWidth", "value": 1},
        ],
    )


def band(upper: str, lower: str) -> list[Json]:
    """Return the overrides that shade the area between two series."""
    faint: list[Json] = [
        {"id": "color", "value": {"fixedColor": "semi-dark-blue", "mode": "fixed"}},
        {"id": "custom.lineWidth", "value": 0},
    ]
    between: list[Json] = [
        {"id": "custom.fillBelowTo", "value": lower},
        {"id": "custom.fillOpacity", "value": 15},
    ]
    return [override("byName", upper, faint + between), override("byName", lower, faint)]


def timeline(title: str, description: str, line: Line, field: Field, *, budget: int) -> StateTimeline:
    """Return a state timeline, with one row per series."""
    linked = replace(field, links=of_series())
    return StateTimeline(title, description, [Target(line.expr, line.legend)], linked, budget=budget)


def history(title: str, description: str, line: Line, field: Field, *, budget: int) -> StatusHistory:
    """Return a status history, with one row per series and one cell per step."""
    linked = replace(field, links=of_series())
    return StatusHistory(title, description, [Target(line.expr, line.legend)], linked, budget=budget)


def table(
    title: str,
    description: str,
    columns: Sequence[Column],
    *,
    sort: str,
    descending: bool = False,
    budget: int = 100,
    keys: Sequence[str] = JOB_LABELS,
    empty: str = "none",
    links: bool = True,
) -> Table:
    """Return a table with one row per set of ``keys``; the other columns are the values of instant queries.

    Args:
        title: title of the panel.
        description: description of the rows.
        columns: the queries; each returns the same rows, or fewer.
        sort: title of the column that the table is sorted by at first.
        descending: whether the largest value comes first.
        budget: maximum number of rows.
        keys: the labels in the first columns; further labels of a query become columns too.
        empty: text shown without rows.
        links: whether the keys identify a job, and link to its dashboard and its page.
    """
    # Grafana uses another name for the value of a single query.
    names = [f"Value #{chr(ord('A') + index)}" for index in range(len(columns))] if len(columns) > 1 else ["Value"]
    hidden = {name: True for name, column in zip(names, columns, strict=True) if column.hidden}
    arranged = {
        "excludeByName": {"Time": True, **hidden},
        "indexByName": {name: index for index, name in enumerate([*keys, *names])},
        "renameByName": {name: column.title for name, column in zip(names, columns, strict=True)},
    }
    overrides = [override("byName", column.title, _styled(column)) for column in columns if not column.hidden]
    if links:
        overrides.append(override("byName", keys[0], [{"id": "links", "value": [link.json() for link in of_table()]}]))
    return Table(
        title,
        description,
        [Target(column.expr, table=True) for column in columns],
        Field("none", PLAIN, no_value=empty),
        budget=budget,
        overrides=overrides,
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": arranged},
        ],
        options={"sortBy": [{"desc": descending, "displayName": sort}]},
    )


def _styled(column: Column) -> list[Json]:
    """Return the properties of a column."""
    properties = column.field.properties()
    if column.cell != "auto":
        properties.append({"id": "custom.cellOptions", "value": {"type": column.cell}})
    if column.width:
        properties.append({"id": "custom.width", "value": column.width})
    return properties


def matrix(title: str, description: str, expr: str, field: Field, *, rows: str, column: str, budget: int) -> Table:
    """Return a table with a row for each value of label ``rows`` and a column for each of label ``column``."""
    heading = f"{rows}\\{column}"
    grouping = {"columnField": column, "emptyValue": "null", "rowField": rows, "valueField": "Value"}
    return Table(
        title,
        description,
        [Target(expr, table=True)],
        field,
        budget=budget,
        custom={"align": "center", "cellOptions": {"type": "color-background"}, "filterable": False},
        overrides=[
            override("byName", heading, [{"id": "custom.cellOptions", "value": {"type": "auto"}}]),
            # Every column but the first one: the name must match as a whole and contain no backslash.
            override("byRegexp", r"[^\\]+", [{"id": "noValue", "value": EMPTY_CELL}]),
        ],
        transformations=[{"id": "groupingToMatrix", "options": grouping}],
    )


def with_links(field: Field, *links: Link) -> Field:
    """Return a field whose values have links."""
    return replace(field, links=links)
