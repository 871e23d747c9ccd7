"""Installations by pip and pipx in an empty environment are complete."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from filecmp import dircmp
from pathlib import Path

import httpx
import pytest

from bernard_exporter import __version__
from testing import plain_http
from testing.servers import eventually, free_port, process
from testing.tree import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist and not from the checkout."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(directory), str(ROOT)], check=True, capture_output=True
    )
    (found,) = directory.glob("*.whl")
    return found


@pytest.fixture(params=["pip", "pipx"])
def command(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Path:
    """The command as installed."""
    if request.param == "pip":
        environment = tmp_path / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([environment / "bin" / "pip", "install", "--quiet", str(wheel)], check=True)
        return environment / "bin" / "bernard-exporter"
    places = {f"PIPX_{name}": str(tmp_path / name) for name in ("HOME", "BIN_DIR", "MAN_DIR")}
    subprocess.run(
        [sys.executable, "-m", "pipx", "install", "--quiet", str(wheel)], check=True, env={**os.environ, **places}
    )
    return tmp_path / "BIN_DIR" / "bernard-exporter"


@pytest.fixture
def served(command: Path, tmp_path: Path) -> Iterator[str]:
    """The address of an installed exporter, started far from the checkout."""
    url, policy, config = (
        f"sqlite:///{tmp_path / 'inventory.sqlite'}",
        tmp_path / "policy.yaml",
        tmp_path / "config.yaml",
    )
    fill = [str(command), "generate-sample", url, "--days=9", "--files=2", "--policy-output", str(policy)]
    subprocess.run(fill, check=True, cwd=tmp_path)
    config.write_text(f"database: {{url: '{url}'}}\n{policy.read_text()}")
    address = f"127.0.0.1:{free_port()}"
    arguments = [str(command), "serve", f"--config.file={config}", f"--web.listen-address={address}"]
    with ExitStack() as stack:
        stack.enter_context(process(arguments, tmp_path / "log"))

        def ready() -> bool:
            try:
                return plain_http.get(f"http://{address}/-/ready").is_success
            except httpx.TransportError:
                return False

        eventually(ready, "the installed exporter is ready")
        yield address


def test_installed_command_finds_everything_it_needs(command: Path, served: str, tmp_path: Path) -> None:
    said = subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout
    assert said == f"bernard-exporter, version {__version__}\n"
    drop_in = [
        str(command.with_name("check-mariadb-backups")),
        "-s",
        "s1",
        "-d",
        "eqiad",
        "-m",
        str(tmp_path / "nothing.ini"),
    ]
    judged = subprocess.run(drop_in, check=False, capture_output=True, text=True)
    assert (judged.returncode, judged.stdout[:17], judged.stderr) == (3, "BACKUP UNKNOWN - ", "")
    scrape = plain_http.get(f"http://{served}/metrics").text
    assert "\nbernard_up 1.0\n" in scrape
    assert f'version="{__version__}"' in scrape
    assert plain_http.get(f"http://{served}/").headers["content-type"].startswith("text/html")
    subprocess.run([command, "monitoring", "watching"], check=True, cwd=tmp_path)
    for name, source in {
        "dashboards": ROOT / "dashboards" / "json",
        "rules": ROOT / "alerts" / "rules",
        "alertmanager": ROOT / "alerts" / "alertmanager",
        "kubernetes": ROOT / "alerts" / "kubernetes",
    }.items():
        ignored = [path.name for path in source.glob("*_test.yaml")]
        compared = dircmp(tmp_path / "watching" / name, source, ignore=ignored)
        assert compared.left_list == compared.right_list != []
        assert compared.diff_files == []
