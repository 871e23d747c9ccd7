"""Tables as Grafana makes them of instant queries: merged and arranged, or turned into a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.dashboards.grafana import Grafana, value

Json = dict[str, Any]
Cell = float | str | None


@dataclass(frozen=True)
class Frame:
    """Columns, each with how it is shown, and rows."""

    columns: list[tuple[str, Json]]
    rows: list[list[Cell]]


def frame(panel: Json, grafana: Grafana) -> Frame:
    """Return what a table shows."""
    if panel["transformations"][0]["id"] == "groupingToMatrix":
        return _matrix(panel, grafana)
    return _merged(panel, grafana)


def _matrix(panel: Json, grafana: Grafana) -> Frame:
    grouping = panel["transformations"][0]["options"]
    row, column = grouping["rowField"], grouping["columnField"]
    cells = {
        (series["metric"][row], series["metric"][column]): value(series)
        for series in grafana.result(panel["targets"][0])
    }
    names = sorted({place for _, place in cells})
    field = panel["fieldConfig"]["defaults"]
    rows: list[list[Cell]] = [
        [name, *(cells.get((name, place)) for place in names)] for name in sorted({name for name, _ in cells})
    ]
    return Frame([(f"{row}\\{column}", {}), *((name, field) for name in names)], rows)


def _merged(panel: Json, grafana: Grafana) -> Frame:
    arranged = panel["transformations"][1]["options"]
    rows: dict[tuple[str, ...], dict[str, Cell]] = {}
    places: dict[str, int] = arranged["indexByName"]
    order = sorted(places, key=lambda name: places[name])
    keys = [key for key in order if not key.startswith("Value")]
    further: list[str] = []
    for target in panel["targets"]:
        name = f"Value #{target['refId']}" if len(panel["targets"]) > 1 else "Value"
        for series in grafana.result(target):
            labels = series["metric"]
            row = rows.setdefault(tuple(labels.get(key, "") for key in keys), {})
            row.update(labels)
            row[name] = value(series)
            further += [label for label in labels if label not in keys and label not in further]
    shown = [name for name in order if name not in arranged["excludeByName"]] + further
    fields = _fields(panel)
    columns = [(arranged["renameByName"].get(name, name), name) for name in shown]
    table = Frame(
        [(title, fields.get(title, {})) for title, _ in columns],
        [[row.get(name) for _, name in columns] for row in rows.values()],
    )
    return _sorted(table, panel)


def _fields(panel: Json) -> dict[str, Json]:
    """Return how each column is shown, by its title."""
    return {
        entry["matcher"]["options"]: {prop["id"]: prop["value"] for prop in entry["properties"]}
        for entry in panel["fieldConfig"]["overrides"]
    }


def _sorted(table: Frame, panel: Json) -> Frame:
    (order,) = panel["options"]["sortBy"]
    place = [title for title, _ in table.columns].index(order["displayName"])

    def key(row: list[Cell]) -> tuple[bool, Any]:
        return (row[place] is None, row[place])

    known = sorted((row for row in table.rows if row[place] is not None), key=key, reverse=order["desc"])
    return Frame(table.columns, known + [row for row in table.rows if row[place] is None])
