"""Values as Grafana words them: units, mappings to text and colour, thresholds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
COLORS = {
    "green": "#56a64b",
    "yellow": "#f2cc0c",
    "super-light-yellow": "#ffee52",
    "orange": "#ff780a",
    "dark-orange": "#e55400",
    "red": "#e02f44",
    "dark-red": "#ad0317",
    "purple": "#a352cc",
    "blue": "#3274d9",
    "semi-dark-blue": "#1f60c4",
    "text": "#8e8e8e",
}
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_TIMES = ((86400 * 7, "weeks"), (86400, "days"), (3600, "hours"), (60, "mins"), (1, "s"), (0, "ms"))


def _bytes(value: float, decimals: int | None) -> str:
    place = 0
    while abs(value) >= 1024 and place < len(_BINARY) - 1:
        value, place = value / 1024, place + 1
    return f"{value:.{1 if decimals is None else decimals}f} {_BINARY[place]}"


def _seconds(value: float) -> str:
    size, unit = next(pair for pair in _TIMES if abs(value) >= pair[0])
    return f"{value / size:.1f} {unit}" if size else f"{value * 1000:.0f} ms"


def _number(value: float, decimals: int | None) -> str:
    for size, unit in ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K")):
        if abs(value) >= size:
            return f"{value / size:.2f}{unit}"
    return f"{value:.{decimals or 0}f}" if decimals is not None else f"{value:g}"


def worded(value: float, field: Json) -> str:
    """Return a value in the words of a field's mappings, or in its unit."""
    mapping = _mapped(value, field)
    if mapping:
        return str(mapping["text"])
    unit, decimals = field.get("unit"), field.get("decimals")
    if unit == "bytes":
        return _bytes(value, decimals)
    if unit == "s":
        return _seconds(value)
    if unit == "d":
        return f"{value:.0f} days"
    if unit == "percentunit":
        return f"{value * 100:.{1 if decimals is None else decimals}f} %"
    if unit == "dateTimeAsIso":
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M}"
    if unit == "none":
        return f"{value:.0f}"
    return _number(value, decimals) + {"cpm": " /min", "ops": " /s"}.get(str(unit), "")


def colored(value: float, field: Json) -> str:
    """Return the colour of a value by the mappings, or by the thresholds of a field."""
    mapping = _mapped(value, field)
    if mapping:
        return COLORS[mapping["color"]]
    found = "text"
    for step in field.get("thresholds", {}).get("steps", ()):
        if step["value"] is None or value >= step["value"]:
            found = step["color"]
    return COLORS[found]


def _mapped(value: float, field: Json) -> Json | None:
    for mapping in field.get("mappings") or ():
        found: Json | None = mapping["options"].get(f"{value:g}")
        if found:
            return found
    return None
