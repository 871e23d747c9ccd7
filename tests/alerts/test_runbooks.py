"""One page an alert, and what it tells to paste runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.render import as_yaml, rule_groups
from alerts.settings import Settings
from bernard_exporter.catalogue import CATALOGUE
from tests.alerts.test_rules import alerting_rules, promtool
from tests.rows import Rows
from tests.servers import MariaDB

DOCS = Path(__file__).parent.parent.parent / "docs"
FOLDER = DOCS / "runbooks"
# Pages about alerts are called as they are; others, such as the index, are not.
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name[0].isupper())
HEADINGS = [
    "What it means",
    "How bad it is",
    "How to look",
    "What to do",
    "How to silence it",
    "What a false alarm looks like",
]


def blocks(path: Path, language: str) -> list[str]:
    """Return what stands in fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert {path.stem for path in PAGES} == {rule["alert"] for rule in alerting_rules()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.stem))
def test_page_answers_what_one_asks_at_night(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {path.stem}\n\nSeverity: ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    severities = {rule["labels"]["severity"] for rule in alerting_rules() if rule["alert"] == path.stem}
    said = text.splitlines()[2]
    assert {word for word in ("page", "critical", "warning", "task") if word in said} == severities
    silences = [line for block in blocks(path, "sh") for line in block.splitlines()]
    assert [line for line in silences if f"alertname={path.stem}" in line and line.startswith("amtool silence add ")]


def test_every_query_is_valid_and_names_what_there_is(tmp_path: Path) -> None:
    recorded = {
        rule["record"]
        for groups in rule_groups(Settings()).values()
        for group in groups
        for rule in group["rules"]
        if "record" in rule
    }
    known = {metric.name for metric in CATALOGUE} | recorded
    rules: list[dict[str, str]] = []
    for path in PAGES:
        queries = blocks(path, "promql")
        assert queries, path.stem
        for query in queries:
            assert set(re.findall(r"[a-z_0-9:]*bernard_[a-z_0-9:]+", query)) <= known, path.stem
            rules.append({"record": f"page:{path.stem}:{len(rules)}", "expr": query.strip()})
    file = tmp_path / "queries.yaml"
    file.write_text(as_yaml({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", file.name, folder=tmp_path)


def test_every_statement_runs_on_the_metadata_database(mariadb: MariaDB, mariadb_url: str) -> None:
    Rows(mariadb_url).add()
    statements = [statement for path in PAGES for statement in blocks(path, "sql")]
    assert len(statements) > 10
    for statement in statements:
        mariadb.execute(statement, database=mariadb_url.rpartition("/")[2])


def test_the_table_of_alerts_says_how_urgent_each_is_and_how_long_it_waits() -> None:
    text = (DOCS / "how-to" / "alerting.md").read_text()
    rows = re.findall(r"^\| `(B\w+)` \| ([\w, ]+) \| .* \| ([\w, ]+) \|$", text, re.MULTILINE)
    found = {name: (set(severities.split(", ")), set(waits.split(", "))) for name, severities, waits in rows}
    expected: dict[str, tuple[set[str], set[str]]] = {}
    for rule in alerting_rules():
        severities, waits = expected.setdefault(rule["alert"], (set(), set()))
        severities.add(rule["labels"]["severity"])
        waits.add(rule["for"])
    assert found == expected
