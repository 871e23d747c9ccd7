"""Two exporters on one inventory agree, notifications are sent once, and either of them may stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from testing.exporter import Exporter, exporter
from testing.servers import eventually
from tests.alerts.test_notifications import Fleet, fleet, start_prometheus, write
from tests.dashboards.grafana import Grafana, committed, value

__all__ = ["fleet"]
Facts = dict[tuple[str, tuple[tuple[str, str], ...]], float]
# What a board shows of the exporters themselves, not of backups.
OF_EXPORTERS = {"bernard-exporter"}
# Numbers that stand still while nothing happens to a backup.
NUMBERS = ("Fresh", "Critical", "Warning", "Stale everywhere", "Failed", "Running")


def facts(running: Exporter) -> Facts:
    """Return every sample about backups, storage or the inventory."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(running.get("/metrics").text)
        for sample in family.samples
        if sample.name.startswith(("bernard_backup_", "bernard_inventory_", "bernard_storage_", "bernard_rows_"))
    }


def await_agreement(one: Exporter, other: Exporter, ready: Callable[[Facts], bool]) -> None:
    """Wait until both tell something, and all else alike."""

    def agree() -> bool:
        found = facts(one)
        return ready(found) and found == facts(other)

    eventually(agree, "both exporters say the same")


def attempts(section: str, status: str, number: float) -> Callable[[Facts], bool]:
    """Return a condition: the newest run of a section in eqiad has a status, and a number of runs are recorded."""
    labels = (("datacenter", "eqiad"), ("section", section), ("status", status), ("type", "dump"))
    return lambda found: (
        found.get(("bernard_backup_last_attempt_status", labels)) == 1
        and found["bernard_backup_runs", labels] == number
    )


def shown(fleet: Fleet) -> dict[str, list[tuple[tuple[str, str], ...]]]:
    """Return the current values of every table and chart, by dashboard, panel and query."""
    found = {}
    for board in committed():
        if board.uid in OF_EXPORTERS:
            continue
        asked = Grafana(fleet.prometheus.address, board)
        for panel, target in board.queries():
            if target["instant"]:
                lines = [tuple(sorted(series["metric"].items())) for series in asked.result(target)]
                found[f"{board.uid} {panel['id']} {target['refId']}"] = sorted(lines)
    return found


def numbers(fleet: Fleet) -> dict[str, list[float]]:
    (board,) = (board for board in committed() if board.uid == "bernard-overview")
    asked = Grafana(fleet.prometheus.address, board)
    return {
        # Versions of Prometheus differ in the last digit of a mean.
        panel["title"]: [round(value(series), 9) for series in asked.result(panel["targets"][0])]
        for panel in board.panels
        if panel["title"] in NUMBERS and panel["type"] == "stat"
    }


def messages(fleet: Fleet) -> dict[str, Sequence[object]]:
    """Return all notifications about backups."""
    inbox = fleet.inbox
    return {
        "pages": inbox.webhooks("/pager"),
        "tasks": inbox.webhooks("/task"),
        "chat": inbox.chat("dump of"),
        "mail": inbox.subjects("dump of"),
    }


def kill(fleet: Fleet, running: Exporter, scraped: str) -> None:
    """End an exporter at once, which is scraped at an address; return when Prometheus has missed it for a while."""
    running.running.kill()
    running.running.wait()
    gone = f'count_over_time((up{{instance="{scraped}"}} == 0)[1m:1s]) > 8'
    eventually(lambda: fleet.prometheus.ask(gone), "Prometheus misses the exporter")


def test_two_exporters_give_one_alert_and_either_may_die(fleet: Fleet) -> None:
    write(fleet.rows)
    with ExitStack() as stack:
        one = fleet.export(stack)
        (fleet.directory / "other").mkdir()
        other = stack.enter_context(exporter(fleet.directory / "other", fleet.config("8d")))
        await_agreement(one, other, attempts("s1", "finished", 2))
        start_prometheus(fleet, stack, other.address)
        inbox = fleet.inbox
        eventually(lambda: inbox.webhooks("/pager"), "s3 pages")
        eventually(lambda: inbox.chat("of s2 in") and inbox.subjects("of s2 in"), "the stale backup of s2 is reported")
        eventually(lambda: inbox.webhooks("/task"), "s9 is a task")
        before = messages(fleet), numbers(fleet), shown(fleet)
        assert before[0]["pages"] == [("s3", "firing", ("BackupStaleEverywhere",))]
        assert before[1] == {
            "Fresh": [round(5 / 7, 9)],
            "Critical": [2],
            "Warning": [0],
            "Stale everywhere": [1],
            "Failed": [0],
            "Running": [0],
        }
        kill(fleet, one, fleet.exported)
        assert (messages(fleet), numbers(fleet), shown(fleet)) == before
        again = fleet.export(stack)
        await_agreement(again, other, attempts("s1", "finished", 2))
        kill(fleet, other, other.address)
        assert (messages(fleet), numbers(fleet), shown(fleet)) == before
        # New failures are reported once, too, by the other exporter.
        fleet.rows.add(section="s1", start=datetime.now(UTC), status="failed")
        eventually(lambda: inbox.chat("of s1 in"), "the failure of s1 is reported")
        assert attempts("s1", "failed", 1)(facts(again))
        assert inbox.chat("of s1 in") == ["WARNING: dump of s1 in eqiad failed"]
