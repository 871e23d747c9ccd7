"""An example configuration of Alertmanager: routes, receivers and inhibition rules."""

from __future__ import annotations

from typing import Any

from alerts.render import as_yaml
from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring import promql
from monitoring.settings import DAY, HOUR, MINUTE, SiteSettings
from monitoring.severity import Severity

_MADE = "# Written by `make generate`; change alerts/routing.py instead."
_SECONDS = 1.0
_BACKUPS = "alertname=~Backup.+"
# The receiver of each severity, and the time between its reminders.
RECEIVERS = {
    Severity.PAGE: ("page", 4 * HOUR),
    Severity.CRITICAL: ("critical", DAY),
    Severity.WARNING: ("warning", 3 * DAY),
    # The default retention of Alertmanager, after which it would notify again.
    Severity.TASK: ("task", 5 * DAY),
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
        "inhibit_rules": inhibitions(settings),
        "receivers": _receivers(settings),
    }
    return f"{_MADE}\n{as_yaml(document)}"


def _route(settings: SiteSettings) -> dict[str, Any]:
    """Return the routing tree: one notification per section and severity; pages are sent first."""
    return {
        # The receiver of alerts that match none of the routes below.
        "receiver": "critical",
        "group_by": ["section"],
        "group_wait": settings.wait(MINUTE),
        "group_interval": settings.wait(5 * MINUTE),
        "repeat_interval": promql.duration(DAY),
        "routes": [
            {
                "matchers": [f'team="{settings.team}"', f'severity="{severity}"'],
                "receiver": receiver,
                "repeat_interval": promql.duration(repeat),
                **({"group_wait": settings.wait(15 * _SECONDS)} if severity is Severity.PAGE else {}),
            }
            for severity, (receiver, repeat) in RECEIVERS.items()
        ],
    }


def inhibitions(settings: SiteSettings) -> list[dict[str, Any]]:
    """Return the inhibition rules; each applies within one team."""
    team = f'team="{settings.team}"'

    def over(source: list[str], target: list[str], equal: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "source_matchers": [team, *(_quoted(matcher) for matcher in source)],
            "target_matchers": [team, *(_quoted(matcher) for matcher in target)],
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
    mail = {
        "email_configs": [
            {
                "to": settings.mail_to,
                "send_resolved": True,
                "headers": {"Subject": '{{ template "bernard.title" . }}'},
                "html": '{{ template "bernard.html" . }}',
                "text": '{{ template "bernard.text" . }}',
            }
        ]
    }
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
    return [
        {"name": "page", **pager, **mail},
        {"name": "critical", **chat, **mail},
        {"name": "warning", **chat},
        {"name": "task", **task},
    ]
