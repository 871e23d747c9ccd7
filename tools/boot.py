"""A Debian root booted with systemd as its first process, in a container made with util-linux only."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_PATIENCE = 120
# A separate control group, so that systemd manages only that and not the machine's.
_ENTER = """
mount --make-rprivate /
mount -t cgroup2 none "$PLACE"
mkdir "$PLACE/$GROUP"
echo $$ >"$PLACE/$GROUP/cgroup.procs"
umount "$PLACE"
exec unshare --cgroup /bin/sh -euc "$BOOT"
"""
# The environment that container managers give systemd: its own /run, /dev and /sys, and read-only kernel settings.
_BOOT = """
ip link set lo up
mount --bind "$ROOT" "$ROOT"
cd "$ROOT"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=0755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=0755 tmpfs dev
for name in null zero full random urandom tty; do
    touch dev/$name
    mount --bind /dev/$name dev/$name
done
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mkdir -p run/before
pivot_root . run/before
umount -l /run/before
exec env -i container=chroot PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd </dev/null
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A booted root.

    Attributes:
        first: the first process of it, as this machine sees it.
    """

    first: int

    def run(self, script: str) -> str:
        """Run a shell script in it; return what it said.

        Raises:
            SystemExit: it failed; tells what it said.
        """
        done = self._run("/bin/sh", "-euc", script)
        if done.returncode:
            journal = self._run("journalctl", "--no-pager", "--lines=40").stdout
            raise SystemExit(f"failed in a booted root: {script}\n{done.stdout}{done.stderr}\nits journal:\n{journal}")
        return done.stdout

    def is_up(self) -> bool:
        """Return whether the boot has finished, successfully or not."""
        return self._run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", f"--target={self.first}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        enter += ["--root", "--wd=/"]
        return subprocess.run([*enter, *command], env=_ENVIRONMENT, capture_output=True, text=True, check=False)


@contextmanager
def booted(root: Path, log_file: Path) -> Iterator[Machine]:
    """Boot a root that has systemd; stop it at the end of the block.

    Args:
        root: its directory.
        log_file: where its console is written.

    Raises:
        SystemExit: it does not come up.
    """
    group = f"boot-{os.getpid()}"
    command = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child", "/bin/sh", "-euc"]
    with tempfile.TemporaryDirectory() as directory, log_file.open("ab") as log:
        environment = {**_ENVIRONMENT, "ROOT": str(root), "GROUP": group, "PLACE": directory, "BOOT": _BOOT}
        running = subprocess.Popen([*command, _ENTER], env=environment, stdout=log, stderr=log)
        try:
            yield _come_up(running, root, log_file)
        finally:
            # This ends the first process, which ends all others.
            running.send_signal(signal.SIGKILL)
            running.wait()
            _remove_group(group, Path(directory))


def _come_up(running: subprocess.Popen[bytes], root: Path, log_file: Path) -> Machine:
    """Wait until systemd has finished booting."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and running.poll() is None:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text(encoding="ascii").split()
        if children and (machine := Machine(int(children[0]))).is_up():
            return machine
        time.sleep(0.2)
    raise SystemExit(
        f"{root} does not boot within {_PATIENCE} s: see {log_file}; it needs root, namespaces and cgroup2"
    )


def _remove_group(name: str, directory: Path) -> None:
    """Remove the control group, in a mount that ends with the command."""
    script = (
        'mount -t cgroup2 none "$PLACE"; for _ in $(seq 50); do '
        'find "$PLACE/$GROUP" -depth -type d -exec rmdir {} + 2>/dev/null && exit; sleep 0.1; done; exit 1'
    )
    environment = {**_ENVIRONMENT, "GROUP": name, "PLACE": str(directory)}
    subprocess.run(["unshare", "--mount", "/bin/sh", "-euc", script], env=environment, check=True)
