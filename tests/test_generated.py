"""Generated files are up to date."""

import subprocess
import sys

from testing.tree import ROOT


def test_every_generated_file_follows_from_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
