"""The examples of the documentation run as they are."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bernard_exporter.sample.generate import generate
from tests.exporter import exporter
from tests.servers import eventually, need

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "api.md"


def test_every_example_of_the_page_runs(tmp_path: Path) -> None:
    examples = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) >= 8
    url, policy = f"sqlite:///{tmp_path / 'inventory.sqlite'}", tmp_path / "policy.yaml"
    generate(url, days=30, runs=500, jobs=70, files=20, seed=1, now=datetime.now(UTC), policy_output=policy)
    with exporter(tmp_path, f"database: {{url: '{url}'}}\n{policy.read_text()}") as running:
        eventually(lambda: running.get("/-/ready").status_code == 200, "the exporter is ready")
        for example in examples:
            # As it is, but that the port is free and an error ends it.
            script = example.replace("localhost:10279", running.address).replace("curl -s", f"{need('curl')} -sSf")
            done = subprocess.run(
                ["/bin/bash", "-euo", "pipefail", "-c", script],
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
            )
            assert done.returncode == 0, f"{script}\n{done.stderr}"
            found = done.stdout or (tmp_path / "runs.csv").read_text()
            assert re.search(r'"items":\[|"section":"s1"|^id,name,', found), f"{script}\n{found}"
