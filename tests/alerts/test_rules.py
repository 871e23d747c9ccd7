"""The committed rules, checked with promtool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from alerts import products, render
from alerts.__main__ import main
from bernard_exporter.metrics import catalogue
from monitoring import recorded as recorded_series
from monitoring.settings import SiteSettings
from monitoring.severity import Severity
from testing.alerts import backup_scenarios as about
from testing.alerts.rule_tests import SCENARIOS
from testing.alerts.scenarios import Changes, Scenario, job, of_all, series, target, written
from testing.servers import need

RULES = products.FOLDER / "rules"
# Recorded series are the only ones with a colon in their name.
_RECORDED = re.compile(r"\b[a-z]\w*(?::\w+)+")
NAMES = ["bernard_backups", "bernard_exporter"]
CONTRACT = {
    *("BackupMissing", "BackupStale", "BackupTooSmall", "BackupSizeChanged", "BackupOnlyOne", "BackupFailed"),
    *("BackupFailingRepeatedly", "BackupRunningLong", "BackupDidNotStart", "BackupNotInPolicy"),
    *("BackupStaleEverywhere", "BackupVeryStale", "BernardDown", "BernardPollFailing", "BernardInventoryOld"),
    *("BernardConfigReloadFailed", "BernardRowsRejected", "BernardExportersDisagree", "BernardClockSkewed"),
    "BernardWatchdog",
}


def promtool(*arguments: str, folder: Path = RULES) -> str:
    """Run promtool; return its output, or fail with it."""
    done = subprocess.run([need("promtool"), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def committed(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((RULES / f"{name}.yaml").read_text())
    return loaded


def alerting_rules() -> list[dict[str, Any]]:
    groups = [group for name in NAMES for group in committed(name)["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


@pytest.mark.parametrize("name", NAMES)
def test_committed_rules_do_in_every_scenario_what_its_sentence_says(name: str) -> None:
    promtool("test", "rules", f"{name}_test.yaml")


def test_committed_rules_are_valid_and_none_comes_twice() -> None:
    assert "duplicate" not in promtool("check", "rules", *(f"{name}.yaml" for name in NAMES))


def test_every_scenario_has_a_sentence_of_its_own() -> None:
    sentences = [scenario.sentence for scenarios in SCENARIOS.values() for scenario in scenarios]
    assert len(set(sentences)) == len(sentences) > 60


def test_every_alert_fires_in_one_scenario_and_is_silent_in_another() -> None:
    fires, silent, watched = set(), set(), set[str]()
    for scenarios in SCENARIOS.values():
        names = {alert for scenario in scenarios for texts in scenario.fires.values() for alert in texts}
        found = {" ".join(text.split()[:2]) for text in names}
        for scenario in scenarios:
            watched |= {"BernardWatchdog info"} if scenario.watchdog else set()
            for texts in scenario.fires.values():
                silent |= found - {" ".join(text.split()[:2]) for text in texts}
        fires |= found
    assert fires | watched == {f"{rule['alert']} {rule['labels']['severity']}" for rule in alerting_rules()}
    assert silent == fires


def test_every_alert_of_the_contract_is_there() -> None:
    assert {rule["alert"] for rule in alerting_rules()} == CONTRACT


def recording_rules() -> list[dict[str, Any]]:
    groups = [group for name in NAMES for group in committed(name)["groups"]]
    return [rule for group in groups for rule in group["rules"] if "record" in rule]


def test_rules_are_few_and_each_reads_at_most_one_recorded_series() -> None:
    recorded = {rule["record"] for rule in recording_rules()}
    assert recorded == {recorded_series.SPEAKER.name}
    rules = [*recording_rules(), *alerting_rules()]
    assert len(rules) <= 45
    for rule in rules:
        assert len(set(_RECORDED.findall(rule["expr"]))) <= 1, rule["expr"]


def test_no_rule_reads_its_own_past() -> None:
    (speaker,) = recording_rules()
    assert not _RECORDED.findall(speaker["expr"])
    for rule in alerting_rules():
        assert "ALERTS" not in rule["expr"]
        # Of the recorded series only the present value is read: no range and no offset follows.
        assert not re.search(rf"{speaker['record']}(\{{[^}}]*\}})?\s*(\[|offset|@)", rule["expr"])


def test_alerts_outlast_a_gap_and_inhibitors_outlast_alerts() -> None:
    kept = {
        (rule["alert"], rule["labels"]["severity"], rule["labels"].get("cause")): rule.get("keep_firing_for")
        for rule in alerting_rules()
    }
    inhibitors = {("BernardDown", "critical", None), ("BernardPollFailing", "critical", None)}
    assert {kept.pop(name) for name in inhibitors} == {"20m"}
    assert kept.pop(("BernardWatchdog", "info", None)) is None
    assert set(kept.values()) == {"16m"}


@pytest.mark.parametrize("path", sorted(RULES.glob("*.yaml")), ids=lambda path: str(path.name))
def test_every_file_keeps_the_form_of_its_home(path: Path) -> None:
    text = path.read_text()
    if path.name.endswith("_test.yaml"):
        assert yaml.safe_load(text)["rule_files"] == [path.name.replace("_test", "")]
    else:
        assert text.startswith("# deploy-tag: ops\n")
        assert path.with_name(f"{path.stem}_test.yaml").exists()


def test_every_alert_has_the_labels_and_annotations_of_its_home() -> None:
    for rule in alerting_rules():
        labels, annotations = rule["labels"], rule["annotations"]
        assert labels["severity"] in set(Severity)
        assert labels["team"].replace("{{ end }}", "").endswith("data-persistence"), labels["team"]
        assert set(annotations) == {"summary", "description", "dashboard", "runbook", "inventory"}
        assert ("#page" in annotations["summary"]) == (labels["severity"] == "page"), rule["alert"]
        assert annotations["runbook"] == f"https://docs.example/bernard-exporter/runbooks/{rule['alert']}.html"
        assert re.match(r"https://grafana\.example/d/bernard-(\w+)/bernard-\1(\?|$)", annotations["dashboard"])


def test_no_metric_is_named_that_the_catalogue_does_not_have() -> None:
    groups = [group for name in NAMES for group in committed(name)["groups"]]
    known = {metric.name for metric in catalogue.CATALOGUE}
    recorded = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    for group in groups:
        for rule in group["rules"]:
            used = set(re.findall(r"[a-z_0-9:]*bernard_[a-z_0-9:]+", rule["expr"]))
            assert used <= known | recorded, rule


def test_limits_of_backups_are_read_from_the_policy() -> None:
    rules = {(rule["alert"], rule["labels"]["severity"]): rule["expr"] for rule in alerting_rules()}
    for (name, _), expr in rules.items():
        if name in ("BackupStale", "BackupVeryStale", "BackupTooSmall", "BackupSizeChanged", "BackupRunningLong"):
            assert not re.findall(r"[<>]=? *[\d.]{2,}", expr), expr
    for limit in ("max_age_seconds", "size_change_warning_ratio", "size_change_critical_ratio", "max_duration_seconds"):
        assert any(f"bernard_backup_{limit}" in expr for expr in rules.values())


def test_custom_resource_holds_the_same_rules() -> None:
    resource = yaml.safe_load((products.FOLDER / "kubernetes/prometheusrule.yaml").read_text())
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["metadata"]["name"] == "bernard-exporter"
    assert resource["spec"]["groups"] == [group for name in NAMES for group in committed(name)["groups"]]


def test_generation_follows_the_values_of_a_site(tmp_path: Path) -> None:
    flags = ["--team=dba", "--deploy-tag=db", "--dashboard-url=https://g.test", "--runbook-url=https://r.test/b"]
    flags += ["--exporter-url=https://e.test", "--scrape-job=backups", "--pace=0.01"]
    flags += ["--deploy-site=eqiad, codfw"]
    done = CliRunner().invoke(main, ["--output", str(tmp_path), *flags])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "rules/bernard_backups.yaml").read_text()
    assert text.startswith("# deploy-tag: db\n# deploy-site: eqiad, codfw\n")
    rules = [rule for rule in yaml.safe_load(text)["groups"][0]["rules"] if rule.get("alert") == "BackupStale"]
    job_of = "{{ $labels.section | urlquery }}/{{ $labels.type | urlquery }}/{{ $labels.datacenter | urlquery }}"
    assert rules[0]["for"] == "9s"
    assert rules[0]["keep_firing_for"] == "9600ms"
    assert rules[0]["labels"]["severity"] == "critical"
    assert rules[0]["labels"]["team"].endswith("{{ else }}dba{{ end }}")
    assert rules[0]["annotations"]["runbook"] == "https://r.test/b/BackupStale.html"
    assert rules[0]["annotations"]["inventory"] == f"https://e.test/jobs/{job_of}"
    assert rules[0]["annotations"]["dashboard"].startswith("https://g.test/d/bernard-job/bernard-job?var-section={{")
    assert 'absent(bernard_up{job="backups"})' in (tmp_path / "rules/bernard_exporter.yaml").read_text()
    promtool("check", "rules", *(f"{name}.yaml" for name in NAMES), folder=tmp_path / "rules")


def test_each_scrape_job_of_several_is_down_by_itself(tmp_path: Path) -> None:
    for name, text in render.rule_files(SiteSettings(scrape_job="bernard, staging")):
        (tmp_path / Path(name).name).write_text(text)
    one_down = of_all(target(), target("b", "0x400", scrape_job="staging"))
    samples = {name: values for name, values in one_down.items() if "staging" not in name or name.startswith("up")}
    scenario = Scenario(
        "the exporters of one scrape job are down", samples, {14: (), 15: ("BernardDown critical job=staging",)}
    )
    (tmp_path / "test.yaml").write_text(written("bernard_exporter.yaml", [scenario], "1m"))
    promtool("test", "rules", "test.yaml", folder=tmp_path)


def test_no_pace_is_so_short_that_a_rule_becomes_invalid(tmp_path: Path) -> None:
    for name, text in render.rule_files(SiteSettings(pace=0)):
        (tmp_path / Path(name).name).write_text(text)
    promtool("check", "rules", *(f"{name}.yaml" for name in NAMES), folder=tmp_path)


def test_alerts_say_what_was_found_what_is_expected_and_where_to_look(tmp_path: Path) -> None:
    base = "https://grafana.example/d/bernard-job/bernard-job?var-section=s1&var-type=dump&var-datacenter=eqiad"
    links = {
        "dashboard": base,
        "inventory": "https://bernard.example/jobs/s1/dump/eqiad",
    }
    expected = {
        "BackupStale": {
            "summary": "dump of s1 in eqiad is 9d 0h 20m 0s old",
            "description": "The newest success started 9d 0h 20m 0s ago, expected at most 8d 0h 0m 0s. A restore "
            "from it would lack all later writes.",
        },
        "BackupTooSmall": {
            "summary": "dump of s1 in eqiad has only 1024 KiB (1048575 B)",
            "description": "The newest success has 1024 KiB (1048575 B), expected at least 1 MiB (1048576 B).",
        },
        "BackupSizeChanged": {
            "summary": "Size of dump of s1 in eqiad changed by 15 %",
            "description": "The newest success has 1024 KiB (1048575 B), the previous one 1.176 MiB (1233619 B): a "
            "change of 15 %, expected 1048577 to 1418661 B. Tables may be missing, or the data changed as planned. The "
            "next success of about this size ends the alert.",
        },
    }
    changes: Changes = {
        catalogue.LAST_SUCCESS_START: -9 * 86_400,
        catalogue.LAST_SUCCESS_SIZE: (1 << 20) - 1,
        catalogue.PREVIOUS_SUCCESS_SIZE: 1_233_619,
    }
    checks = [
        {
            "eval_time": "20m",
            "alertname": name,
            "exp_alerts": [
                {
                    "exp_labels": {
                        "severity": "critical",
                        "team": "data-persistence",
                        "job": "bernard",
                        "section": "s1",
                        "type": "dump",
                        "datacenter": "eqiad",
                    },
                    "exp_annotations": words
                    | links
                    | {"runbook": f"https://docs.example/bernard-exporter/runbooks/{name}.html"},
                }
            ],
        }
        for name, words in expected.items()
    ]
    all_series = of_all(target(), job(changes), about.ELSEWHERE)
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in all_series.items()],
        "alert_rule_test": checks,
    }
    document = {"rule_files": [str(RULES / "bernard_backups.yaml")], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "words_test.yaml").write_text(render.as_yaml(document))
    promtool("test", "rules", "words_test.yaml", folder=tmp_path)


def test_scenarios_name_series_as_prometheus_does() -> None:
    assert series(catalogue.UP, "1x5", job="bernard", instance="a") == {'bernard_up{job="bernard",instance="a"}': "1x5"}
