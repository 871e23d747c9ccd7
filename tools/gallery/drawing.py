"""A board on its grid, each kind of panel drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import dates, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from tests.dashboards.grafana import Board, Grafana, legend, value
from tools.gallery.frames import Cell, Frame, frame
from tools.gallery.wording import COLORS, colored, worded

Json = dict[str, Any]
# Inches: a column of the grid, a row of it, and what is kept free around a panel.
_COLUMN, _ROW, _GAP = 0.62, 0.36, 0.05
_DPI = 100
_LINES = ("#3274d9", "#56a64b", "#ff9830", "#a352cc", "#e02f44", "#37872d", "#8ab8ff", "#fade2a", "#c0d8ff", "#fa6400")
_CHARACTERS_AN_INCH = 14.5
_DAY = 86400


def draw(board: Board, grafana: Grafana, file: Path) -> None:
    """Draw a board as a PNG file."""
    matplotlib.rcParams.update({"font.size": 8, "font.family": "DejaVu Sans", "svg.fonttype": "none"})
    panels = board.json["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * _COLUMN, (rows + 1.5) * _ROW
    figure = Figure(figsize=(width, height), facecolor="#f4f5f5")
    figure.text(0.006, 1 - 0.9 * _ROW / height, board.json["title"], fontsize=13, weight="bold", va="center")
    for panel in panels:
        _place(figure, panel, grafana, (width, height))
    figure.savefig(file, dpi=_DPI)
    Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)


def _place(figure: Figure, panel: Json, grafana: Grafana, size: tuple[float, float]) -> None:
    width, height = size
    grid = panel["gridPos"]
    left, top = grid["x"] * _COLUMN, (grid["y"] + 1.5) * _ROW
    inches = (grid["w"] * _COLUMN - 2 * _GAP, grid["h"] * _ROW - 2 * _GAP)
    if panel["type"] == "row":
        figure.text((left + 0.1) / width, 1 - (top + 0.2) / height, f"v {panel['title']}", fontsize=10, weight="bold")
        return
    corner = ((left + _GAP) / width, 1 - (top + _GAP + inches[1]) / height)
    frame_axes = figure.add_axes((*corner, inches[0] / width, inches[1] / height))
    frame_axes.set(xticks=[], yticks=[], facecolor="white")
    for spine in frame_axes.spines.values():
        spine.set_color("#dcdcdc")
    frame_axes.text(
        0.06 / inches[0],
        1 - 0.17 / inches[1],
        panel["title"],
        weight="bold",
        va="center",
        transform=frame_axes.transAxes,
    )
    _KINDS[panel["type"]](figure, frame_axes, panel, grafana, inches)


def _inner(axes: Axes, figure: Figure, inches: tuple[float, float], margins: tuple[float, float, float, float]) -> Axes:
    """Return axes within a panel, with margins in inches: left, right, top, bottom."""
    box = axes.get_position()
    wide, high = box.width / inches[0], box.height / inches[1]
    left, right, top, bottom = margins
    inner = figure.add_axes(
        (
            box.x0 + left * wide,
            box.y0 + bottom * high,
            (inches[0] - left - right) * wide,
            (inches[1] - top - bottom) * high,
        )
    )
    for spine in inner.spines.values():
        spine.set_visible(False)
    return inner


def _stat(figure: Figure, axes: Axes, panel: Json, grafana: Grafana, inches: tuple[float, float]) -> None:
    field = panel["fieldConfig"]["defaults"]
    found = grafana.result(panel["targets"][0])
    names = [legend(panel["targets"][0], series["metric"]) if len(found) > 1 else "" for series in found]
    cells = [
        (worded(value(series), field), colored(value(series), field), name)
        for series, name in zip(found, names, strict=True)
    ]
    for place, (text, color, name) in enumerate(cells or [(field["noValue"], COLORS["text"], "")]):
        share = 1 / max(len(cells), 1)
        axes.add_patch(
            Rectangle((place * share, 0), share, 1 - 0.32 / inches[1], color=color, transform=axes.transAxes)
        )
        size = min(22.0, 66 * inches[0] * share / max(len(text), 3))
        axes.text(
            (place + 0.5) * share,
            0.5 - 0.16 / inches[1],
            text,
            ha="center",
            va="center",
            fontsize=size,
            color="white",
            weight="bold",
            transform=axes.transAxes,
        )
        axes.text((place + 0.5) * share, 0.08, name, ha="center", fontsize=6, color="white", transform=axes.transAxes)


def _bars(figure: Figure, axes: Axes, panel: Json, grafana: Grafana, inches: tuple[float, float]) -> None:
    field, target = panel["fieldConfig"]["defaults"], panel["targets"][0]
    named = {
        entry["matcher"]["options"]: entry["properties"][0]["value"]["fixedColor"]
        for entry in panel["fieldConfig"]["overrides"]
    }
    bars = [(legend(target, series["metric"]), value(series)) for series in grafana.result(target)]
    longest = max((len(name) for name, _ in bars), default=1)
    inner = _inner(axes, figure, inches, (0.12 + longest / _CHARACTERS_AN_INCH, 0.75, 0.35, 0.08))
    top = field.get("max") or max((number for _, number in bars), default=1) or 1
    for place, (name, number) in enumerate(bars):
        color = COLORS[named[name]] if name in named else colored(number, field)
        inner.barh(place, top, color="#eeeeee", height=0.7)
        inner.barh(place, number, color=color, height=0.7)
        inner.text(top * 1.02, place, worded(number, field), va="center", fontsize=7.5)
    inner.set(yticks=range(len(bars)), yticklabels=[name for name, _ in bars], xticks=[], xlim=(0, top))
    inner.tick_params(length=0)
    inner.invert_yaxis()


def _table(figure: Figure, axes: Axes, panel: Json, grafana: Grafana, inches: tuple[float, float]) -> None:
    found = frame(panel, grafana)
    inner = _inner(axes, figure, inches, (0.08, 0.08, 0.32, 0.05))
    high, line = inches[1] - 0.37, 0.225
    inner.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(high, 0))
    if not found.rows:
        inner.text(0.5, high / 2, panel["fieldConfig"]["defaults"]["noValue"], ha="center", color="#777777")
        return
    edges = _edges(found)
    for place, (title, _) in enumerate(found.columns):
        inner.text(edges[place], line / 2, title, va="center", weight="bold", color="#3274d9", fontsize=7.5)
    for number, row in enumerate(found.rows[: int(high / line) - 1], start=1):
        inner.axhline(number * line, color="#eeeeee", linewidth=0.6)
        for place, cell in enumerate(row):
            _cell(inner, cell, found.columns[place][1], (edges[place], edges[place + 1]), (number * line, line))


def _cell(inner: Axes, cell: Cell, field: Json, across: tuple[float, float], down: tuple[float, float]) -> None:
    """Write a cell that reaches from one edge to the other, and from a height down by a line."""
    style = (field.get("custom.cellOptions") or field.get("custom", {}).get("cellOptions") or {}).get("type")
    top, line = down
    color = "#222222"
    if isinstance(cell, float) and style in ("color-background", "color-text", "gauge"):
        color = colored(cell, field)
    if isinstance(cell, float) and style == "color-background":
        inner.add_patch(
            Rectangle((across[0] - 0.004, top + 0.015), across[1] - across[0] - 0.004, line - 0.03, color=color)
        )
        color = "#222222" if color in (COLORS["super-light-yellow"], COLORS["yellow"]) else "white"
    if isinstance(cell, float) and field.get("links") and style is None:
        color = "#1f60c4"
    text = worded(cell, field) if isinstance(cell, float) else cell or ""
    inner.text(across[0], top + line / 2, text, va="center", color=color, fontsize=7.5)


def _edges(found: Frame) -> list[float]:
    """Return where columns begin, by the width of what is in them, and where the last one ends."""
    widths = []
    for place, (title, field) in enumerate(found.columns):
        cells = [row[place] for row in found.rows]
        texts = [worded(cell, field) if isinstance(cell, float) else cell or "" for cell in cells]
        widths.append(max([len(title), *map(len, texts)]) + 3)
    edges = [0.006]
    for width in widths:
        edges.append(edges[-1] + width / sum(widths) * 0.994)
    return edges


def _times(series: Json) -> tuple[list[float], list[float]]:
    """Return moments as matplotlib counts them, days since 1970, and values."""
    points = series["values"]
    return [at / _DAY for at, _ in points], [float(text) for _, text in points]


def _time_axis(inner: Axes, grafana: Grafana) -> None:
    inner.set_xlim((grafana.now - grafana.board.span) / _DAY, grafana.now / _DAY)
    locator = dates.AutoDateLocator(minticks=3, maxticks=7)
    inner.xaxis.set_major_locator(locator)
    inner.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    inner.xaxis.get_offset_text().set_visible(False)
    inner.tick_params(labelsize=7, length=0)


def _trend(figure: Figure, axes: Axes, panel: Json, grafana: Grafana, inches: tuple[float, float]) -> None:
    field = panel["fieldConfig"]["defaults"]
    found = [
        (legend(target, series["metric"]), *_times(series))
        for target in panel["targets"]
        for series in grafana.result(target)
    ]
    longest = max((len(name) for name, *_ in found), default=1)
    columns = max(1, min(6, len(found), int(inches[0] * 13 / (longest + 5))))
    lines = min(4, -(-len(found) // columns))
    inner = _inner(axes, figure, inches, (0.72, 0.12, 0.36, 0.3 + 0.145 * lines))
    styles = {
        entry["matcher"]["options"]: {prop["id"]: prop["value"] for prop in entry["properties"]}
        for entry in panel["fieldConfig"]["overrides"]
    }
    by_name = {name: (moments, numbers) for name, moments, numbers in found}
    if field["custom"]["stacking"]["mode"] == "normal" and found:
        _stacked(inner, found, styles)
    else:
        for place, (name, moments, numbers) in enumerate(found):
            style = styles.get(name, {})
            color = COLORS[style["color"]["fixedColor"]] if "color" in style else _LINES[place % len(_LINES)]
            dashed = "custom.lineStyle" in style
            width = 0.0 if style.get("custom.lineWidth") == 0 else 1.0 if dashed else 1.5
            line, marker = "--" if dashed else "-", "o" if len(numbers) < 3 else ""
            inner.plot(moments, numbers, color=color, linewidth=width, linestyle=line, marker=marker, label=name)
            below = by_name.get(style.get("custom.fillBelowTo", ""))
            if below and len(below[1]) == len(numbers):
                inner.fill_between(moments, below[1], numbers, color=color, alpha=0.15, linewidth=0)
    inner.grid(color="#eeeeee", linewidth=0.7)
    if field.get("decimals") == 0 and field["unit"] == "short":
        inner.yaxis.set_major_locator(ticker.MaxNLocator(nbins=6, integer=True))
    if field.get("min") is not None:
        inner.set_ylim(field["min"], max(inner.get_ylim()[1], field["min"] + 1e-9))
    inner.yaxis.set_major_formatter(lambda number, _: worded(number, field))
    _time_axis(inner, grafana)
    if found:
        handles, labels = inner.get_legend_handles_labels()
        fits = columns * lines
        figure.legend(
            handles[:fits],
            labels[:fits],
            loc="upper left",
            bbox_to_anchor=(inner.get_position().x0, inner.get_position().y0 - 0.2 / figure.get_size_inches()[1]),
            ncols=columns,
            fontsize=6.5,
            frameon=False,
            handlelength=1.2,
            borderpad=0,
        )


def _stacked(inner: Axes, found: list[tuple[str, list[float], list[float]]], styles: dict[str, Json]) -> None:
    moments = sorted({moment for _, times, _ in found for moment in times})
    layers = []
    for _, times, numbers in found:
        known = dict(zip(times, numbers, strict=True))
        layers.append([known.get(moment, 0.0) for moment in moments])
    colors = [
        COLORS[styles[name]["color"]["fixedColor"]] if name in styles else _LINES[place % len(_LINES)]
        for place, (name, *_) in enumerate(found)
    ]
    inner.stackplot(moments, *layers, labels=[name for name, *_ in found], colors=colors, alpha=0.75)


def _spans(figure: Figure, axes: Axes, panel: Json, grafana: Grafana, inches: tuple[float, float]) -> None:
    field, target = panel["fieldConfig"]["defaults"], panel["targets"][0]
    rows = sorted((legend(target, series["metric"]), *_times(series)) for series in grafana.result(target))
    longest = max((len(name) for name, *_ in rows), default=1)
    inner = _inner(axes, figure, inches, (0.15 + longest / _CHARACTERS_AN_INCH, 0.12, 0.36, 0.3))
    step = grafana.step / _DAY
    for place, (_, moments, numbers) in enumerate(rows):
        begun = 0
        for index in range(1, len(numbers) + 1):
            if index == len(numbers) or numbers[index] != numbers[begun]:
                begin, end = moments[begun], moments[index - 1]
                color = colored(numbers[begun], field)
                inner.broken_barh([(begin, end - begin + step)], (place - 0.42, 0.84), color=color, linewidth=0)
                text = worded(numbers[begun], field)
                if (end - begin + step) / (grafana.board.span / _DAY) > (len(text) + 2) / (inches[0] * 11) and len(
                    rows
                ) < 80:
                    inner.text(begin + step, place, text, va="center", fontsize=6, color="white", clip_on=True)
                begun = index
    inner.set(yticks=range(len(rows)), yticklabels=[name for name, *_ in rows], ylim=(len(rows) - 0.5, -0.5))
    _time_axis(inner, grafana)


_KINDS: dict[str, Callable[[Figure, Axes, Json, Grafana, tuple[float, float]], None]] = {
    "stat": _stat,
    "bargauge": _bars,
    "table": _table,
    "timeseries": _trend,
    "state-timeline": _spans,
    "status-history": _spans,
}
