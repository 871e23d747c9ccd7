"""Dashboards as Grafana evaluates them: variables replaced, queries run, and series named by legends."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.render import FOLDER, boards
from testing import plain_http

Json = dict[str, Any]
# What Grafana assumes of a data source that does not say how often it scrapes, seconds.
_SCRAPE = 15
_UNITS = {"s": 1, "h": 3600, "d": 86400}
_REGEX = re.compile(r"[\\^$*+?.()|\[\]{}/]")


@dataclass(frozen=True)
class Board:
    """A committed dashboard."""

    json: Json
    budgets: Mapping[int, int]

    @property
    def uid(self) -> str:
        uid: str = self.json["uid"]
        return uid

    @property
    def panels(self) -> list[Json]:
        return [panel for panel in self.json["panels"] if panel["type"] != "row"]

    @property
    def variables(self) -> list[Json]:
        found: list[Json] = self.json["templating"]["list"]
        return found

    @property
    def span(self) -> int:
        """How many seconds the board shows."""
        number, unit = re.fullmatch(r"now-(\d+)([shd])", self.json["time"]["from"]).groups()  # type: ignore[union-attr]
        return int(number) * _UNITS[unit]

    def queries(self) -> Iterator[tuple[Json, Json]]:
        for panel in self.panels:
            for target in panel["targets"]:
                yield panel, target


def committed() -> list[Board]:
    """Return every board that is committed, with the budgets of its panels by their ids."""
    return [
        Board(
            json.loads((FOLDER / f"{board.uid}.json").read_text()),
            {panel.id: panel.budget for panel in board.panels if hasattr(panel, "budget")},
        )
        for board in boards()
    ]


class Grafana:
    """Queries Prometheus as Grafana does, with selected or default values of the dashboard's variables."""

    def __init__(
        self, address: str, board: Board, chosen: Mapping[str, list[str]] | None = None, points: int = 60
    ) -> None:
        self.address = address
        self.board = board
        self.points = points
        self.now = time.time()
        self.texts: dict[str, str] = {}
        for variable in board.variables:
            self.texts[variable["name"]] = self._text(variable, (chosen or {}).get(variable["name"]))

    def _text(self, variable: Json, chosen: list[str] | None) -> str:
        if variable["type"] != "query":
            return str(variable["query"])
        if not variable["multi"]:
            return (chosen or self.options(variable))[0]
        if chosen is None:
            return str(variable["allValue"])
        escaped = [_REGEX.sub(r"\\\\\g<0>", value) for value in chosen]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    def options(self, variable: Json) -> list[str]:
        """Return the values of a variable, by the query Grafana uses for ``label_values(SERIES, LABEL)``."""
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert found, variable
        answer = self._get(f"label/{found[2]}/values", {"match[]": self.filled_in(found[1])})
        assert answer, variable
        return [str(value) for value in answer]

    @property
    def step(self) -> int:
        return max(self.board.span // self.points, _SCRAPE)

    def filled_in(self, text: str) -> str:
        """Return a query with its variables replaced; an unknown one stays, and Prometheus refuses it."""
        built_in = {
            "__rate_interval": f"{max(self.step + _SCRAPE, 4 * _SCRAPE)}s",
            "__interval": f"{self.step}s",
            "__range": f"{self.board.span}s",
        }
        known = {**self.texts, **built_in}
        return re.sub(
            r"\$(\w+)|\$\{(\w+)(?::\w+)?\}",
            lambda match: known.get(match[1] or match[2], match[0]),
            text,
        )

    def result(self, target: Json, expr: str | None = None) -> list[Json]:
        """Return the series that a query answers."""
        query = self.filled_in(expr or target["expr"])
        if target["instant"]:
            answer = self._get("query", {"query": query, "time": self.now})
        else:
            span = {"start": self.now - self.board.span, "end": self.now, "step": self.step}
            answer = self._get("query_range", {"query": query, **span})
        series: list[Json] = answer["result"]
        return series

    def annotation(self, annotation: Json) -> list[Json]:
        """Return the series an annotation is made from."""
        return self.result({"instant": False, "expr": annotation["target"]["expr"]})

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        url = f"http://{self.address}/api/v1/{path}"
        if path.startswith("query"):
            said = plain_http.post(url, data=dict(params), timeout=60).json()
        else:
            said = plain_http.get(url, params=dict(params), timeout=60).json()
        assert said["status"] == "success", (params, said)
        return said["data"]


def legend(target: Json, labels: Mapping[str, str]) -> str:
    """Return the name of a series by the legend of its query; a label it lacks shows as nothing."""
    template: str = target["legendFormat"]
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), template)


def value(series: Json) -> float:
    """Return the newest value of a series."""
    return float(series["value"][1] if "value" in series else series["values"][-1][1])
