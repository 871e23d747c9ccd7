"""Every query of every board, on a real Prometheus with two exporters scraped, their past and the rules."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from bernard_exporter.catalogue import CATALOGUE
from tests.dashboards.grafana import Board, Grafana, Json, committed, legend
from tests.dashboards.world import World

BOARDS = committed()
OF_INVENTORY = [board for board in BOARDS if board.uid != "bernard-exporter"]
# A metric of the catalogue in PromQL, with the brace of its matchers; a recorded series' name has a colon before it.
METRIC = re.compile(r"(?<![:\w])(" + "|".join(metric.name for metric in CATALOGUE) + r")\b(\{)?")


def named(board: Board) -> str:
    return board.uid


def complaints(board: Board, grafana: Grafana, panel: Json, target: Json) -> list[str]:
    """Return what is wrong with what a query answers."""
    series = grafana.result(target)
    where = f"{board.uid}, {panel['title']}, {target['refId']}"
    if not series:
        return [f"{where}: nothing found by {grafana.filled_in(target['expr'])}"]
    wrong = []
    if len(series) > board.budgets[panel["id"]]:
        wrong.append(f"{where}: {len(series)} series, expected at most {board.budgets[panel['id']]}")
    wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    if panel["type"] != "table":
        wrong += [
            f"{where}: {one['metric']} lacks a label of {wanted}" for one in series if wanted - set(one["metric"])
        ]
        twice = [name for name, times in Counter(legend(target, one["metric"]) for one in series).items() if times > 1]
        wrong += [f"{where}: {name!r} stands for several series" for name in twice]
    if board in OF_INVENTORY:
        wrong += [f"{where}: {one['metric']} tells exporters apart" for one in series if "instance" in one["metric"]]
    return wrong


@pytest.mark.parametrize("board", BOARDS, ids=named)
def test_each_query_finds_what_its_panel_is_about(scraped: World, board: Board) -> None:
    grafana = Grafana(scraped.address, board)
    wrong = [text for panel, target in board.queries() for text in complaints(board, grafana, panel, target)]
    assert wrong == []
