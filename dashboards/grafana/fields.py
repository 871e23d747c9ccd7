"""How values are shown: units, thresholds, mappings, links, and overrides of single fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
EMPTY_CELL = "-"
DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}


def _without_none(values: Json) -> Json:
    return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Step:
    """A threshold: the colour from a value upwards; with None, the base colour below all others."""

    value: float | None
    color: str

    def json(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {"color": self.color, "value": self.value}


@dataclass(frozen=True, slots=True)
class Link:
    """A link on a value; the URL may use ``${__data.fields...}``, ``${__value.raw}`` and ``${__field.labels...}``."""

    title: str
    url: str

    def json(self) -> Json:
        """Return the object in Grafana's JSON format."""
        return {"targetBlank": False, "title": self.title, "url": self.url}


@dataclass(frozen=True, slots=True)
class Field:
    """How values are shown.

    Attributes:
        unit: one of Grafana's units.
        steps: thresholds, lowest first.
        mappings: value to text and colour, by the value as text.
        no_value: text shown where there is no value.
    """

    unit: str
    steps: tuple[Step, ...]
    mappings: tuple[tuple[str, str, str], ...] = ()
    no_value: str = "no data"
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    links: tuple[Link, ...] = ()

    def mapped(self) -> list[Json]:
        """Return the mappings in Grafana's JSON format."""
        options = {
            value: {"color": color, "index": index, "text": text}
            for index, (value, text, color) in enumerate(self.mappings)
        }
        return [{"options": options, "type": "value"}] if options else []

    def thresholds(self) -> Json:
        """Return the thresholds in Grafana's JSON format."""
        return {"mode": "absolute", "steps": [step.json() for step in self.steps]}

    def defaults(self, color: str, custom: Json) -> Json:
        """Return the configuration of a panel's fields."""
        return _without_none(
            {
                "color": {"mode": color},
                "custom": custom,
                "decimals": self.decimals,
                "links": [link.json() for link in self.links],
                "mappings": self.mapped(),
                "max": self.maximum,
                "min": self.minimum,
                "noValue": self.no_value,
                "thresholds": self.thresholds(),
                "unit": self.unit,
            }
        )

    def properties(self) -> list[Json]:
        """Return the same as properties of an override, for one column of a table."""
        values = {
            "unit": self.unit,
            "decimals": self.decimals,
            # Otherwise each empty cell would show the panel's text for no rows.
            "noValue": EMPTY_CELL,
            "thresholds": self.thresholds(),
            "mappings": self.mapped() or None,
            "links": [link.json() for link in self.links] or None,
            "min": self.minimum,
            "max": self.maximum,
        }
        return [{"id": key, "value": value} for key, value in _without_none(values).items()]


def override(matcher: str, of: str, properties: Sequence[Json]) -> Json:
    """Return an override of the fields that a matcher, such as ``byName``, selects."""
    return {"matcher": {"id": matcher, "options": of}, "properties": list(properties)}
