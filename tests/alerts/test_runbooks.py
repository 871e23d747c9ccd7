"""Every alert has a runbook, and the queries and statements in it run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.render import all_alerts, as_yaml, rule_groups
from bernard_exporter.metrics.catalogue import CATALOGUE
from monitoring.settings import SiteSettings
from monitoring.severity import Severity
from testing.rows import Rows
from testing.servers import MariaDB
from testing.tree import ROOT
from tests.alerts.test_rules import alerting_rules, promtool

DOCS = ROOT / "docs"
FOLDER = DOCS / "runbooks"
# A page about an alert has the alert's name; other pages begin with a small letter.
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name[0].isupper())
HEADINGS = [
    "What it means",
    "How bad it is",
    "What to look at",
    "What to do",
    "When it is over",
    "How to silence it",
    "What a false alarm looks like",
]


def blocks(path: Path, language: str) -> list[str]:
    """Return the contents of the fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert {path.stem for path in PAGES} == {rule["alert"] for rule in alerting_rules()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.stem))
def test_page_begins_with_each_expression_and_says_it_in_words(path: Path) -> None:
    head = path.read_text().partition("## What it means")[0]
    rules = [alert for alert in all_alerts(SiteSettings()) if alert.name == path.stem]
    assert blocks(path, "promql")[: len(rules)] == [f"{rule.expr}\n" for rule in rules]
    for rule in rules:
        assert head.index(rule.expr) < head.index(rule.meaning)
        assert re.fullmatch(r"[A-Z][^.]*\.", rule.meaning), f"{rule.meaning!r}: expected one sentence"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.stem))
def test_page_has_its_sections_its_severities_and_a_silence(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {path.stem}\n\nSeverity: ")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    severities = {rule["labels"]["severity"] for rule in alerting_rules() if rule["alert"] == path.stem}
    line = text.splitlines()[2]
    assert {word for word in Severity if word in line} == severities
    silences = [line for block in blocks(path, "sh") for line in block.splitlines()]
    assert [line for line in silences if f"alertname={path.stem}" in line and line.startswith("amtool silence add ")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.stem))
def test_page_has_commands_to_look_with_and_says_how_to_act(path: Path) -> None:
    text = path.read_text()
    commands = "".join(blocks(path, "sh"))
    assert re.search(r"^(bernard-exporter|curl) ", commands, re.MULTILINE) or path.stem == "BernardWatchdog"
    assert "by hand" not in text.replace("attempts by hand", ""), "name the command, or link start-a-run.md"
    # Units are those of the package.
    units = re.findall(r"(?:systemctl [a-z]+|journalctl --unit=|journalctl -u) ?(\S*bernard-exporter)", text)
    assert set(units) <= {"prometheus-bernard-exporter"}


def test_page_of_a_page_says_to_start_a_run_now() -> None:
    pages = {rule["alert"] for rule in alerting_rules() if rule["labels"]["severity"] == Severity.PAGE}
    for name in pages:
        steps = (FOLDER / f"{name}.md").read_text().partition("## What to do")[2].partition("\n## ")[0]
        assert "(start-a-run.md#start-a-run) now" in steps, name
        assert "working hours" not in steps, name


def test_every_query_is_valid_and_uses_existing_metrics(tmp_path: Path) -> None:
    recorded = {
        rule["record"]
        for groups in rule_groups(SiteSettings()).values()
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


def test_the_table_of_alerts_has_each_severity_and_hold_time() -> None:
    text = (DOCS / "how-to" / "alerting.md").read_text()
    rows = re.findall(r"^\| `(B\w+)` \| ([\w, ]+) \| .* \| ([\w, ]+) \|$", text, re.MULTILINE)
    found = {name: (set(severities.split(", ")), set(waits.split(", "))) for name, severities, waits in rows}
    expected: dict[str, tuple[set[str], set[str]]] = {}
    for rule in alerting_rules():
        severities, waits = expected.setdefault(rule["alert"], (set(), set()))
        severities.add(rule["labels"]["severity"])
        waits.add(rule.get("for", "0m"))
    assert found == expected
