"""The test files in the directory of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from testing.alerts import backup_scenarios, exporter_scenarios, gap_scenarios, pair_scenarios, policy_scenarios
from testing.alerts.scenarios import Scenario, written

SCENARIOS: Mapping[str, list[Scenario]] = {
    "bernard_backups": [
        *backup_scenarios.scenarios(),
        *gap_scenarios.scenarios(),
        *pair_scenarios.scenarios(),
        *policy_scenarios.scenarios(),
    ],
    "bernard_exporter": list(exporter_scenarios.scenarios()),
}


def rule_tests() -> Iterator[tuple[str, str]]:
    """Yield the path and text of each, from the folder of the results."""
    for name, scenarios in SCENARIOS.items():
        yield f"rules/{name}_test.yaml", written(f"{name}.yaml", scenarios, "1m")
