"""A whole board, with its variables and annotations."""

from __future__ import annotations

from dataclasses import dataclass

from grafanalib import core

from dashboards.grafana.fields import DATASOURCE, Json

# Grafana 10.0's own; later ones bring it up to date as they load a board.
SCHEMA_VERSION = 38
# How a variable's query of label values is marked by Grafana's own editor.
_LABEL_VALUES = 1


class Variable(core.Template):  # type: ignore[misc] # grafanalib has no types
    """A variable whose values are those of a label."""

    def __init__(self, name: str, label: str, query: str, *, every: bool, hidden: bool = False) -> None:
        """Offer the values of ``label_values(query, name)``, several and All of them where ``every`` is set."""
        super().__init__(name=name, label=label, query=f"label_values({query}, {name})", multi=every, includeAll=every)
        self.metric = query
        self.hide = core.HIDE_VARIABLE if hidden else core.SHOW

    def to_json_data(self) -> Json:
        """Return it as Grafana writes it."""
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
    """The choice of the Prometheus that is asked."""

    def __init__(self) -> None:
        """Offer every Prometheus there is."""
        super().__init__(name="datasource", label="Data source", query="prometheus", type="datasource")

    def to_json_data(self) -> Json:
        """Return it as Grafana writes it."""
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
    """A text that the reader may change."""

    def __init__(self, name: str, label: str, text: str) -> None:
        """Begin with ``text``."""
        super().__init__(name=name, label=label, query=text, type="textbox")

    def to_json_data(self) -> Json:
        """Return it as Grafana writes it."""
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
    """Marks on the time axis where a query has values, each a time in milliseconds."""

    name: str
    expr: str
    title: str
    text: str
    color: str

    def to_json_data(self) -> Json:
        """Return it as Grafana writes it."""
        return {
            "datasource": DATASOURCE,
            "enable": True,
            # Grafana up to 11 reads the query here, later ones in the target.
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
    """A whole board of the current schema."""

    def to_json_data(self) -> Json:
        """Return it as Grafana writes it."""
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
