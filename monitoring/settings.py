"""The settings that differ between sites."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring import promql

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Settings of rules and routing; times are seconds.

    Limits of backups are not among them: rules read them from the metrics of the policy.

    Attributes:
        team: value of the label ``team`` of every alert.
        deploy_tag: tag in the first line of every rule file.
        dashboard_url: URL of Grafana.
        runbook_url: URL of the directory with this project's runbooks, as HTML.
        exporter_url: URL of the exporter's own pages.
        scrape_job: name of the scrape job in the configuration of Prometheus.
        pager_url: URL of a webhook that pages a person.
        chat_url: URL of an incoming webhook of Mattermost or Slack.
        task_url: URL of a webhook that files a task.
        mail_to: recipient of e-mail.
        mail_from: sender of e-mail.
        smarthost: mail server and port.
        smtp_tls: whether the mail server must offer TLS.
        pace: factor for all waiting times of alerts: hold time, window and grouping.
        memory: how long the last values of an exporter that does not answer are kept, counted from its last poll.
        objective: fraction of time in which each job should meet its recovery point objective.
        repeated_failures: number of failed runs in a row that BackupFailingRepeatedly alerts on.
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
    objective: float = 0.99
    repeated_failures: int = 2

    def wait(self, seconds: float) -> str:
        """Return a waiting time multiplied by ``pace``, as a Prometheus duration."""
        return promql.duration(seconds * self.pace)

    def window(self, seconds: float) -> str:
        """Return a range multiplied by ``pace``, at least one second, as a Prometheus duration."""
        return promql.duration(max(seconds * self.pace, 1.0))
