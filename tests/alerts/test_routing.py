"""The example configuration of Alertmanager, checked with amtool."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts import products, routing
from monitoring.settings import SiteSettings
from testing.servers import need
from tests.alerts.test_rules import alerting_rules

FOLDER = products.FOLDER / "alertmanager"
CONFIG = FOLDER / "alertmanager.yml"


def amtool(*arguments: str) -> str:
    """Run amtool; return its output, or fail with it."""
    done = subprocess.run([need("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_committed_configuration_and_its_templates_are_valid() -> None:
    said = amtool("check-config", str(CONFIG))
    assert "1 templates" in said
    assert "6 receivers" in said


@pytest.mark.parametrize("severity", ["page", "critical", "warning", "task"])
def test_each_severity_reaches_its_receiver(severity: str) -> None:
    said = amtool(
        "config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={severity}",
        "alertname=BackupStale", "team=data-persistence", f"severity={severity}", "section=s1",
    )  # fmt: skip
    assert said.strip() == severity


def test_every_alert_is_routed_by_its_severity() -> None:
    for rule in alerting_rules():
        receiver = "watchdog" if rule["alert"] == "BernardWatchdog" else rule["labels"]["severity"]
        # The label team is a template: whatever team the policy names, no alert is lost.
        labels = [f"severity={rule['labels']['severity']}", "team=any", f"alertname={rule['alert']}"]
        amtool("config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}", *labels)


@pytest.mark.parametrize(
    ("severity", "team", "receiver"),
    [
        ("critical", "web", "web"),
        ("warning", "web", "web"),
        ("page", "web", "web-page"),
        ("critical", "other", "critical"),
        ("page", "data-persistence", "page"),
    ],
)
def test_a_team_of_the_policy_gets_its_own_alerts(severity: str, team: str, receiver: str, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(routing.configuration(SiteSettings(owners="web=web@example.org, search=search@example.org")))
    said = amtool(
        "config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receiver}",
        "alertname=BackupStale", f"team={team}", f"severity={severity}", "section=s1",
    )  # fmt: skip
    assert said.strip() == receiver
    addresses = {
        one["name"]: [mail["to"] for mail in one.get("email_configs", [])]
        for one in yaml.safe_load(file.read_text())["receivers"]
    }
    assert addresses["web"] == addresses["web-page"] == ["web@example.org"]


def test_an_owner_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="owners: found 'web', expected TEAM=ADDRESS"):
        SiteSettings(owners="search=search@example.org,web")


def test_nothing_is_repeated_within_a_day_but_the_sign_of_life_and_a_page_that_someone_can_end() -> None:
    repeats = {}

    def walk(route: dict[str, Any], inherited: str) -> None:
        interval = route.get("repeat_interval", inherited)
        repeats[" ".join(route.get("matchers", []))] = interval
        for child in route.get("routes", []):
            walk(child, interval)

    walk(yaml.safe_load(CONFIG.read_text())["route"], "")
    of_runs = 'alertname=~"Backup(Failed|FailingRepeatedly|RunningLong|DidNotStart)"'
    assert {name: interval for name, interval in repeats.items() if interval != "1d"} == {
        'alertname="BernardWatchdog"': "5m",
        'cause="repeated"': "235m",
        # Told once: the reminders are those of the stale backup that they lead to.
        of_runs: "15d",
    }


def test_alert_without_a_matching_route_is_still_notified() -> None:
    assert amtool("config", "routes", "test", f"--config.file={CONFIG}", "alertname=Other").strip() == "critical"


def test_an_alert_on_many_jobs_is_one_notification_and_a_page_is_one_a_section() -> None:
    root = yaml.safe_load(CONFIG.read_text())["route"]
    assert root["group_by"] == ["team", "alertname"]
    others = {
        " ".join(route["matchers"]): route["group_by"] for route in root["routes"][0]["routes"] if "group_by" in route
    }
    assert others == {'severity="page"': ["team", "section"]}


def test_inhibition_is_as_designed() -> None:
    found = set()
    for rule in yaml.safe_load(CONFIG.read_text())["inhibit_rules"]:
        source, target = rule["source_matchers"], rule["target_matchers"]
        found.add((" ".join(source).replace('"', ""), target[0].replace('"', ""), tuple(rule["equal"])))
    job, inventory = ("job", "section", "type", "datacenter"), ("job",)
    blind = "alertname=BernardPollFailing severity=critical cause="
    assert found == {
        ("alertname=BackupVeryStale", "alertname=BackupStale", job),
        ("alertname=BackupStaleEverywhere", "alertname=~BackupStale|BackupVeryStale|BackupMissing", job[:3]),
        ("alertname=~BackupStale|BackupMissing", "alertname=BackupDidNotStart", job),
        ("alertname=BackupFailingRepeatedly", "alertname=BackupFailed", job),
        ("alertname=BackupTooSmall", "alertname=BackupSizeChanged", job),
        ("alertname=BernardPollFailing", "alertname=BernardExportersDisagree", ("job", "instance")),
        (blind, "alertname=BernardExportersDisagree", inventory),
        ("alertname=BernardPollFailing severity=critical", "alertname=BernardPollFailing", ("job", "instance")),
        ("alertname=BernardInventoryOld cause=empty", "alertname=BackupMissing", inventory),
        ("alertname=BernardInventoryOld", "alertname=BackupDidNotStart", inventory),
        (blind, "alertname=~Backup.+", inventory),
        (blind, "alertname=BernardInventoryOld", inventory),
        ("alertname=BernardDown severity=critical", "alertname=~BernardPollFailing|BernardInventoryOld", inventory),
        ("alertname=BernardDown severity=critical", "alertname=~Backup.+", inventory),
    }


def rendered(template: str, tmp_path: Path, **changes: Any) -> str:
    """Return a template, filled in by amtool with a notification about two alerts of s1."""
    alerts = [_alert("BackupStaleEverywhere", "No fresh dump of s1 in any data centre #page", "firing")]
    alerts.append(_alert("BackupVeryStale", "dump of s1 in eqiad is 17d old #page", "firing"))
    data = {
        "receiver": "page",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": {"team": "dba", "section": "s1"},
        "commonLabels": {"severity": "page", "section": "s1"},
        "commonAnnotations": {},
        "externalURL": "https://alerts.example",
    } | changes
    file = tmp_path / "data.json"
    file.write_text(json.dumps(data))
    glob = FOLDER / "templates/*.tmpl"
    text = f'{{{{ template "{template}" . }}}}'
    return amtool("template", "render", f"--template.glob={glob}", f"--template.text={text}", f"--template.data={file}")


def _alert(name: str, summary: str, status: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "page", "section": "s1"},
        "annotations": {
            "summary": summary,
            "description": "What it means.",
            "runbook": f"https://docs.example/{name}.html",
            "dashboard": "https://grafana.example/d/x",
            "inventory": "https://bernard.example/",
        },
        "startsAt": "2026-03-10T12:00:00Z",
        "endsAt": "2026-03-10T13:30:00Z",
    }


def many(number: int, status: str = "firing") -> list[dict[str, Any]]:
    """Return an alert on each of many sections."""
    summaries = [f"dump of s{section} in eqiad did not start" for section in range(number)]
    return [_alert("BackupDidNotStart", summary, status) for summary in summaries]


def test_title_says_how_urgent_what_and_how_many(tmp_path: Path) -> None:
    title = rendered("bernard.title", tmp_path).strip()
    assert title == "PAGE: No fresh dump of s1 in any data centre #page, and 1 more"
    one = [_alert("BackupVeryStale", "dump of s1 in eqiad is 17d old #page", "firing")]
    assert rendered("bernard.title", tmp_path, alerts=one).strip() == "PAGE: dump of s1 in eqiad is 17d old #page"
    some_ended = [*many(10), *many(2, "resolved")]
    title = rendered("bernard.title", tmp_path, alerts=some_ended, commonLabels={"severity": "warning"})
    assert title.strip() == "WARNING: dump of s0 in eqiad did not start, and 9 more; OK: 2"


def test_title_names_the_newest_alert_of_a_group(tmp_path: Path) -> None:
    alerts = many(3)
    alerts[1]["startsAt"] = "2026-03-11T12:00:00Z"
    title = rendered("bernard.title", tmp_path, alerts=alerts, commonLabels={"severity": "warning"})
    assert title.strip() == "WARNING: dump of s1 in eqiad did not start, and 2 more"


@pytest.mark.parametrize("template", ["bernard.text", "bernard.html"])
def test_message_lists_many_alerts_and_says_how_many_more_there_are(template: str, tmp_path: Path) -> None:
    alerts = [*many(54), *many(23, "resolved")]
    message = rendered(template, tmp_path, alerts=alerts)
    assert message.count("did not start") == 20 + 20
    assert message.count("BackupDidNotStart.html") == 1
    assert "and 34 more" in message
    assert "OK: 3 more" in message


def test_text_of_many_alerts_has_a_line_for_each(tmp_path: Path) -> None:
    text = rendered("bernard.text", tmp_path, alerts=[*many(4), *many(1, "resolved")])
    assert text.strip().splitlines() == [
        *(f"- dump of s{section} in eqiad did not start, since Tue 10 Mar 12:00 UTC" for section in range(4)),
        "Do: https://docs.example/BackupDidNotStart.html",
        "All: https://alerts.example/#/alerts",
        "",
        "OK since 13:30 UTC: dump of s0 in eqiad did not start",
    ]


def test_text_is_short_and_has_what_to_do_for_each_alert(tmp_path: Path) -> None:
    text = rendered("bernard.text", tmp_path)
    assert text.strip().splitlines() == [
        "No fresh dump of s1 in any data centre #page",
        "What it means.",
        "Do: https://docs.example/BackupStaleEverywhere.html",
        "Look: https://grafana.example/d/x",
        "Runs: https://bernard.example/",
        "",
        "dump of s1 in eqiad is 17d old #page",
        "What it means.",
        "Do: https://docs.example/BackupVeryStale.html",
        "Look: https://grafana.example/d/x",
        "Runs: https://bernard.example/",
    ]


def test_resolved_notification_has_one_line_per_alert(tmp_path: Path) -> None:
    over = [_alert("BackupVeryStale", "dump of s1 in eqiad is 17d old #page", "resolved")]
    text = rendered("bernard.text", tmp_path, status="resolved", alerts=over)
    assert text.strip() == "OK since 13:30 UTC: dump of s1 in eqiad is 17d old #page"
    title = rendered("bernard.title", tmp_path, status="resolved", alerts=over)
    assert title.strip() == "OK: dump of s1 in eqiad is 17d old #page"


def test_mail_fits_a_phone_and_has_its_links(tmp_path: Path) -> None:
    mail = rendered("bernard.html", tmp_path)
    assert 'content="width=device-width' in mail
    assert mail.count("What to do</a>") == 2
    assert "Since Tue 10 Mar 12:00 UTC." in mail
    assert "<no value>" not in mail
