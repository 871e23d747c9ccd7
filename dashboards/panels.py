"""The house's shapes of panels: what every board places, so that a thing looks alike wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bernard_exporter.metric import JOB_LABELS
from dashboards.grafana.fields import EMPTY_CELL, Field, Json, Link, Step, override
from dashboards.grafana.kinds import BarGauge, Stat, StateTimeline, StatusHistory, Table, Target, Trend
from dashboards.links import RUN_PAGE, of_series, of_table
from dashboards.states import SEVERITY_MAPPING, STATE_MAPPING, STATUS_MAPPING

PLAIN = (Step(None, "blue"),)
GOOD_AT_ZERO = (Step(None, "green"), Step(1, "red"))
WATCH_ABOVE_ZERO = (Step(None, "green"), Step(1, "yellow"))
# As a share of a limit: nearing it, over it, twice over it.
OF_LIMIT = (Step(None, "green"), Step(0.8, "yellow"), Step(1, "red"), Step(2, "dark-red"))

COUNT = Field("short", PLAIN, decimals=0, minimum=0)
# How many of what should not be, and of what is worth a look.
BAD = replace(COUNT, steps=GOOD_AT_ZERO)
ODD = replace(COUNT, steps=WATCH_ABOVE_ZERO)
RUN = Field("none", PLAIN, decimals=0, links=(RUN_PAGE,))
BYTES = Field("bytes", PLAIN)
SECONDS = Field("s", PLAIN)
# A time in milliseconds, as Grafana counts it.
MOMENT = Field("dateTimeAsIso", PLAIN)
RATIO = Field("percentunit", PLAIN, decimals=1)
SHARE_OF_LIMIT = Field("percentunit", OF_LIMIT, decimals=0, minimum=0)
# A share that should be whole.
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
    """A column of a table: an instant query with one value a row.

    Attributes:
        cell: how its cells look, one of Grafana's cell types.
        hidden: the query is asked for its labels alone.
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
    """Return numbers to be read from afar: the present value, with a sketch of its past where ``trend`` is set."""
    target = Target(expr, legend or title, instant=not trend)
    options: Json = {"graphMode": "area", "colorMode": "value"} if trend else {}
    return Stat(title, description, [target], field, budget=budget, options=options)


def bars(
    title: str, description: str, line: Line, field: Field, *, budget: int, overrides: Sequence[Json] = ()
) -> BarGauge:
    """Return a bar for each series' present value."""
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
    """Return lines over time; with ``links`` each leads to the board of its job."""
    shown = replace(field, links=of_series()) if links else field
    custom: Json = {}
    if stacked:
        custom = {"fillOpacity": 40, "lineWidth": 1, "stacking": {"group": "A", "mode": "normal"}}
    elif len(field.steps) > 1:
        custom = {"thresholdsStyle": {"mode": "dashed"}}
    targets = [Target(line.expr, line.legend) for line in lines]
    return Trend(title, description, targets, shown, budget=budget, overrides=overrides, custom=custom)


def limit(legend: str, color: str) -> Json:
    """Return the override that draws a series as a limit: dashed, without area."""
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
    """Return the overrides that shade what lies between two series."""
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
    """Return what held when, a row a series."""
    shown = replace(field, links=of_series())
    return StateTimeline(title, description, [Target(line.expr, line.legend)], shown, budget=budget)


def history(title: str, description: str, line: Line, field: Field, *, budget: int) -> StatusHistory:
    """Return what held at each step, a row a series."""
    shown = replace(field, links=of_series())
    return StatusHistory(title, description, [Target(line.expr, line.legend)], shown, budget=budget)


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
    """Return a table of one row for each set of ``keys``, whose other columns are the values of instant queries.

    Args:
        title: of the panel.
        description: what its rows are.
        columns: each asks for the same rows, or fewer.
        sort: the title of the column it is sorted by to begin with.
        descending: whether the greatest comes first.
        budget: rows at most.
        keys: the labels that come first; further labels of a query become columns too.
        empty: what stands there without rows.
        links: whether the keys are those of a job, and lead to its board and its page.
    """
    # Grafana names the value of a lone query otherwise.
    names = [f"Value #{chr(ord('A') + index)}" for index in range(len(columns))] if len(columns) > 1 else ["Value"]
    hidden = {name: True for name, column in zip(names, columns, strict=True) if column.hidden}
    arranged = {
        "excludeByName": {"Time": True, **hidden},
        "indexByName": {name: place for place, name in enumerate([*keys, *names])},
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
            # A pattern, to be matched whole, that every name but the first one has.
            override("byRegexp", r"[^\\]+", [{"id": "noValue", "value": EMPTY_CELL}]),
        ],
        transformations=[{"id": "groupingToMatrix", "options": grouping}],
    )


def with_links(field: Field, *links: Link) -> Field:
    """Return a field whose values lead somewhere."""
    return replace(field, links=links)
