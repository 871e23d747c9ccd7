"""The rule files pass the checks of wikimedia/operations-alerts, the repository that they may be copied to.

Its tests also run promtool, as tests/alerts/test_rules.py does, and pint, which is in no package registry in use here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import yaml

from alerts import products
from alerts.render import rule_files
from monitoring.settings import SiteSettings

RULES = products.FOLDER / "rules"
# Every setting that ends up in a rule file, as a site of Wikimedia would choose it.
SITE = SiteSettings(
    team="data-persistence",
    deploy_tag="ops",
    deploy_site="eqiad, codfw",
    dashboard_url="https://grafana.wikimedia.org",
    runbook_url="https://wikitech.wikimedia.org/wiki/Bernard/Runbook",
)
FILES = {
    **dict(rule_files(SITE)),
    **{
        f"committed/{path.name}": path.read_text()
        for path in sorted(RULES.glob("bernard_*.yaml"))
        if not path.stem.endswith("_test")
    },
}
# Labels that Thanos adds: an alert that Prometheus evaluates would never fire.
_EXTERNAL = re.compile(r"\{[^}]*\b(prometheus|site)\s*(=|!)")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")


def alerts(text: str) -> Iterator[dict[str, Any]]:
    """Yield the alerting rules of a file."""
    for group in yaml.safe_load(text)["groups"]:
        yield from (rule for rule in group["rules"] if "alert" in rule)


@pytest.mark.parametrize("name", FILES)
def test_file_begins_with_where_it_is_deployed(name: str) -> None:
    head = FILES[name].partition("groups:")[0].splitlines()
    assert head[0] == "# deploy-tag: ops"
    assert all(line.startswith("#") for line in head)
    sites = [line for line in head if line.startswith("# deploy-site: ")]
    assert sites == ([] if name.startswith("committed") else ["# deploy-site: eqiad, codfw"])


@pytest.mark.parametrize("name", FILES)
def test_file_is_tested_by_one_of_its_name(name: str) -> None:
    assert PurePath(name).suffix == ".yaml"
    test = RULES / f"{PurePath(name).stem}_test.yaml"
    assert yaml.safe_load(test.read_text())["rule_files"] == [PurePath(name).name]


@pytest.mark.parametrize("name", FILES)
def test_alert_has_its_labels_annotations_and_page_mark(name: str) -> None:
    for rule in alerts(FILES[name]):
        assert not re.search(r"\s", rule["alert"])
        assert rule["labels"]["severity"] in ("critical", "warning", "info", "task", "page")
        assert rule["labels"]["team"]
        assert {"summary", "description", "dashboard", "runbook"} <= set(rule["annotations"])
        assert ("#page" in rule["annotations"]["summary"]) == (rule["labels"]["severity"] == "page")


@pytest.mark.parametrize("name", FILES)
def test_alert_refers_to_no_external_label(name: str) -> None:
    assert not [rule["alert"] for rule in alerts(FILES[name]) if _EXTERNAL.search(rule["expr"])]


@pytest.mark.parametrize("name", FILES)
def test_links_are_quoted_where_they_are_not_templates(name: str) -> None:
    for rule in alerts(FILES[name]):
        for link in (rule["annotations"]["runbook"], rule["annotations"]["dashboard"]):
            fixed = _TEMPLATE.sub("", link)
            assert not set(fixed) & set(' {}<>"'), link
            variables = parse_qsl(urlsplit(fixed).query, keep_blank_values=True)
            query = "&".join(f"{quote(key)}={quote(value)}" for key, value in variables)
            assert urlsplit(fixed).query == query, link
