"""An example configuration of Alertmanager: routes, receivers and inhibition rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alerts.alert import SUBJECT
from alerts.backups import REPEATED
from alerts.render import as_yaml
from monitoring import promql
from monitoring.settings import DAY, HOUR, MINUTE, SiteSettings
from monitoring.severity import Severity

_MADE = "# Written by `make generate`; change alerts/routing.py instead."
_SECONDS = 1.0
_OURS = 'alertname=~"(Backup|Bernard).+"'
_BACKUPS = "alertname=~Backup.+"
# Alerts on a run: reminders follow from BackupStale or BackupMissing, if no success follows.
_OF_RUNS = 'alertname=~"Backup(Failed|FailingRepeatedly|RunningLong|DidNotStart)"'
# Longer than any of them fires after the last failed run.
_TOLD_ONCE = 15 * DAY
# A page is repeated while a person can end it before the next run.
_PAGE_AGAIN = 4 * HOUR
# The receiver of each severity.
RECEIVERS = {
    Severity.PAGE: "page",
    Severity.CRITICAL: "critical",
    Severity.WARNING: "warning",
    Severity.TASK: "task",
}


def configuration(settings: SiteSettings) -> str:
    """Return the configuration of Alertmanager as YAML; its templates are in the directory ``templates`` beside it."""
    document = {
        "global": {
            "smtp_smarthost": settings.smarthost,
            "smtp_from": settings.mail_from,
            "smtp_require_tls": settings.smtp_tls,
            "resolve_timeout": settings.wait(5 * MINUTE),
        },
        "templates": ["templates/*.tmpl"],
        "route": _route(settings),
        "inhibit_rules": inhibitions(),
        "receivers": _receivers(settings),
    }
    return f"{_MADE}\n{as_yaml(document)}"


def _route(settings: SiteSettings) -> dict[str, Any]:
    """Return the routing tree: one notification for each team, alert and severity; of pages, for each section."""
    ours: dict[str, Any] = {
        "matchers": [_OURS],
        "routes": [
            {
                "matchers": ['alertname="BernardWatchdog"'],
                "receiver": "watchdog",
                "group_wait": "0s",
                "group_interval": settings.wait(MINUTE),
                "repeat_interval": settings.window(5 * MINUTE),
            },
            *(_owner(team, settings) for team in settings.owner_addresses),
            *_by_severity(RECEIVERS, settings),
        ],
    }
    return {
        # The receiver of alerts that match none of the routes below.
        "receiver": "critical",
        # Twelve jobs that a dead host did not start are one notification.
        "group_by": ["team", "alertname"],
        "group_wait": settings.wait(MINUTE),
        "group_interval": settings.wait(5 * MINUTE),
        "repeat_interval": promql.duration(DAY),
        "routes": [ours],
    }


def _owner(team: str, settings: SiteSettings) -> dict[str, Any]:
    """Return the route of a team that the policy names: its pages also reach the pager."""
    receivers = {severity: f"{team}-page" if severity is Severity.PAGE else team for severity in RECEIVERS}
    return {"matchers": [f'team="{team}"'], "receiver": team, "routes": list(_by_severity(receivers, settings))}


def _by_severity(receivers: Mapping[Severity, str], settings: SiteSettings) -> Iterator[dict[str, Any]]:
    """Yield the route of each severity."""
    for severity, receiver in receivers.items():
        yield {"matchers": [f'severity="{severity}"'], "receiver": receiver, **_pace(severity, settings)}


def _pace(severity: Severity, settings: SiteSettings) -> dict[str, Any]:
    """Return when a severity is sent, and how it is grouped, as far as that differs from the root."""
    if severity is Severity.PAGE:
        # A pager keeps one incident a group: another section must not join one that is acknowledged.
        urgent = {"group_by": ["team", "section"], "group_wait": settings.wait(15 * _SECONDS)}
        return {**urgent, "routes": [_page_again(settings)]}
    if severity is Severity.TASK:
        return {}
    # One message has all that fails in a quarter of an hour, and a more urgent alert on the same job prevents it.
    waits = {"group_wait": settings.wait(15 * MINUTE)} if severity is Severity.WARNING else {}
    return {**waits, "routes": [{"matchers": [_OF_RUNS], "repeat_interval": promql.duration(_TOLD_ONCE)}]}


def _page_again(settings: SiteSettings) -> dict[str, Any]:
    """Return the route of the alerts that repeat a page: after 4 hours for the first time, and not when they end."""
    interval = settings.wait(_PAGE_AGAIN)
    return {
        "matchers": [f'cause="{REPEATED}"'],
        "receiver": "page-again",
        "group_wait": interval,
        "group_interval": interval,
        # Less than the interval of the group, at which the time since the last message is compared.
        "repeat_interval": settings.window(_PAGE_AGAIN - 5 * MINUTE),
    }


def inhibitions() -> list[dict[str, Any]]:
    """Return the inhibition rules; they hold across teams, as a dead exporter concerns every owner."""

    def over(source: list[str], target: list[str], equal: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "source_matchers": [_quoted(matcher) for matcher in source],
            "target_matchers": [_quoted(matcher) for matcher in target],
            "equal": list(equal),
        }

    everywhere = ("job", "section", "type")
    critical = "severity=critical"
    # No exporter can read; one that alone cannot read its part has cause="part".
    blind = ["alertname=BernardPollFailing", critical, "cause="]
    return [
        over(["alertname=BackupVeryStale"], ["alertname=BackupStale"], SUBJECT),
        over(["alertname=BackupStaleEverywhere"], ["alertname=~BackupStale|BackupVeryStale|BackupMissing"], everywhere),
        over(["alertname=~BackupStale|BackupMissing"], ["alertname=BackupDidNotStart"], SUBJECT),
        over(["alertname=BackupFailingRepeatedly"], ["alertname=BackupFailed"], SUBJECT),
        over(["alertname=BackupTooSmall"], ["alertname=BackupSizeChanged"], SUBJECT),
        # What cannot be read is soon older than what another exporter reads.
        over(["alertname=BernardPollFailing"], ["alertname=BernardExportersDisagree"], promql.TARGET_LABELS),
        over(blind, ["alertname=BernardExportersDisagree"], ("job",)),
        over(
            ["alertname=BernardPollFailing", critical],
            ["alertname=BernardPollFailing", "severity=warning"],
            promql.TARGET_LABELS,
        ),
        over(["alertname=BernardInventoryOld", "cause=empty"], ["alertname=BackupMissing"], ("job",)),
        # When no run is recorded at all, a single alert is enough.
        over(["alertname=BernardInventoryOld"], ["alertname=BackupDidNotStart"], ("job",)),
        # The data about backups is old. The failure of one of several exporters inhibits nothing.
        over(blind, [_BACKUPS], ("job",)),
        over(blind, ["alertname=BernardInventoryOld"], ("job",)),
        over(["alertname=BernardDown", critical], ["alertname=~BernardPollFailing|BernardInventoryOld"], ("job",)),
        over(["alertname=BernardDown", critical], [_BACKUPS], ("job",)),
    ]


def _quoted(matcher: str) -> str:
    name, sign, value = matcher.partition("=~" if "=~" in matcher else "=")
    return f'{name}{sign}"{value}"'


def _receivers(settings: SiteSettings) -> list[dict[str, Any]]:
    pager = {"webhook_configs": [{"url": settings.pager_url, "send_resolved": True}]}
    task = {"webhook_configs": [{"url": settings.task_url, "send_resolved": False}]}
    watchdog = {"webhook_configs": [{"url": settings.watchdog_url, "send_resolved": False}]}
    mail = _mail(settings.mail_to)
    chat = {
        "slack_configs": [
            {
                "api_url": settings.chat_url,
                "send_resolved": True,
                "title": '{{ template "bernard.title" . }}',
                "title_link": '{{ template "bernard.link" . }}',
                "text": '{{ template "bernard.text" . }}',
                "fallback": '{{ template "bernard.title" . }}',
            }
        ]
    }
    owners = [
        receiver
        for team, address in settings.owner_addresses.items()
        for receiver in ({"name": team, **_mail(address)}, {"name": f"{team}-page", **pager, **_mail(address)})
    ]
    return [
        {"name": "page", **pager, **mail},
        {"name": "page-again", "webhook_configs": [{"url": settings.pager_url, "send_resolved": False}]},
        {"name": "critical", **chat, **mail},
        {"name": "warning", **chat},
        {"name": "task", **task},
        {"name": "watchdog", **watchdog},
        *owners,
    ]


def _mail(address: str) -> dict[str, Any]:
    return {
        "email_configs": [
            {
                "to": address,
                "send_resolved": True,
                "headers": {"Subject": '{{ template "bernard.title" . }}'},
                "html": '{{ template "bernard.html" . }}',
                "text": '{{ template "bernard.text" . }}',
            }
        ]
    }
