"""The queries of the dashboards give the same results in another store that Prometheus writes to."""

from __future__ import annotations

import re
import time

import pytest

from tests.dashboards.grafana import Board, Grafana, committed, value
from tests.dashboards.test_queries import LOOKS_BACK
from tests.dashboards.world import World

BOARDS = committed()
# VictoriaMetrics works out rates and predictions from the samples alone, Prometheus goes on to the window's ends.
EXTRAPOLATES = re.compile(r"\b(rate|increase|delta|deriv|predict_linear)\(")
# Which of several alike are among the first few is each store's own choice.
CHOOSES = re.compile(r"\b(topk|bottomk)\(")


def answers(address: str, board: Board, moment: float) -> dict[tuple[str, str], dict[object, float]]:
    """Return the result of each instant query at a time, by panel and query."""
    grafana = Grafana(address, board)
    grafana.now = moment
    found: dict[tuple[str, str], dict[object, float]] = {}
    for panel, target in board.queries():
        if target["instant"] and not LOOKS_BACK.search(target["expr"]) and not EXTRAPOLATES.search(target["expr"]):
            answer: dict[object, float] = {
                frozenset(series["metric"].items()): value(series) for series in grafana.result(target)
            }
            chosen = CHOOSES.search(target["expr"])
            found[panel["title"], target["refId"]] = dict(enumerate(sorted(answer.values()))) if chosen else answer
    return found


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_queries_of_a_board_are_answered_equally_by_victoria_metrics(scraped: World, board: Board) -> None:
    def alike() -> bool:
        moment = round(time.time() - 10, 3)
        here, there = (answers(address, board, moment) for address in (scraped.address, scraped.elsewhere))
        # Ten seconds ago the rules may not have recorded everything yet.
        silent = [f"{name}: nothing" for name, found in here.items() if not found]
        wrong[:] = silent
        wrong.extend(
            f"{name}: {there[name]}, expected {found}"
            for name, found in here.items()
            if there[name] != pytest.approx(found, rel=1e-6, abs=1e-3)
        )
        return not wrong

    wrong: list[str] = []
    deadline = time.monotonic() + 30
    # What was scraped arrives within seconds.
    while not alike() and time.monotonic() < deadline:
        time.sleep(1)
    assert wrong == []
