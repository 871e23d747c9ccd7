"""Rules for the committed JSON, including those of Grafana's dashboard-linter."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations

import pytest

from bernard_exporter.domain.model import State, Status
from bernard_exporter.metrics.catalogue import CATALOGUE
from dashboards.board import board as make_board
from dashboards.grafana.fields import Field
from dashboards.layout import Shelf, even
from dashboards.panels import PLAIN, number
from dashboards.states import STATE_MAPPING, STATUS_MAPPING
from tests.dashboards.grafana import Board, Json, committed

BOARDS = {board.uid: board for board in committed()}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
BUILT_IN = {"__all", "__rate_interval", "__url_time_range", "__value", "__field", "__data"}


@pytest.fixture(params=sorted(BOARDS))
def board(request: pytest.FixtureRequest) -> Board:
    return BOARDS[request.param]


def test_the_boards_are_the_five_that_are_promised() -> None:
    assert sorted(BOARDS) == [f"bernard-{name}" for name in ("exporter", "job", "overview", "runs", "storage")]


def test_each_board_says_what_every_board_says(board: Board) -> None:
    said = {key: board.json[key] for key in ("timezone", "editable", "refresh", "id", "schemaVersion", "graphTooltip")}
    refresh = "5m" if board.uid == "bernard-storage" else "1m"
    assert said == {
        "timezone": "utc",
        "editable": False,
        "refresh": refresh,
        "id": None,
        "schemaVersion": 38,
        "graphTooltip": 1,
    }
    assert "bernard" in board.json["tags"]
    assert board.json["title"].startswith("Bernard / ")
    assert board.json["description"].endswith(("?", "."))


def test_each_board_has_the_variables_that_links_carry(board: Board) -> None:
    names = [variable["name"] for variable in board.variables]
    assert names[0] == "datasource"
    assert {"section", "type", "datacenter", "exporter"} <= set(names)
    one_job = board.uid == "bernard-job"
    for variable in board.variables:
        if variable["type"] == "query":
            assert variable["datasource"] == DATASOURCE
            assert variable["multi"] == variable["includeAll"] == (not one_job)
            assert set(variable["query"]) == {"query", "refId", "qryType"}
            assert variable["label"]
    assert board.variables[0]["type"] == "datasource"
    assert board.variables[0]["query"] == "prometheus"


def test_every_variable_that_is_used_is_defined(board: Board) -> None:
    defined = {variable["name"] for variable in board.variables} | BUILT_IN
    texts = re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(board.json))
    used = {found[0] or found[1] for text in texts for found in re.findall(r"\$(\w+)|\$\{(\w+)", text)}
    assert used <= defined


def test_every_query_asks_the_chosen_data_source(board: Board) -> None:
    sources = [panel["datasource"] for panel in board.panels]
    sources += [target["datasource"] for _, target in board.queries()]
    sources += [annotation["datasource"] for annotation in board.json["annotations"]["list"]]
    assert all(source == DATASOURCE for source in sources)


def test_every_query_is_for_the_chosen_jobs_or_the_chosen_exporters(board: Board) -> None:
    wanted = ("job", "instance") if board.uid == "bernard-exporter" else ("section", "type", "datacenter")
    wrong = []
    for panel, target in board.queries():
        for name, inside in re.findall(r"([a-z0-9_:]+)\{([^}]*)\}", target["expr"]):
            labels = ("type",) if name.startswith("bernard_storage_") else wanted
            wrong += [(panel["title"], name, label) for label in labels if f'{label}=~"${label}' not in inside]
    assert wrong == []


def test_no_query_of_the_inventory_distinguishes_exporters(board: Board) -> None:
    if board.uid != "bernard-exporter":
        assert [
            target["expr"] for _, target in board.queries() if re.search(r"\b(instance|job)\b", target["expr"])
        ] == []


def test_every_rate_is_over_the_rate_interval_and_of_a_counter(board: Board) -> None:
    counters = {metric.name for metric in CATALOGUE if metric.kind == "counter"}
    for _, target in board.queries():
        for function, name, window in re.findall(
            r"\b(rate|irate|increase)\((\w+)\{[^}]*\}\[([^\]]+)\]", target["expr"]
        ):
            assert (function != "irate", window) == (True, "$__rate_interval")
            assert name in counters or name.endswith("_total")
        plain = re.sub(r"\b(rate|increase)\([^\[]*\[[^\]]+\]\)", "", target["expr"])
        assert not [name for name in counters if re.search(rf"\b{name}\b", plain)]


def test_every_queried_metric_is_in_the_catalogue(board: Board) -> None:
    known = {metric.name for metric in CATALOGUE}
    asked = {
        name for _, target in board.queries() for name in re.findall(r"(?<![:\w])bernard_\w+(?![:\w])", target["expr"])
    }
    assert asked <= known
    assert asked


def test_every_panel_says_what_it_is_and_how_to_read_it(board: Board) -> None:
    for panel in board.panels:
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


def shown(panel: Json) -> Iterator[tuple[str, set[str]]]:
    """Yield what shows numbers, and which properties of it are set."""
    defaults = set(panel["fieldConfig"]["defaults"])
    if panel["type"] != "table" or not panel["transformations"] or panel["transformations"][0]["id"] != "merge":
        yield panel["title"], defaults
        return
    columns = {entry["matcher"]["options"]: entry["properties"] for entry in panel["fieldConfig"]["overrides"]}
    arranged = panel["transformations"][1]["options"]
    for name, title in arranged["renameByName"].items():
        if name not in arranged["excludeByName"]:
            yield f"{panel['title']}, {title}", {entry["id"] for entry in columns[title]}


def test_every_number_has_a_unit_and_thresholds(board: Board) -> None:
    lacking = [
        (what, {"unit", "thresholds"} - properties)
        for panel in board.panels
        for what, properties in shown(panel)
        if not {"unit", "thresholds"} <= properties
    ]
    assert lacking == []


def test_a_threshold_begins_below_everything_and_rises(board: Board) -> None:
    for panel in board.panels:
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None
        values = [step["value"] for step in steps[1:]]
        assert values == sorted(set(values)), panel["title"]


def test_ids_are_unique_and_no_two_panels_overlap(board: Board) -> None:
    panels = board.json["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        assert place["w"] >= 2
        assert place["h"] >= 1
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_titles_are_unique_within_a_heading_and_refids_within_a_panel(board: Board) -> None:
    heading, titles = "", []
    for panel in board.json["panels"]:
        heading = panel["title"] if panel["type"] == "row" else heading
        if panel["type"] != "row":
            titles.append((heading, panel["title"]))
    assert len(set(titles)) == len(titles)
    for panel in board.panels:
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)


def test_tables_and_single_numbers_ask_for_one_instant_and_all_else_for_a_range(board: Board) -> None:
    for panel, target in board.queries():
        instant = panel["type"] in {"table", "stat", "bargauge"}
        assert (target["instant"], target["range"]) == (instant, not instant), panel["title"]
        assert target["format"] == ("table" if panel["type"] == "table" else "time_series")


def test_links_keep_variables_and_time_and_lead_to_boards_there_are(board: Board) -> None:
    between = board.json["links"][0]
    assert (between["type"], between["tags"]) == ("dashboards", ["bernard"])
    assert (between["includeVars"], between["keepTime"]) == (True, True)
    assert all(link["url"].startswith("${exporter:raw}/") for link in board.json["links"][1:])
    links = re.findall(r'"url": "([^"]+)"', json.dumps(board.json["panels"]))
    for link in links:
        if link.startswith("/d/"):
            assert link.split("/")[2] in BOARDS
            assert "${__url_time_range}" in link
            assert "${datasource:queryparam}" in link
        else:
            assert link.startswith(("${exporter:raw}/runs/", "${exporter:raw}/jobs/"))


def test_every_id_of_a_run_leads_to_its_page() -> None:
    for board in BOARDS.values():
        for panel, target in board.queries():
            if re.search(r"last_(success|attempt)_id", target["expr"]):
                links = re.findall(r"\$\{exporter:raw\}/runs/\$\{__value\.raw\}", str(panel["fieldConfig"]))
                assert links, panel["title"]


def test_failures_are_marked_where_runs_are_shown_over_time() -> None:
    marked = [uid for uid, board in sorted(BOARDS.items()) if board.json["annotations"]["list"]]
    assert marked == ["bernard-job", "bernard-overview", "bernard-runs"]


def test_every_state_and_status_has_a_word_and_a_colour_of_its_own() -> None:
    for mapping, values in ((STATE_MAPPING, State), (STATUS_MAPPING, Status)):
        assert {text for _, text, _ in mapping} == {value.value.replace("_", " ") for value in values}
        assert len({color for _, _, color in mapping}) == len(mapping)


def test_a_shelf_with_a_gap_is_refused() -> None:
    panel = number("A", "B.", "up", Field("none", PLAIN))
    with pytest.raises(ValueError, match="the panels A are 23 columns wide, expected 24"):
        Shelf(4, [(23, panel)])
    placed = make_board("x", "X", "Y.", [even(4, panel)], variables=[], since="now-1h", pages={})
    assert placed.panels[0].gridPos.w == 24


def test_a_limit_of_the_whole_panel_is_drawn_into_it(board: Board) -> None:
    for panel in board.panels:
        if panel["type"] == "timeseries":
            defaults = panel["fieldConfig"]["defaults"]
            limits = len(defaults["thresholds"]["steps"]) > 1
            assert (defaults["custom"]["thresholdsStyle"]["mode"] == "dashed") == limits, panel["title"]


def test_boards_are_written_without_a_database_driver() -> None:
    said = "import sys, dashboards.render; print(sorted({'sqlalchemy', 'pymysql', 'fastapi'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
