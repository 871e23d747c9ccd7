"""The settings that differ between sites, for alerts, routing and dashboards."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring import promql

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Settings of rules, routing and dashboards; times are seconds.

    Limits of backups are not among them: rules read them from the metrics of the policy.

    Attributes:
        team: value of the label ``team`` of alerts, except about jobs whose policy names a team.
        owners: teams of the policy with their e-mail addresses, as TEAM=ADDRESS separated by commas.
        deploy_tag: tag in the first line of every rule file.
        deploy_site: sites in the second line of every rule file, such as "eqiad, codfw"; no such line if empty.
        dashboard_url: URL of Grafana.
        runbook_url: URL of the directory with this project's runbooks, as HTML.
        exporter_url: URL of the exporter's own pages.
        scrape_job: names of the scrape jobs in Prometheus, separated by commas; each is an inventory of its own.
        pager_url: URL of a webhook that pages a person.
        chat_url: URL of an incoming webhook of Mattermost or Slack.
        task_url: URL of a webhook that files a task.
        watchdog_url: URL of a webhook that raises an alarm when it is no longer called.
        mail_to: recipient of e-mail.
        mail_from: sender of e-mail.
        smarthost: mail server and port.
        smtp_tls: whether the mail server must offer TLS.
        pace: factor for all waiting times of alerts: hold time, window and grouping.
        repeated_failures: number of failed runs in a row that BackupFailingRepeatedly alerts on.
    """

    team: str = "data-persistence"
    owners: str = ""
    deploy_tag: str = "ops"
    deploy_site: str = ""
    dashboard_url: str = "https://grafana.example"
    runbook_url: str = "https://docs.example/bernard-exporter/runbooks"
    exporter_url: str = "https://bernard.example"
    scrape_job: str = "bernard"
    pager_url: str = "https://pager.example/hooks/alertmanager"
    chat_url: str = "https://chat.example/hooks/databases"
    task_url: str = "https://tasks.example/hooks/alertmanager"
    watchdog_url: str = "https://watchdog.example/hooks/bernard"
    mail_to: str = "dba@example.org"
    mail_from: str = "alertmanager@example.org"
    smarthost: str = "mail.example.org:25"
    smtp_tls: bool = True
    pace: float = 1.0
    repeated_failures: int = 2

    def __post_init__(self) -> None:
        """Check the owners.

        Raises:
            ValueError: an owner is not TEAM=ADDRESS.
        """
        wrong = [text for text, (team, sign, address) in self._owners() if not (team and sign and address)]
        if wrong:
            raise ValueError(f"owners: found {wrong[0]!r}, expected TEAM=ADDRESS, separated by commas")

    @property
    def scrape_jobs(self) -> list[str]:
        """The names of the scrape jobs."""
        return [name.strip() for name in self.scrape_job.split(",")]

    @property
    def owner_addresses(self) -> dict[str, str]:
        """The e-mail address of each team in ``owners``."""
        return {team: address for _, (team, _, address) in self._owners()}

    def _owners(self) -> list[tuple[str, tuple[str, str, str]]]:
        texts = [text.strip() for text in self.owners.split(",") if text.strip()]
        return [(text, text.partition("=")) for text in texts]

    def wait(self, seconds: float) -> str:
        """Return a waiting time multiplied by ``pace``, as a Prometheus duration."""
        return promql.duration(seconds * self.pace)

    def window(self, seconds: float) -> str:
        """Return a range multiplied by ``pace``, at least one second, as a Prometheus duration."""
        return promql.duration(max(seconds * self.pace, 1.0))
