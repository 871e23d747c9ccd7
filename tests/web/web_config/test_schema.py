"""The API with password protection matches its OpenAPI document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from testing import plain_http
from testing.served import guarded, hashed
from tests.web.api.test_schema import arguments


def test_links_from_answer_to_answer_can_be_followed_with_the_password(tmp_path: Path) -> None:
    """As schemathesis finds them in the document, which the password opens too."""
    with guarded(tmp_path, f"basic_auth_users: {{alice: '{hashed('right')}'}}") as served:
        command = [sys.executable, "-m", "schemathesis.cli", *arguments(served.address, tmp_path, "stateful")]
        done = subprocess.run(
            [*command, "--auth=alice:right"], capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        refused = subprocess.run(
            [*command, "--auth=alice:wrong"], capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path
        )
        assert "HTTP 401 Unauthorized" in refused.stdout + refused.stderr
        assert plain_http.get(f"{served.url}/metrics", auth=("alice", "right")).status_code == httpx.codes.OK
        assert "Traceback" not in served.logged()
