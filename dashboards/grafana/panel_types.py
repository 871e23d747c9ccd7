"""The types of panels, each with its default options."""

from __future__ import annotations

from collections.abc import Sequence

from grafanalib import core

from dashboards.grafana.fields import DATASOURCE, Field, Json


class Target(core.Target):  # type: ignore[misc] # grafanalib has no types
    """A PromQL query in the format of Grafana's Prometheus data source."""

    def __init__(self, expr: str, legend: str = "__auto", *, table: bool = False, instant: bool = False) -> None:
        """Query ``expr``: an instant query for a table or a single number, else a range query."""
        super().__init__(
            expr=expr, legendFormat=legend, format="table" if table else "time_series", instant=instant or table
        )

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "format": self.format,
            "instant": self.instant,
            "legendFormat": self.legendFormat,
            "range": not self.instant,
            "refId": self.refId,
        }


class Panel(core.Panel):  # type: ignore[misc] # grafanalib has no types
    """A panel in the current schema.

    Attributes:
        budget: maximum number of series that each of its queries may return; tests check it.
        field: how its values are shown.
        color: Grafana's colour mode.
        custom, options: options of the panel type; each type has defaults.
    """

    panel_type = ""
    color = "thresholds"
    custom: Json = {}  # noqa: RUF012 - a constant of each type
    options: Json = {}  # noqa: RUF012

    def __init__(
        self,
        title: str,
        description: str,
        targets: Sequence[Target],
        field: Field,
        *,
        budget: int,
        overrides: Sequence[Json] = (),
        transformations: Sequence[Json] = (),
        custom: Json | None = None,
        options: Json | None = None,
    ) -> None:
        """Define the panel; the layout sets its position."""
        super().__init__(title=title, description=description, targets=list(targets))
        self.transformations = list(transformations)
        self.field = field
        self.budget = budget
        self.overrides = list(overrides)
        self.custom = {**type(self).custom, **(custom or {})}
        self.options = {**type(self).options, **(options or {})}
        for number, target in enumerate(self.targets):
            target.refId = chr(ord("A") + number)

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {
            "datasource": DATASOURCE,
            "description": self.description,
            "fieldConfig": {"defaults": self.field.defaults(self.color, self.custom), "overrides": self.overrides},
            "gridPos": self.gridPos,
            "id": self.id,
            "options": self.options,
            "targets": self.targets,
            "title": self.title,
            "transformations": self.transformations,
            "type": self.panel_type,
        }


_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_LEGEND = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_TOOLTIP = {"mode": "multi", "sort": "desc"}
# Rows that are legible in a panel as high as a screen; Grafana from 11 on shows pages, older versions all rows.
_ROWS = 70
_HIDE_FROM = {"legend": False, "tooltip": False, "viz": False}


class Stat(Panel):
    """Single large numbers."""

    panel_type = "stat"
    options: Json = {  # noqa: RUF012
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": _LAST,
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    }


class BarGauge(Panel):
    """One bar per series, for comparison."""

    panel_type = "bargauge"
    options: Json = {  # noqa: RUF012
        "displayMode": "basic",
        "legend": {**_LEGEND, "showLegend": False},
        "maxVizHeight": 40,
        "minVizHeight": 14,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": _LAST,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "text",
    }


class Table(Panel):
    """A table."""

    panel_type = "table"
    custom: Json = {  # noqa: RUF012
        "align": "auto",
        "cellOptions": {"type": "auto"},
        "filterable": True,
        "inspect": False,
    }
    options: Json = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True, "sortBy": []}  # noqa: RUF012


class Trend(Panel):
    """Lines over time."""

    panel_type = "timeseries"
    color = "palette-classic"
    custom: Json = {  # noqa: RUF012
        "axisPlacement": "auto",
        "drawStyle": "line",
        "fillOpacity": 8,
        "gradientMode": "none",
        "hideFrom": _HIDE_FROM,
        "lineInterpolation": "linear",
        "lineWidth": 2,
        "pointSize": 4,
        "scaleDistribution": {"type": "linear"},
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "none"},
        "thresholdsStyle": {"mode": "off"},
    }
    options: Json = {"legend": _LEGEND, "tooltip": _TOOLTIP}  # noqa: RUF012


class StateTimeline(Panel):
    """One row of coloured, labelled spans per series."""

    panel_type = "state-timeline"
    custom: Json = {"fillOpacity": 80, "hideFrom": _HIDE_FROM, "lineWidth": 0}  # noqa: RUF012
    options: Json = {  # noqa: RUF012
        "alignValue": "left",
        "legend": {**_LEGEND, "showLegend": False},
        "mergeValues": True,
        "perPage": _ROWS,
        "rowHeight": 0.85,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }


class StatusHistory(Panel):
    """One row of coloured, labelled cells per series."""

    panel_type = "status-history"
    custom: Json = {"fillOpacity": 80, "hideFrom": _HIDE_FROM, "lineWidth": 1}  # noqa: RUF012
    options: Json = {  # noqa: RUF012
        "colWidth": 0.9,
        "legend": {**_LEGEND, "showLegend": False},
        "perPage": _ROWS,
        "rowHeight": 0.85,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }


class Heading(core.RowPanel):  # type: ignore[misc] # grafanalib has no types
    """The heading of a row; the panels below it follow in the dashboard's own list."""

    def __init__(self, title: str) -> None:
        """Set the title of the row."""
        super().__init__(title=title)

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {
            "collapsed": False,
            "gridPos": self.gridPos,
            "id": self.id,
            "panels": [],
            "title": self.title,
            "type": "row",
        }
