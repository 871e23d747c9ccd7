"""An example configuration of Alertmanager: routes, receivers and inhibition rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alerts.render import as_yaml
from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring import promql
from monitoring.settings import DAY, MINUTE, SiteSettings
from monitoring.severity import Severity

_MADE = "# Written by `make generate`; change alerts/routing.py instead."
_SECONDS = 1.0
_OURS = 'alertname=~"(Backup|Bernard).+"'
_BACKUPS = "alertname=~Backup.+"
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
    """Return the routing tree: one notification for each team, section and severity; pages are sent first."""
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
            *_by_severity(settings),
        ],
    }
    return {
        # The receiver of alerts that match none of the routes below.
        "receiver": "critical",
        "group_by": ["team", "section"],
        "group_wait": settings.wait(MINUTE),
        "group_interval": settings.wait(5 * MINUTE),
        # At most one reminder a day, of pages as well: the next run of a weekly dump may be six days away.
        "repeat_interval": promql.duration(DAY),
        "routes": [ours],
    }


def _owner(team: str, settings: SiteSettings) -> dict[str, Any]:
    """Return the route of a team that the policy names: its pages also reach the pager."""
    return {
        "matchers": [f'team="{team}"'],
        "receiver": team,
        "routes": [{"matchers": [f'severity="{Severity.PAGE}"'], "receiver": f"{team}-page", **_urgent(settings)}],
    }


def _by_severity(settings: SiteSettings) -> Iterator[dict[str, Any]]:
    for severity, receiver in RECEIVERS.items():
        urgent = _urgent(settings) if severity is Severity.PAGE else {}
        yield {"matchers": [f'severity="{severity}"'], "receiver": receiver, **urgent}


def _urgent(settings: SiteSettings) -> dict[str, Any]:
    """Return the waiting time of pages."""
    return {"group_wait": settings.wait(15 * _SECONDS)}


def inhibitions() -> list[dict[str, Any]]:
    """Return the inhibition rules; they hold across teams, as a dead exporter concerns every owner."""

    def over(source: list[str], target: list[str], equal: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "source_matchers": [_quoted(matcher) for matcher in source],
            "target_matchers": [_quoted(matcher) for matcher in target],
            "equal": list(equal),
        }

    everywhere = ("section", "type")
    critical = "severity=critical"
    return [
        over(["alertname=BackupVeryStale"], ["alertname=BackupStale"], JOB_LABELS),
        over(["alertname=BackupStaleEverywhere"], ["alertname=~BackupStale|BackupMissing"], everywhere),
        over(["alertname=BackupMissing"], ["alertname=BackupDidNotStart"], JOB_LABELS),
        over(["alertname=BackupFailingRepeatedly"], ["alertname=BackupFailed"], JOB_LABELS),
        over(["alertname=BackupTooSmall"], ["alertname=BackupSizeChanged"], JOB_LABELS),
        # What cannot be read is soon older than what another exporter reads.
        over(["alertname=BernardPollFailing"], ["alertname=BernardExportersDisagree"], promql.TARGET_LABELS),
        over(["alertname=BernardPollFailing", critical], ["alertname=BernardExportersDisagree"], ("job",)),
        over(["alertname=BernardInventoryOld", "cause=empty"], ["alertname=BackupMissing"]),
        # When no run is recorded at all, a single alert is enough.
        over(["alertname=BernardInventoryOld"], ["alertname=BackupDidNotStart"]),
        # The data about backups is old. The failure of one of several exporters inhibits nothing.
        over(["alertname=BernardPollFailing", critical], [_BACKUPS]),
        over(["alertname=BernardPollFailing", critical], ["alertname=BernardInventoryOld"]),
        over(["alertname=BernardDown", critical], ["alertname=~BernardPollFailing|BernardInventoryOld"]),
        over(["alertname=BernardDown", critical], [_BACKUPS]),
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
