"""The OpenAPI document is correct: schemathesis sends valid and invalid requests to the running process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bernard_exporter.commands.sample.generate import generate
from testing.exporter import Exporter, exporter
from testing.servers import eventually

EXAMPLES = 6
CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 404, 405, 413, 414, 503]
"""


def arguments(address: str, directory: Path, phases: str) -> list[str]:
    """Return how to call schemathesis so that it asks the same at each call."""
    config = directory / "schemathesis.toml"
    config.write_text(CONFIG)
    # A cursor is text, but not every text is a cursor.
    checks = ["--checks", "all", "--exclude-checks", "positive_data_acceptance"]
    flags = [
        "--generation-deterministic",
        f"--max-examples={EXAMPLES}",
        f"--phases={phases}",
        "--continue-on-failure",
        "--no-color",
    ]
    return ["--config-file", str(config), "run", f"http://{address}/api/v1/openapi.json", *checks, *flags]


def test_no_answer_is_a_server_error_or_undocumented(url: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    generate(url, days=30, runs=2000, jobs=40, files=20, seed=1, now=datetime.now(UTC), policy_output=policy)
    config = f"database: {{url: '{url}'}}\n{policy.read_text()}"
    # Every edge of every parameter is tried on the store that connects faster.
    phases = "fuzzing,stateful" if url.startswith("mysql") else "coverage,fuzzing,stateful"
    with exporter(tmp_path, config) as running:
        eventually(lambda: running.get("/-/ready").status_code == 200, "the exporter is ready")
        asked = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *arguments(running.address, tmp_path, phases)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            cwd=tmp_path,
        )
        assert asked.returncode == 0, f"{asked.stdout}\n{asked.stderr}\n{running.logged()}"
        _assert_still_well(running)


def _assert_still_well(running: Exporter) -> None:
    assert "level=error" not in running.logged()
    assert "Traceback" not in running.logged()
    assert running.get("/metrics").status_code == 200
