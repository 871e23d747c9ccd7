"""Roots of Debian bookworm to build and install packages in, made by debootstrap from the machine's own apt sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
# How long a kept root serves before it is made anew, in seconds.
_KEPT = 7 * 86400
_TARGETS = "$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
_SHOWN = 60


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"{what} ...", flush=True)
    begun = time.monotonic()
    yield
    print(f"  {time.monotonic() - begun:.0f} s", flush=True)


@dataclass(frozen=True, slots=True)
class Root:
    """A file system to run commands in.

    Attributes:
        log: where they write what they say.
    """

    path: Path
    log: Path

    def run(self, script: str, **environment: str) -> str:
        """Run a shell script in the root, with its own processes and mounts, which end with it; return what it said.

        Raises:
            SystemExit: it failed; shows the end of what it said.
        """
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", str(self.path)]
        command += ["/bin/sh", "-euc", f"mount -t proc proc /proc\n{script}"]
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **environment}
        done = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"# {script}\n{said}")
        if done.returncode:
            print("\n".join(said.splitlines()[-_SHOWN:]), file=sys.stderr)
            raise SystemExit(f"failed in {self.path}: {script.strip().splitlines()[0]} (all of it in {self.log})")
        return done.stdout

    def install(self, *packages: str) -> None:
        """Install Debian packages."""
        self.run(
            f"apt-get install -y -qq --no-install-recommends {' '.join(packages)}", DEBIAN_FRONTEND="noninteractive"
        )

    def copy(self, path: Path) -> Root:
        """Return a copy of the root at another path, in the place of what was there."""
        remove(path)
        subprocess.run(["cp", "--archive", "--reflink=auto", str(self.path), str(path)], check=True)
        return Root(path, self.log)


def remove(path: Path) -> None:
    """Remove a root; nothing of the machine is mounted in one, for mounts end with the command that needed them."""
    if path.exists():
        shutil.rmtree(path)


def fresh(path: Path) -> bool:
    """Tell whether a root was made whole, and not too long ago."""
    mark = path.with_suffix(".made")
    return mark.exists() and path.exists() and time.time() - mark.stat().st_mtime < _KEPT


def mark_made(path: Path) -> None:
    """Note that a root was made whole."""
    path.with_suffix(".made").touch()


def base(path: Path, log: Path) -> Root:
    """Return a minimal root that apt works in; one that is kept, or a new one.

    Raises:
        SystemExit: the machine cannot make one.
    """
    root = Root(path, log)
    if fresh(path):
        return root
    if os.getuid():
        raise SystemExit("a root of Debian can be made by root only: run it with sudo")
    sources = _sources()
    with step(f"debootstrap of {SUITE}"):
        remove(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            mirror = sources[0].split()[1]
            command = ["debootstrap", "--variant=minbase", SUITE, str(path), mirror]
            if subprocess.run(command, stdout=output, stderr=output, check=False).returncode:
                raise SystemExit(f"debootstrap failed: {log} tells why")
        (path / "etc/apt/sources.list").write_text("\n".join(sources) + "\n", encoding="utf-8")
        (path / "etc/apt/apt.conf.d/10machine").write_text(_apt_settings(), encoding="utf-8")
        # A package's server must not start in a root.
        policy = path / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
        for name in ("hosts", "resolv.conf"):
            shutil.copyfile(f"/etc/{name}", path / "etc" / name)
        root.run("apt-get update -qq")
        mark_made(path)
    return root


def _sources() -> list[str]:
    """Return the machine's own sources of the suite, as lines of ``sources.list``, the suite itself first.

    Raises:
        SystemExit: it has none.
    """
    found = set()
    for line in _said("apt-get", "indextargets", "--format", _TARGETS, "Identifier: Packages").splitlines():
        origin, codename, uri, release, component = line.split("|")
        if origin == "Debian" and codename.partition("-")[0] == SUITE:
            found.add(f"deb {uri} {release} {component}")
    lines = sorted(found, key=lambda line: (line.split()[2] != SUITE, line))
    if not lines or lines[0].split()[2] != SUITE:
        raise SystemExit(f"apt knows no packages of Debian {SUITE}: add them to its sources and run `apt-get update`")
    return lines


def _apt_settings() -> str:
    """Return how the machine's apt reaches its sources."""
    lines = _said("apt-config", "dump", "--format", '%F "%v";%n', "Acquire").splitlines()
    kept = [line for line in lines if "proxy" in line.lower() or line.startswith("Acquire::Check-")]
    return "".join(f"{line}\n" for line in kept)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
