"""Every query of every dashboard, on a real Prometheus with two exporters, their history and the rules."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from bernard_exporter.metrics import catalogue as c
from bernard_exporter.metrics.catalogue import CATALOGUE
from testing import plain_http
from tests.dashboards.grafana import Board, Grafana, Json, committed, legend, value
from tests.dashboards.world import PAST, World

BOARDS = committed()
OF_INVENTORY = [board for board in BOARDS if board.uid != "bernard-exporter"]
# A metric of the catalogue in PromQL, with the brace of its matchers; a recorded series' name has a colon before it.
METRIC = re.compile(r"(?<![:\w])(" + "|".join(metric.name for metric in CATALOGUE) + r")\b(\{)?")

# The backfilled samples have the instance of a third exporter.
LOOKS_BACK = re.compile(r"\[30d:|offset 30d")
# The files of old runs are not counted once more for the sake of the past.
WITHOUT_PAST = {metric.name for metric in (c.LAST_SUCCESS_FILES, c.LAST_SUCCESS_OBJECTS, c.LAST_SUCCESS_OBJECTS_CHANGE)}


def of_one(expr: str, instance: str) -> str:
    """Return a query of one exporter's samples."""

    def only(found: re.Match[str]) -> str:
        return f'{found[1]}{{instance="{instance}"{"," if found[2] else "}"}'

    return METRIC.sub(only, expr)


def named(board: Board) -> str:
    return board.uid


def complaints(board: Board, grafana: Grafana, panel: Json, target: Json) -> list[str]:
    """Return the problem with the result of a query."""
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


@pytest.mark.parametrize("board", OF_INVENTORY, ids=named)
def test_a_second_exporter_doubles_nothing(scraped: World, board: Board) -> None:
    grafana = Grafana(scraped.address, board)
    wrong = []
    for panel, target in board.queries():
        if not target["instant"] or LOOKS_BACK.search(target["expr"]):
            continue
        alone = of_one(target["expr"], scraped.exporters[0])
        both, one = (
            {frozenset(series["metric"].items()): value(series) for series in grafana.result(target, expr)}
            for expr in (None, alone)
        )
        if both != pytest.approx(one, rel=1e-6, abs=5):
            wrong.append(f"{panel['title']}, {target['refId']}: {both}, expected as by one exporter {one}")
    assert wrong == []


@pytest.mark.parametrize("board", OF_INVENTORY, ids=named)
def test_what_is_shown_over_time_reaches_back_to_the_past(scraped: World, board: Board) -> None:
    grafana = Grafana(scraped.address, board)
    wrong = []
    for panel, target in board.queries():
        asked = {found[1] for found in METRIC.finditer(target["expr"])}
        if not target["instant"] and not asked & WITHOUT_PAST:
            first = min(series["values"][0][0] for series in grafana.result(target))
            if grafana.now - first < min(board.span, PAST.total_seconds()) * 0.9:
                wrong.append(f"{panel['title']}, {target['refId']}: begins only {grafana.now - first:.0f} s ago")
    assert wrong == []


@pytest.mark.parametrize("board", OF_INVENTORY, ids=named)
def test_chosen_jobs_are_the_only_ones_shown(scraped: World, board: Board) -> None:
    chosen = {"section": ["s1", "s2"], "type": ["dump"], "datacenter": ["eqiad"]}
    if board.uid == "bernard-job":
        chosen["section"] = ["s1"]
    grafana = Grafana(scraped.address, board, chosen)
    wrong = []
    for panel, target in board.queries():
        for series in grafana.result(target):
            # An alert on the exporter is about no job, and shown whatever is chosen.
            others = {label for label, values in chosen.items() if series["metric"].get(label, values[0]) not in values}
            if others:
                wrong.append(f"{panel['title']}, {target['refId']}: {series['metric']}")
    assert wrong == []


@pytest.mark.parametrize("board", BOARDS, ids=named)
def test_each_variable_offers_what_there_is(scraped: World, board: Board) -> None:
    grafana = Grafana(scraped.address, board)
    jobs = [status.job for status in scraped.snapshot.jobs]
    there = {
        "section": {job.section for job in jobs},
        "type": {job.type for job in jobs},
        "datacenter": {job.datacenter for job in jobs},
        "job": {"bernard"},
        "instance": {*scraped.exporters},
    }
    if board.uid == "bernard-job":
        section = sorted(there["section"])[0]
        there["type"] = {job.type for job in jobs if job.section == section}
        there["datacenter"] = {
            job.datacenter for job in jobs if job.section == section and job.type == min(there["type"])
        }
    offered = {
        variable["name"]: set(grafana.options(variable)) for variable in board.variables if variable["type"] == "query"
    }
    assert offered == {name: there[name] for name in offered}


def test_failures_are_marked_when_they_had_begun(scraped: World) -> None:
    overview = next(board for board in BOARDS if board.uid == "bernard-overview")
    grafana = Grafana(scraped.address, overview)
    marked = grafana.annotation(overview.json["annotations"]["list"][0])
    newest = {
        tuple(series["metric"][label] for label in ("section", "type", "datacenter")): value(series)
        for series in marked
    }
    for status in scraped.snapshot.jobs:
        if status.attempt and status.attempt.status == "failed":
            assert status.attempt.start
            assert newest[status.job] == status.attempt.start.timestamp() * 1000
    assert all("instance" not in series["metric"] for series in marked)


def test_links_lead_to_pages_that_the_exporter_has(scraped: World) -> None:
    status = next(status for status in scraped.snapshot.jobs if status.newest)
    assert status.newest
    values = {
        "${__value.raw}": str(status.newest.id),
        **{f"${{__data.fields.{label}}}": value for label, value in status.job._asdict().items()},
        **{f"${{__field.labels.{label}}}": value for label, value in status.job._asdict().items()},
        "${__data.fields[0]}": status.job.section,
        "${__field.name}": f"{status.job.type}/{status.job.datacenter}",
        **{f"${label}": value for label, value in status.job._asdict().items()},
        "${exporter:raw}": f"http://{scraped.exporters[0]}",
    }
    found = set()
    for board in BOARDS:
        for link in re.findall(r'"url": "([^"]+)"', json.dumps(board.json)):
            if link.startswith("${exporter:raw}"):
                for name, text in values.items():
                    link = link.replace(name, text)
                found.add(link)
    assert len(found) > 5
    assert {link: plain_http.get(link).status_code for link in found} == dict.fromkeys(found, 200)
