"""What differs from site to site, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter import promql

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Settings:
    """What rules and routing are made with; times are seconds.

    Limits of backups are not here: they are the policy's, and rules read them from its metrics.

    Attributes:
        team: the label ``team`` of every alert.
        deploy_tag: in the first line of every rule file.
        dashboard_url: of Grafana.
        runbook_url: the folder of this project's runbooks, as HTML.
        exporter_url: of the exporter's own pages.
        scrape_job: the name of the scrape job in Prometheus' configuration.
        pager_url: a webhook that calls a person out.
        chat_url: an incoming webhook of Mattermost or Slack.
        task_url: a webhook that files a task.
        mail_to: who gets e-mail.
        mail_from: its sender.
        smarthost: the mail server, with its port.
        smtp_tls: whether the mail server must offer TLS.
        pace: what the time an alert waits for is multiplied by: its hold, window, grace and grouping.
        memory: how long after its last poll what an exporter said is held on to while it says nothing.
        grace: how long after its due time a run may start.
        clock_tolerance: how far apart clocks may be.
        objective: the share of time each job is to meet its recovery point objective.
        repeated_failures: how many failed runs in a row are no accident.
    """

    team: str = "data-persistence"
    deploy_tag: str = "ops"
    dashboard_url: str = "https://grafana.example"
    runbook_url: str = "https://docs.example/bernard-exporter/runbooks"
    exporter_url: str = "https://bernard.example"
    scrape_job: str = "bernard"
    pager_url: str = "https://pager.example/hooks/alertmanager"
    chat_url: str = "https://chat.example/hooks/databases"
    task_url: str = "https://tasks.example/hooks/alertmanager"
    mail_to: str = "dba@example.org"
    mail_from: str = "alertmanager@example.org"
    smarthost: str = "mail.example.org:25"
    smtp_tls: bool = True
    pace: float = 1.0
    memory: float = 7 * DAY
    grace: float = HOUR
    clock_tolerance: float = 10 * MINUTE
    objective: float = 0.99
    repeated_failures: int = 2

    def wait(self, seconds: float) -> str:
        """Return a time to wait, at this pace, as Prometheus writes it."""
        return promql.duration(seconds * self.pace)

    def window(self, seconds: float) -> str:
        """Return a time to look back, at this pace but never nothing, as Prometheus writes it."""
        return promql.duration(max(seconds * self.pace, 1.0))
