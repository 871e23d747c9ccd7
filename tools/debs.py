"""Build the Debian packages for Debian 13 with sbuild, twice; with ``--install`` try them.

autopkgtest runs the packages' own tests, piuparts installs and purges them, and a booted root runs their service.
``make deb`` and ``make deb-test`` start it. Everything is kept in build/deb, and the packages are put into dist/deb.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testing.tree import ROOT, copy_files
from tools.boot import booted

WORK, RESULT = ROOT / "build" / "deb", ROOT / "dist" / "deb"
SUITE = "trixie"
BASE, LOG = WORK / f"{SUITE}.tar.gz", WORK / "log"
EXPORTER, MONITORING = "prometheus-bernard-exporter", "bernard-monitoring"
# Two builds with different settings that must not affect the result.
_BUILDS = {
    "first": ("/build/first", {"TZ": "UTC", "LC_ALL": "C.UTF-8"}, ""),
    "second": ("/build/another/place", {"TZ": "Pacific/Kiritimati", "LC_ALL": "C"}, "nocheck parallel=2"),
}
_LINTIAN = "--pedantic --display-info --fail-on=none"
# What the packages' service needs in a root to boot, besides their own dependencies.
_BOOTS = "curl,dbus,libnss-systemd,mariadb-server,systemd-sysv"
_APT = "apt-get -y -qq -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
# Maximum age of the root that the others are copied from, in seconds.
_KEPT_SECONDS = 7 * 86400
_SHOWN = 60


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print the name of a step and how long it took."""
    print(f"{what} ...", flush=True)
    begun = time.monotonic()
    yield
    print(f"  {time.monotonic() - begun:.0f} s", flush=True)


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Run a command with its output in the log; return it.

    Raises:
        SystemExit: it failed; shows the end of its output.
    """
    arguments = [str(part) for part in command]
    done = subprocess.run(
        arguments,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"# {' '.join(arguments)}\n{done.stdout}")
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-_SHOWN:]), file=sys.stderr)
        raise SystemExit(f"{arguments[0]} failed with {done.returncode}; all of its output is in {LOG}")
    return done.stdout


def base() -> None:
    """Make the minimal root that is unpacked for every build and test, unless there is a recent one."""
    if BASE.exists() and time.time() - BASE.stat().st_mtime < _KEPT_SECONDS:
        return
    with step(f"mmdebstrap of {SUITE}"):
        run("mmdebstrap", "--variant=apt", SUITE, BASE)


def allow_user_namespaces() -> None:
    """Give root the subordinate ids with which sbuild and autopkgtest unpack roots; other users have them."""
    if not os.getuid() and "root:" not in Path("/etc/subuid").read_text(encoding="utf-8"):
        run("usermod", "--add-subuids=100000-165535", "--add-subgids=100000-165535", "root")


def source() -> Path:
    """Make a source package of the tracked files in the work tree; return its .dsc."""
    directory = WORK / "source"
    shutil.rmtree(directory, ignore_errors=True)
    target = directory / "bernard-exporter"
    copy_files(target)
    run("dpkg-source", "--build", target.name, cwd=directory)
    (described,) = directory.glob("*.dsc")
    return described


def build(described: Path) -> list[Path]:
    """Build twice and compare; lintian judges the first. Return the packages.

    Raises:
        SystemExit: a build fails, lintian finds anything, or the two builds differ.
    """
    hashes = []
    for name in _BUILDS:
        with step(f"sbuild ({name})"):
            packages = _sbuild(described, name)
        hashes.append({package.name: hashlib.sha256(package.read_bytes()).hexdigest() for package in packages})
    first, second = hashes
    if first != second:
        raise SystemExit(f"two builds differ, expected the same bytes: {first} and {second}")
    return sorted((WORK / "first").glob("*.deb"))


def _sbuild(described: Path, name: str) -> list[Path]:
    directory = WORK / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    path, environment, options = _BUILDS[name]
    settings = directory / "sbuild.conf"
    variables = ", ".join(f"'{key}' => '{value}'" for key, value in environment.items())
    settings.write_text(f"$build_environment = {{{variables}}};\n1;\n", encoding="utf-8")
    lintian = ["--run-lintian", f"--lintian-opts={_LINTIAN}"] if name == "first" else ["--no-run-lintian"]
    command = ["sbuild", "--chroot-mode=unshare", f"--dist={SUITE}", f"--chroot={BASE}", f"--build-path={path}"]
    said = run(*command, *lintian, described, cwd=directory, SBUILD_CONFIG=str(settings), DEB_BUILD_OPTIONS=options)
    if found := re.findall(rf"^[EWIPX]: (?:bernard-exporter|{EXPORTER}|{MONITORING})\b.*", said, re.MULTILINE):
        raise SystemExit("lintian found, expected nothing; fix it, or override it with a reason:\n" + "\n".join(found))
    return sorted(directory.glob("*.deb"))


def older(packages: list[Path]) -> list[Path]:
    """Repack packages as an earlier version, with a different default configuration."""
    directory = WORK / "older"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for package in packages:
        run("sh", "-euc", _OLDER, "older", package, cwd=directory)
    return sorted(directory.glob("*.deb"))


def autopkgtest(packages: list[Path], described: Path) -> None:
    """Run the packages' own tests, but for that of the service, which needs a booted root."""
    tests = ["--test-name=scrape", "--test-name=monitoring"]
    where = ["unshare", f"--release={SUITE}", f"--tarball={BASE}"]
    with step("autopkgtest"):
        said = run("autopkgtest", "--apt-upgrade", *tests, *packages, described, "--", *where)
        print("\n".join(f"  {line}" for line in said.splitlines() if line.startswith(("scraped", "accepted"))))


def piuparts(packages: list[Path]) -> None:
    """Install the packages, and purge them so that nothing is left."""
    with step("piuparts"):
        run(
            "piuparts",
            f"--basetgz={BASE}",
            f"--distribution={SUITE}",
            "--no-eatmydata",
            "--no-upgrade-test",
            "--ignore=/etc/.pwd.lock",
            "--ignore-regex=/var/cache/debconf/tmp.ci/?",
            *packages,
        )


def boot(packages: list[Path]) -> None:
    """Upgrade the packages in a booted root, and try their service and the units of those who install otherwise.

    Raises:
        SystemExit: the root does not boot, or a step fails.
    """
    root = WORK / "boot"
    shutil.rmtree(root, ignore_errors=True)
    with step("mmdebstrap of a root to boot"):
        run("mmdebstrap", "--variant=apt", f"--include={_BOOTS}", *_hooks(packages, older(packages)), SUITE, root)
    with (
        step("upgrade keeps the configuration; services are ready, watched and locked away"),
        booted(root, LOG) as machine,
    ):
        machine.run(f"{_APT} install /packages/older/*.deb\n{_EDIT}\n{_APT} install /packages/*.deb\n{_KEPT}")
        print("  " + machine.run("/packages/tests/service").splitlines()[-1])
        machine.run(_DYNAMIC)
        for unit, port in (("bernard-exporter", 10279), ("bernard-exporter@second", 10280)):
            print("  " + machine.run(f"/packages/tests/service {unit} 127.0.0.1:{port}").splitlines()[-1])
        machine.run(_REMOVED_WHILE_LISTENING)


def _hooks(packages: list[Path], older_packages: list[Path]) -> list[str]:
    """Return how mmdebstrap copies files into a root and installs the packages' dependencies, without pip."""
    copied = {"/packages": [*packages, ROOT / "debian" / "tests"], "/packages/older": older_packages}
    copied["/etc/systemd/system"] = sorted((ROOT / "deploy" / "systemd").iterdir())
    lines = [f"copy-in {' '.join(map(str, files))} {place}" for place, files in copied.items()]
    hooks = ['mkdir -p "$1/packages/older"', *lines, f"chroot \"$1\" sh -euc '{_SATISFY}'"]
    return [f"--customize-hook={hook}" for hook in hooks]


_OLDER = r"""
dpkg-deb -R "$1" package
sed -i 's/^Version: .*/Version: 0.0.1/; s/ (= [^)]*)//' package/DEBIAN/control
cd package
[ ! -e DEBIAN/conffiles ] || while read -r file; do echo '# of the version before' >>.$file; done <DEBIAN/conffiles
find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums
cd ..
dpkg-deb --root-owner-group -b package ./
rm -rf package
"""
_SATISFY = """
for deb in /packages/*.deb; do
    apt-get satisfy -y -qq --no-install-recommends "$(dpkg-deb -f $deb Depends)"
done
! python3 -m pip --version
[ -z "$(find /usr/local/lib -path "*dist-packages/*")" ]
"""
_EDIT = """
sed -i 's/^ARGS=.*/ARGS="--log.level=debug"/' /etc/default/prometheus-bernard-exporter
echo '# kept' >>/etc/bernard-exporter/my.cnf
grep -q 'of the version before' /etc/bernard-exporter/config.yaml
"""
# With DynamicUser, as in the project's units, the user is in no group that can read the option file, so use a password.
_DYNAMIC = """
mariadb --execute="GRANT SELECT ON dbbackups.* TO 'dynamic'@'localhost' IDENTIFIED BY 'word'"
cd /etc/bernard-exporter
url='mysql+pymysql://dynamic:word@localhost/dbbackups?unix_socket=/run/mysqld/mysqld.sock'
sed -i "s|^  option_file: .*|  url: '$url'|" config.yaml
cp config.yaml second.yaml
echo 'ARGS="--web.listen-address=127.0.0.1:10280"' >/etc/default/bernard-exporter-second
"""
# An administrator may edit files that stay when the packages go.
_REMOVED_WHILE_LISTENING = f"""
systemctl start {EXPORTER}.socket
{_APT} remove {EXPORTER} {MONITORING}
! systemctl is-active {EXPORTER}.socket {EXPORTER}.service
! curl --silent http://127.0.0.1:10279/
! command -v bernard-exporter
grep -q kept /etc/bernard-exporter/my.cnf
"""
_KEPT = """
grep -qx 'ARGS="--log.level=debug"' /etc/default/prometheus-bernard-exporter
grep -qx '# kept' /etc/bernard-exporter/my.cnf
[ "$(stat -c %U:%G:%a /etc/bernard-exporter/my.cnf)" = root:bernard-exporter:640 ]
# An unchanged configuration file is replaced by the new one.
! grep -q 'of the version before' /etc/bernard-exporter/config.yaml
"""


def main() -> None:
    """Build the packages, and test them with ``--install``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="try the packages in fresh roots; needs root")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    allow_user_namespaces()
    base()
    described = source()
    packages = build(described)
    if options.install:
        autopkgtest(packages, described)
        piuparts(packages)
        boot(packages)
    shutil.rmtree(RESULT, ignore_errors=True)
    RESULT.mkdir(parents=True)
    for file in (*described.parent.glob("*_*"), *(WORK / "first").glob("*_*.*")):
        if not file.name.endswith(".build"):
            shutil.copy2(file, RESULT)
    print(f"built {', '.join(sorted(file.name for file in RESULT.iterdir()))} in {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
