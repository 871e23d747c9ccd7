"""``check-mariadb-backups``: command lines for the predecessor keep working."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bernard_exporter.commands import check_mariadb_backups
from testing.command_runner import Outcome, run_main
from testing.rows import CODFW, DAY, MIB, Rows
from testing.servers import MariaDB
from tests.commands.check.oracle import Demand, newest_two, verdict
from tests.commands.check.test_histories import a_history

NOW = datetime.now(UTC).replace(microsecond=0)
PROGRAM = Path(sys.executable).with_name("check-mariadb-backups")
JOB = ["--section=s1", "--datacenter=eqiad"]
HISTORIES = 300


@pytest.fixture
def inventory(mariadb_url: str) -> Rows:
    return Rows(mariadb_url)


@pytest.fixture
def option_file(mariadb: MariaDB, inventory: Rows, tmp_path: Path) -> Path:
    database = inventory.url.rpartition("/")[2]
    mariadb.execute(
        "CREATE USER IF NOT EXISTS icinga@'%' IDENTIFIED BY 's3cret'", f"GRANT SELECT ON {database}.* TO icinga@'%'"
    )
    file = tmp_path / "backups_check.ini"
    file.write_text(
        f"[client]\nuser=icinga\npassword=s3cret\nhost=127.0.0.1\nport={mariadb.port}\ndatabase={database}\n"
    )
    return file


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    return run_main(capsys, check_mariadb_backups.main, *arguments)


@pytest.mark.parametrize(
    ("options", "age_limit"),
    [
        (["-ss1", "-deqiad", "-f8"], "8"),
        (["-s", "s1", "-d", "eqiad", "-f", "8"], "8"),
        (["-s=s1", "-d=eqiad", "-f=8"], "8"),
        ([*JOB, "--freshness=8"], "8"),
        ([*JOB, "--freshness", "8"], "8"),
        ([*JOB, "--fresh", "8"], "8"),
        ([*JOB, "--f=8"], "8"),
        (["--sec", "s1", "--datac=eqiad", "--ty", "dump", "--fr=008"], "8"),
        ([*JOB, "-f", "+8"], "8"),
        ([*JOB, "-f", " 8 "], "8"),
        ([*JOB, "-f", "1_000"], "1000"),
        ([*JOB, "-f", "٨"], "8"),
        ([*JOB, "-f", "-1"], "~:-1"),
        ([*JOB, "-f", "9" * 26], "4611686018430000000"),
        ([*JOB, "-f", "9", "-f", "8"], "8"),
        ([*JOB], "691200"),
        ([*JOB, "-t", "snapshot"], "691200"),
    ],
)
def test_options_are_spelt_as_the_predecessor_takes_them(
    inventory: Rows, option_file: Path, capsys: pytest.CaptureFixture[str], options: list[str], age_limit: str
) -> None:
    inventory.add(status="failed")
    outcome = check(capsys, "-m", option_file, *options)
    assert outcome.err == ""
    assert f" | age=U;;{age_limit};0; size=U;;307200:;0; change=U;-5:5;-15:15;;\n" in outcome.out
    assert (outcome.status, outcome.out.split(" in eqiad: ")[1].split(",")[0]) == (2, "missing")


def test_limits_are_numbers_as_python_writes_them(
    inventory: Rows, option_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory.add(start=NOW - 2 * DAY, size=1_000_000)
    inventory.add(start=NOW - DAY, size=1_051_000)

    def status(*options: str) -> object:
        outcome = check(capsys, "-m", option_file, *JOB, *options)
        assert (outcome.err, outcome.out.count("\n"), "UNKNOWN" in outcome.out) == ("", 1, outcome.status == 3)
        return outcome.status

    assert status() == 1
    assert status("-p", "5.1") == 0
    assert status("-p5.0999") == 1
    assert status("--warn=.51e1") == 0
    assert status("--warn", "inf", "--crit", "5.0999") == 2
    assert status("--warn-size-percentage", "nan", "-P", "nan") == 0
    assert status("-p=5.1", "-P", "-1") == 2
    assert status("-p6", "-c", "1_051_000") == 0
    assert status("-p6", "--min-size", "1051001") == 2
    assert status("-p6", "-c", "-1") == 0
    assert status("-p6", "-c", "9" * 26) == 2
    assert status("-p6", "-c", "-" + "9" * 26, "-f", "9" * 40) == 0
    for wrong in (
        ["-f", "8d"],
        ["-f", "1e6"],
        ["-c", "300KiB"],
        ["-c", "1.5"],
        ["-p", "5%"],
        ["-P", ""],
    ):
        assert status(*wrong) == 3


# A number, and a range of the Monitoring Plugins Development Guidelines.
_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = rf"@?(?:(?P<start{{0}}>{_NUMBER}|~):)?(?P<end{{0}}>{_NUMBER})?"
_DATUM = re.compile(rf"\w+=(?:U|{_NUMBER})[a-zB%]*;{_RANGE.format(1)};{_RANGE.format(2)};(?:{_NUMBER})?;(?:{_NUMBER})?")


def test_performance_data_are_valid_whatever_the_limits(
    inventory: Rows, option_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (1, 2):
        inventory.add(start=NOW - days * DAY)
    numbers = ["0", "-1", "-5", "1_000", "9" * 26, "-" + "9" * 26]
    ratios = [*numbers, "1e-9", "-2.5e3", "1e300", "inf", "-inf", "nan"]
    for option, values in (("-f", numbers), ("-c", numbers), ("-p", ratios), ("-P", ratios)):
        for value in values:
            outcome = check(capsys, "-m", option_file, *JOB, f"{option}={value}")
            for datum in outcome.out.rstrip().split(" | ")[1].split(" "):
                found = _DATUM.fullmatch(datum)
                assert found, datum
                for start, end in (("start1", "end1"), ("start2", "end2")):
                    if found[end] and found[start] != "~":
                        assert float(found[start] or 0) <= float(found[end]), datum


def test_limit_that_nothing_meets_alerts_in_the_performance_data_too(
    inventory: Rows, option_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (1, 2):
        inventory.add(start=NOW - days * DAY)
    outcome = check(capsys, "-m", option_file, *JOB, "-p", "-1")
    assert (outcome.status, outcome.out.rstrip().rpartition(" ")[2]) == (1, "change=0.00%;@~:;-15:15;;")
    outcome = check(capsys, "-m", option_file, *JOB, "-f", "-5")
    assert outcome.status == 2
    assert ", expected at most -5 s;" in outcome.out


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "the following arguments are required: --section/-s, --datacenter/-d"),
        (["-s", "s1"], "the following arguments are required: --datacenter/-d"),
        ([*JOB, "--c=1"], "ambiguous option: --c=1 could match"),
        ([*JOB, "--all"], "unrecognized arguments: --all"),
        ([*JOB, "--timeout=1"], "unrecognized arguments: --timeout=1"),
        ([*JOB, "--config.file=x"], "unrecognized arguments: --config.file=x"),
        ([*JOB, "more\nlines"], "unrecognized arguments: more lines"),
        ([*JOB, "-f"], "argument --freshness/-f: expected one argument"),
        ([*JOB, "-o", "db1"], "a connection by flags needs --host, --user and --database"),
        ([*JOB, "-m", "/nowhere"], "/nowhere: No such file or directory"),
        ([*JOB, "-v", "/nowhere"], "/nowhere: No such file or directory"),
        ([*JOB, "-v", "/dev/zero"], "/dev/zero: found more than 10 MiB"),
    ],
)
def test_wrong_options_are_unknown_in_one_line(
    capsys: pytest.CaptureFixture[str], options: list[str], why: str
) -> None:
    outcome = check(capsys, *options)
    assert (outcome.status, outcome.err, outcome.out.count("\n")) == (3, "", 1)
    assert outcome.out.startswith("BACKUP UNKNOWN - ")
    assert why in outcome.out


def test_help_shows_every_option_and_is_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = check(capsys, "--help")
    assert outcome.status == 3
    assert sorted(re.findall(r"(?m)^  --[a-z-]+(?: [A-Z_]+)?, (-\w) ", outcome.out)) == sorted(
        ["-s", "-d", "-t", "-f", "-c", "-p", "-P", "-m", "-v", "-o", "-u", "-w", "-D"]
    )


def test_section_that_is_not_valid_is_unknown(
    inventory: Rows, option_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "valid_sections.txt"
    listed.write_text("\ufeffs1\n\n  s2  \n")
    inventory.add(section="s3", start=NOW - DAY)

    def status(section: str, datacenter: str = "eqiad", type_: str = "dump", file: Path = listed) -> object:
        return check(capsys, "-m", option_file, "-v", file, "-s", section, "-d", datacenter, "-t", type_).status

    assert status("s1") == 2
    assert status("s2", type_="snapshot") == 2
    assert status("s3") == 3
    assert status("S1") == 3
    assert status("s1", datacenter="esams") == 3
    assert status("s1", type_="tape") == 3
    (empty := tmp_path / "empty").write_text("\n\n")
    assert status("s1", file=empty) == 3


def test_line_holds_what_the_predecessors_held(
    inventory: Rows, option_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory.add(start=NOW - 2 * DAY, size=1000 * MIB)
    taken = NOW - DAY
    inventory.add(start=taken, size=1200 * MIB, source="db1139.eqiad.wmnet:3311")
    outcome = check(capsys, "-m", option_file, *JOB)
    assert outcome.status == 2
    assert outcome.out.split(" | ")[0] == (
        "BACKUP CRITICAL - dump of s1 in eqiad: very_wrong_size, the size changed by +20.00%, expected at most 15.00%;"
        f" taken on {taken:%Y-%m-%d %H:%M:%S} UTC from db1139.eqiad.wmnet:3311: 1.2 GiB, previous 1000.0 MiB, +20.0 %"
    )


def test_random_histories_are_judged_as_the_oracle_judges_them(
    inventory: Rows, option_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random_ = random.Random(20261126)
    kinds = [Demand(), Demand(259200, 1000, 5, 15), Demand(691200, 0, 3, 7), Demand(3600, 1, 0, 100)]
    demands = {f"h{number:03}": random_.choice(kinds) for number in range(HISTORIES)}
    moved = datetime.now(UTC).replace(microsecond=0) - datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    for section, demand in demands.items():
        rows = a_history(random_, section, demand)
        for row in rows:
            for column in ("start_date", "end_date"):
                # Not so near to a limit that the moment of asking decides, and what is unknown stays so.
                if row[column] and row[column].year > 1970:
                    row[column] += moved + timedelta(seconds=random_.choice([-100, 100]))
        if rows:
            inventory.add_all(rows)
    wrong: list[object] = []
    seen = Counter[object]()
    with inventory.engine.connect() as plain:
        for section, demand in demands.items():
            limits = ["-f", demand.freshness, "-c", demand.min_size, "-p", demand.warning, "-P", demand.critical]
            listed = option_file.with_name("valid_sections.txt")
            listed.write_text("\n".join(demands))
            begun = datetime.now(UTC)
            status = check(capsys, "-m", option_file, "-v", listed, "-s", section, "-d", "eqiad", *limits).status
            ended = datetime.now(UTC)
            # A row may come within a limit, or go beyond it, while it is asked.
            right = {
                verdict(newest_two(plain, (section, "dump", "eqiad"), moment), demand, moment)
                for moment in (begun, ended)
            }
            seen[status] += 1
            if status not in right:
                wrong.append((section, demand, status, right))
    assert wrong == []
    assert set(seen) == {0, 1, 2}


def test_program_is_installed_and_connects_by_flags(mariadb: MariaDB, inventory: Rows, option_file: Path) -> None:
    for days in (1, 2):
        inventory.add(start=NOW - days * DAY, host=CODFW)
    flags = ["-o", f"127.0.0.1:{mariadb.port}", "-u", "icinga", "-w", "s3cret", "-D", inventory.url.rpartition("/")[2]]
    run = subprocess.run(
        [PROGRAM, "-s", "s1", "-d", "codfw", *flags], capture_output=True, text=True, check=False, timeout=60
    )
    assert (run.returncode, run.stderr, run.stdout.count("\n")) == (0, "", 1)
    assert run.stdout.startswith("BACKUP OK - dump of s1 in codfw: fresh, ")
