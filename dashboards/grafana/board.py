"""A dashboard, with its variables and annotations."""

from __future__ import annotations

from dataclasses import dataclass

from grafanalib import core

from dashboards.grafana.fields import DATASOURCE, Json

# The schema version of Grafana 10.0; later versions migrate it when they load a dashboard.
SCHEMA_VERSION = 38
# The query type that Grafana's editor sets for a variable of label values.
_LABEL_VALUES = 1


class Variable(core.Template):  # type: ignore[misc] # grafanalib has no types
    """A variable with the values of a label."""

    def __init__(self, name: str, label: str, query: str, *, every: bool, hidden: bool = False) -> None:
        """Offer the values of ``label_values(query, name)``; ``every`` allows several of them and All."""
        super().__init__(name=name, label=label, query=f"label_values({query}, {name})", multi=every, includeAll=every)
        self.metric = query
        self.hide = core.HIDE_VARIABLE if hidden else core.SHOW

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        every = {"allValue": ".*", "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
        return {
            **(every if self.multi else {}),
            "datasource": DATASOURCE,
            "hide": self.hide,
            "includeAll": self.includeAll,
            "label": self.label,
            "multi": self.multi,
            "name": self.name,
            "options": [],
            "query": {
                "qryType": _LABEL_VALUES,
                "query": self.query,
                "refId": "PrometheusVariableQueryEditor-VariableQuery",
            },
            "refresh": core.REFRESH_ON_TIME_RANGE_CHANGE,
            "regex": "",
            "sort": 7,
            "type": "query",
        }


class DatasourceVariable(core.Template):  # type: ignore[misc] # grafanalib has no types
    """The variable that selects the Prometheus data source."""

    def __init__(self) -> None:
        """Offer every Prometheus data source."""
        super().__init__(name="datasource", label="Data source", query="prometheus", type="datasource")

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {
            "hide": core.SHOW,
            "includeAll": False,
            "label": self.label,
            "multi": False,
            "name": self.name,
            "options": [],
            "query": self.query,
            "refresh": core.REFRESH_ON_DASHBOARD_LOAD,
            "regex": "",
            "type": self.type,
        }


class TextVariable(core.Template):  # type: ignore[misc] # grafanalib has no types
    """A text that the user can change."""

    def __init__(self, name: str, label: str, text: str) -> None:
        """Set the default value to ``text``."""
        super().__init__(name=name, label=label, query=text, type="textbox")

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        chosen = {"selected": True, "text": self.query, "value": self.query}
        return {
            "current": chosen,
            "hide": core.SHOW,
            "label": self.label,
            "name": self.name,
            "options": [chosen],
            "query": self.query,
            "type": self.type,
        }


@dataclass(frozen=True, slots=True)
class Annotation:
    """Annotations on the time axis at the values of a query, which are times in milliseconds."""

    name: str
    expr: str
    title: str
    text: str
    color: str

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {
            "datasource": DATASOURCE,
            "enable": True,
            # Grafana up to 11 reads the query here, later versions in the target.
            "expr": self.expr,
            "hide": False,
            "iconColor": self.color,
            "name": self.name,
            "tagKeys": "section,type,datacenter",
            "target": {"datasource": DATASOURCE, "expr": self.expr, "refId": "Anno"},
            "textFormat": self.text,
            "titleFormat": self.title,
            "useValueForTime": True,
        }


class Board(core.Dashboard):  # type: ignore[misc] # grafanalib has no types
    """A dashboard in the current schema."""

    def to_json_data(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {
            "annotations": self.annotations,
            "description": self.description,
            "editable": False,
            "fiscalYearStartMonth": 0,
            "graphTooltip": core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
            "id": None,
            "links": self.links,
            "liveNow": False,
            "panels": self.panels,
            "refresh": self.refresh,
            "schemaVersion": SCHEMA_VERSION,
            "tags": self.tags,
            "templating": self.templating,
            "time": self.time,
            "timepicker": {"refresh_intervals": ["30s", "1m", "5m", "15m", "1h"]},
            "timezone": core.UTC,
            "title": self.title,
            "uid": self.uid,
            "version": 1,
            "weekStart": "",
        }
