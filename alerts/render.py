"""Rules as YAML: rule files with labels and annotations, and a custom resource of the Prometheus Operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from alerts import backups, exporter, recording
from alerts.alert import Alert, owner
from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring.settings import SiteSettings
from monitoring.severity import Severity

Group = dict[str, Any]
_MADE = "# Written by `make generate`; change alerts/*.py instead."


class _Dumper(yaml.SafeDumper):
    """Writes multi-line strings as blocks, so that expressions can be read and copied."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml(document: object) -> str:
    """Return a document as YAML, its keys in the order given."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


def rule_groups(settings: SiteSettings) -> dict[str, list[Group]]:
    """Return the groups of each rule file, by the name of the file without its suffix.

    Recording rules come before the alerts that read them: the rules of a group are evaluated in order, with the same
    timestamp.
    """
    recorded = [{"record": rule.series.name, "expr": rule.expr} for rule in recording.recordings(settings)]
    rules = {
        "bernard_backups": recorded + [_alert(alert, settings) for alert in backups.alerts(settings)],
        "bernard_exporter": [_alert(alert, settings) for alert in exporter.alerts(settings)],
    }
    return {name: [{"name": name, "rules": found}] for name, found in rules.items()}


def all_alerts(settings: SiteSettings) -> list[Alert]:
    """Return every alert, in the order of the files."""
    return [*backups.alerts(settings), *exporter.alerts(settings)]


def rule_files(settings: SiteSettings) -> Iterator[tuple[str, str]]:
    """Yield the path, relative to the output directory, and the text of every rule file."""
    for name, groups in rule_groups(settings).items():
        sites = [f"# deploy-site: {settings.deploy_site}"] if settings.deploy_site else []
        head = "\n".join([f"# deploy-tag: {settings.deploy_tag}", *sites, _MADE])
        yield f"rules/{name}.yaml", f"{head}\n{as_yaml({'groups': groups})}"


def custom_resource(settings: SiteSettings) -> str:
    """Return the same rules as a PrometheusRule of the Prometheus Operator."""
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": "bernard-exporter",
            "labels": {"app.kubernetes.io/name": "bernard-exporter", "app.kubernetes.io/component": "alerts"},
        },
        "spec": {"groups": [group for groups in rule_groups(settings).values() for group in groups]},
    }
    return f"{_MADE}\n{as_yaml(document)}"


def _alert(alert: Alert, settings: SiteSettings) -> dict[str, Any]:
    mark = " #page" if alert.severity is Severity.PAGE else ""
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **({"for": settings.wait(alert.hold)} if alert.hold else {}),
        **({"keep_firing_for": settings.wait(alert.keep)} if alert.keep else {}),
        "labels": {
            "severity": alert.severity.value,
            "team": owner(alert.labels, settings.team),
            **({"cause": alert.cause} if alert.cause else {}),
        },
        "annotations": {
            "summary": f"{alert.summary}{mark}",
            "description": alert.description,
            "dashboard": _dashboard(alert, settings),
            "runbook": f"{settings.runbook_url}/{alert.name}.html",
            "inventory": _page(alert, settings),
        },
    }


def _dashboard(alert: Alert, settings: SiteSettings) -> str:
    """Return the URL of the dashboard, with the alert's job in its variables."""
    chosen = [f"var-{label}={_label(label)}" for label in JOB_LABELS if label in alert.labels]
    return f"{settings.dashboard_url}/d/{alert.board}/{alert.board}{'?' if chosen else ''}{'&'.join(chosen)}"


def _page(alert: Alert, settings: SiteSettings) -> str:
    """Return the URL of the exporter's page of the alert's job, or of its overview."""
    if set(JOB_LABELS) <= set(alert.labels):
        return f"{settings.exporter_url}/jobs/{'/'.join(_label(label) for label in JOB_LABELS)}"
    return f"{settings.exporter_url}/"


def _label(name: str) -> str:
    return f"{{{{ $labels.{name} | urlquery }}}}"
