"""Build the Debian packages in a root of Debian, twice; with ``--install`` try them in a fresh one.

``make deb`` and ``make deb-test`` start it. Everything is kept in build/deb, and the packages put into dist/deb.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
from pathlib import Path

from tools.boot import booted
from tools.chroot import Root, base, fresh, mark_made, step

ROOT = Path(__file__).parent.parent
WORK, RESULT = ROOT / "build" / "deb", ROOT / "dist" / "deb"
EXPORTER, MONITORING = "prometheus-bernard-exporter", "bernard-monitoring"
# Two builds that differ in all that must not matter.
_BUILDS = {
    "first": {"TZ": "UTC", "LC_ALL": "C.UTF-8", "DEB_BUILD_OPTIONS": ""},
    "a/second/one": {
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "DEB_BUILD_OPTIONS": "nocheck parallel=2",
        "HOME": "/b",
    },
}
_APT = "apt-get -y -qq -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
# What dpkg, apt and the tools of passwd write for themselves.
_OWN = (
    "var/lib/dpkg/",
    "var/lib/apt/",
    "var/cache/",
    "var/log/",
    "proc/",
    "tmp/",
    "run/",
    "root/",
    "packages/",
    "etc/.pwd",
)


def build_root(log: Path) -> Root:
    """Return a root with what the packages are built with."""
    control = (ROOT / "debian" / "control").read_text(encoding="utf-8")
    name = f"build-{hashlib.sha256(control.encode()).hexdigest()[:12]}"
    if fresh(WORK / name):
        return Root(WORK / name, log)
    root = base(WORK / "base", log).copy(WORK / name)
    with step("installing what the packages are built with"):
        root.install("build-essential", "lintian")
        shutil.copytree(ROOT / "debian", root.path / "source" / "debian")
        root.run("cd /source && apt-get build-dep -y -qq --no-install-recommends ./", DEBIAN_FRONTEND="noninteractive")
        mark_made(root.path)
    return root


def build(root: Root) -> Path:
    """Build twice, compare, and let lintian judge; return the folder of the packages.

    Raises:
        SystemExit: a build fails, the two differ, or lintian finds anything.
    """
    built = {}
    for name, environment in _BUILDS.items():
        place = root.path / "build" / name
        shutil.rmtree(root.path / "build" / name.partition("/")[0], ignore_errors=True)
        (place / "source").mkdir(parents=True)
        _export(place / "source")
        with step(f"dpkg-buildpackage ({name})"):
            mask = "umask 022" if name == "first" else "umask 002"
            root.run(f"{mask}\ncd /build/{name}/source\ndpkg-buildpackage --no-sign", **environment)
        built[name] = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in place.glob("*.deb")}
    first, second = built.values()
    if first != second:
        raise SystemExit(f"two builds differ, expected the same bytes: {first} and {second}")
    with step("lintian"):
        found = root.run("cd /build/first\nlintian --allow-root --pedantic --display-info --fail-on=none *.changes")
        if found:
            raise SystemExit(f"lintian found:\n{found}expected nothing; mend it, or override it with a reason")
    return root.path / "build" / "first"


def _export(target: Path) -> None:
    """Copy what git tracks, as it is in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def older(root: Root, packages: Path) -> None:
    """Make packages of a version before, whose own configuration reads otherwise."""
    root.run(_OLDER, PLACE="/" + str(packages.relative_to(root.path)))


def snapshot(root: Root) -> dict[str, str]:
    """Return every file of a root but what the package tools write for themselves; of /etc with what is in it."""
    found = {}
    for path in root.path.rglob("*"):
        name = str(path.relative_to(root.path))
        if name.startswith(_OWN) or (name.startswith("etc/") and name.endswith("-")):
            continue
        status = path.lstat()
        held = hashlib.sha256(path.read_bytes()).hexdigest() if name.startswith("etc/") and path.is_file() else ""
        found[name] = f"{status.st_mode:o} {status.st_uid} {status.st_gid} {held}"
    return found


def provide(root: Root, packages: Path) -> None:
    """Put the packages into a fresh root, and install what they and their tests need."""
    shutil.copytree(packages, root.path / "packages", ignore=shutil.ignore_patterns("source"))
    shutil.copytree(ROOT / "debian" / "tests", root.path / "packages" / "tests")
    with step("installing what the packages and their tests depend on"):
        root.install("curl", "icinga2-bin", "mariadb-server", "prometheus", "prometheus-alertmanager")
        root.run(_SATISFY)
        root.run("! python3 -m pip --version && [ -z \"$(find /usr/local/lib -path '*dist-packages/*')\" ]")


def boot(root: Root) -> None:
    """Boot a root and try the packages' service under its systemd, and the units of those who install otherwise.

    Raises:
        SystemExit: the root does not boot, or a unit does not what it is to do.
    """
    with step("installing systemd"):
        root.install("dbus", "libnss-systemd", "systemd-sysv")
        root.run(f"{_APT} install /packages/*.deb")
        for file in (ROOT / "deploy" / "systemd").iterdir():
            shutil.copy2(file, root.path / "etc" / "systemd" / "system")
    with step("the services are ready, watched and locked away under systemd"), booted(root) as machine:
        print("  " + machine.run("/packages/tests/service").splitlines()[-1])
        machine.run(_DYNAMIC)
        for unit, port in (("bernard-exporter", 10279), ("bernard-exporter@second", 10280)):
            print("  " + machine.run(f"/packages/tests/service {unit} 127.0.0.1:{port}").splitlines()[-1])


def install(root: Root) -> None:
    """Install, upgrade, use, remove and purge the packages in a root that has what they need.

    Raises:
        SystemExit: a step fails, or leaves what it must not.
    """
    before = snapshot(root)
    with step("upgrade from the version before keeps the configuration"):
        root.run(f"{_APT} install /packages/older/*.deb")
        root.run(_EDIT)
        root.run(f"{_APT} install /packages/*.deb")
        root.run(_KEPT)
    with step("the service tells of a real MariaDB"):
        print("  " + root.run("cd /packages && tests/scrape").splitlines()[-1])
    with step("Prometheus, Alertmanager and Icinga take what is for them"):
        print("  " + root.run("cd /packages && tests/monitoring").splitlines()[-1])
    with step("removed, it leaves its configuration; purged, nothing"):
        root.run(f"{_APT} remove {EXPORTER} {MONITORING}")
        root.run("! command -v bernard-exporter; grep -q kept /etc/bernard-exporter/my.cnf")
        root.run(f"{_APT} purge {EXPORTER} {MONITORING}")
        after = snapshot(root)
        root.run(f"! dpkg-query --show {EXPORTER} {MONITORING} 2>/dev/null; ! ls /var/lib/dpkg/info | grep bernard")
    differing = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if differing:
        raise SystemExit(f"purge left or changed {', '.join(differing[:20])}; expected every file as it was before")


_OLDER = rf"""
cd $PLACE
rm -rf older
mkdir older
for name in {EXPORTER} {MONITORING}; do
    dpkg-deb -R $name[_]*.deb older/$name
    sed -i 's/^Version: .*/Version: 0.0.1/; s/ (= [^)]*)//' older/$name/DEBIAN/control
    cd older/$name
    [ ! -e DEBIAN/conffiles ] || while read -r file; do echo '# of the version before' >>.$file; done <DEBIAN/conffiles
    find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums
    cd ../..
    dpkg-deb -b older/$name older/
    rm -rf older/$name
done
"""
_SATISFY = """
for deb in /packages/*.deb; do
    apt-get satisfy -y -qq --no-install-recommends "$(dpkg-deb -f $deb Depends)"
done
"""
_EDIT = """
sed -i 's/^ARGS=.*/ARGS="--log.level=debug"/' /etc/default/prometheus-bernard-exporter
echo '# kept' >>/etc/bernard-exporter/my.cnf
grep -q 'of the version before' /etc/bernard-exporter/config.yaml
"""
# A user of nobody's own, as the units ask for, reads no file of a group; so the server lets it in by a password.
_DYNAMIC = """
mariadb --execute="GRANT SELECT ON dbbackups.* TO 'dynamic'@'localhost' IDENTIFIED BY 'word'"
cd /etc/bernard-exporter
url='mysql+pymysql://dynamic:word@localhost/dbbackups?unix_socket=/run/mysqld/mysqld.sock'
sed -i "s|^  option_file: .*|  url: '$url'|" config.yaml
cp config.yaml second.yaml
echo 'ARGS="--web.listen-address=127.0.0.1:10280"' >/etc/default/bernard-exporter-second
"""
_KEPT = """
grep -qx 'ARGS="--log.level=debug"' /etc/default/prometheus-bernard-exporter
grep -qx '# kept' /etc/bernard-exporter/my.cnf
[ "$(stat -c %U:%G:%a /etc/bernard-exporter/my.cnf)" = root:bernard-exporter:640 ]
# One that nobody changed becomes the new one.
! grep -q 'of the version before' /etc/bernard-exporter/config.yaml
"""


def main() -> None:
    """Build, and try what was built if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="try the packages in a fresh root")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    log = WORK / "log"
    log.unlink(missing_ok=True)
    root = build_root(log)
    packages = build(root)
    if options.install:
        older(root, packages)
        fresh_root = base(WORK / "base", log).copy(WORK / "install")
        provide(fresh_root, packages)
        boot(fresh_root.copy(WORK / "boot"))
        install(fresh_root)
    shutil.rmtree(RESULT, ignore_errors=True)
    RESULT.mkdir(parents=True)
    for file in packages.glob("*_*"):
        shutil.copy2(file, RESULT)
    print(f"built {', '.join(sorted(file.name for file in RESULT.iterdir()))} in {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
