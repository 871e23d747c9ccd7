"""The plugin as Icinga calls it: options, one line, performance data, exit status."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from testing.command_runner import Outcome, command
from testing.rows import CODFW, DAY, HOUR, MIB, Rows, run_row
from testing.servers import MariaDB, free_port

NOW = datetime.now(UTC)
# TEXT | 'label'=value[UOM];[warn];[crit];[min];[max] ...
LINE = re.compile(
    r"BACKUPS? (OK|WARNING|CRITICAL) - [^|\n]+ \|( [a-z]+=(U|-?\d+(\.\d+)?(s|B|%)?);[-:.\d]*;[-:.\d]*;\d*;\d*)+"
)
CHECK = ["check", "--section", "s1", "--datacenter", "eqiad"]


@pytest.fixture
def config(rows: Rows, tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: [dump], s2: [dump, snapshot]}}}}\n")
    return file


def judged(outcome: Outcome) -> tuple[object, str]:
    """Return the exit status and the state; the line must be one line of the plugins' format."""
    assert LINE.fullmatch(outcome.out.rstrip("\n")), outcome.out
    return outcome.status, outcome.out.split(": ")[1].split(",")[0]


def test_limits_are_those_given_then_those_of_the_policy_then_the_predecessors(
    rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    limits = "{max_age: 2d, min_size: 5MiB, size_change: {warning: 20%, critical: 30%}}"
    file.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: {{dump: {limits}}}}}}}\n")
    for section in ("s1", "s2"):
        rows.add(section=section, start=NOW - 4 * DAY, size=10 * MIB)
        rows.add(section=section, start=NOW - 3 * DAY, size=11 * MIB)

    def check(section: str, *options: str) -> tuple[object, str]:
        arguments = ("check", "--config.file", file, "-s", section, "-d", "eqiad", *options)
        outcome = command(capsys, *arguments)
        state = judged(outcome)
        return state[0], f"{state[1]} {' '.join(re.findall(r';[^; ]*;[^; ]*;', outcome.out))}"

    assert check("s1") == (2, "stale ;;172800; ;;5242880:; ;-20:20;-30:30;")
    assert check("s1", "-f", "5d") == (0, "fresh ;;432000; ;;5242880:; ;-20:20;-30:30;")
    assert check("s1", "-f", "5d", "-p", "7") == (1, "wrong_size ;;432000; ;;5242880:; ;-7:7;-30:30;")
    assert check("s1", "-f", "5d", "-c", "11MiB", "-P", "8") == (
        2,
        "very_wrong_size ;;432000; ;;11534336:; ;-20:20;-8:8;",
    )
    assert check("s2") == (1, "wrong_size ;;691200; ;;307200:; ;-5:5;-15:15;")


def test_planned_job_is_well_whatever_there_is_of_it(
    rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"

    def check(sections: str, *options: str) -> tuple[object, str]:
        file.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{{sections}}}}}\n")
        outcome = command(capsys, "check", "--config.file", file, *options)
        return outcome.status, outcome.out.splitlines()[0]

    planned = "s1: {dump: {datacenters: [eqiad], expected_from: 2199-01-01}}"
    one = ["-s", "s1", "-d", "eqiad"]
    line = "BACKUP OK - dump of s1 in eqiad: planned, expected from 2199-01-01 00:00 UTC"
    assert check(planned, *one) == (0, line)
    assert check(planned, "--all") == (0, "BACKUPS OK - no jobs are expected yet, 1 planned")
    for days in (1, 2):
        rows.add(section="s2", start=NOW - days * DAY)
    assert check(f"{planned}, s2: {{dump: {{datacenters: [eqiad]}}}}", "--all") == (
        0,
        "BACKUPS OK - 0 critical, 0 warning, 1 ok of 1 jobs and 1 planned"
        " | ok=1;;;0;1 warning=0;;;0;1 critical=0;;;0;1",
    )
    assert check(planned.replace("2199", "2019"), *one)[0] == 2


def test_names_that_nothing_knows_are_unknown(rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.add(section="seen", status="failed")
    listed = config.with_name("valid_sections.txt")
    listed.write_text("s1\n\n listed \n")

    def check(*options: str) -> tuple[object, str]:
        outcome = command(capsys, "check", "--config.file", config, *options)
        return outcome.status, outcome.out.partition(" - ")[2].partition(",")[0].strip()

    assert check("-s", "s1", "-d", "eqiad") == (2, "dump of s1 in eqiad: missing")
    assert check("-s", "seen", "-d", "eqiad") == (2, "dump of seen in eqiad: missing")
    assert check("-s", "listed", "-d", "eqiad", "-v", str(listed)) == (2, "dump of listed in eqiad: missing")
    assert check("-s", "s1", "-d", "codfw", "-t", "snapshot") == (2, "snapshot of s1 in codfw: missing")
    assert check("-s", "nothing", "-d", "eqiad") == (3, "unknown section 'nothing'")
    assert check("-s", "listed", "-d", "eqiad") == (3, "unknown section 'listed'")
    assert check("-s", "nothing", "-d", "eqiad", "-v", str(listed)) == (3, "unknown section 'nothing'")
    assert check("-s", "s1", "-d", "esams") == (3, "unknown data centre 'esams'")
    assert check("-s", "s1", "-d", "eqiad", "-t", "cold") == (3, "unknown type 'cold'")
    rows.add(section="seen", type="cold", start=NOW - DAY)
    assert check("-s", "seen", "-d", "eqiad", "-t", "cold") == (1, "cold of seen in eqiad: only_one")
    assert check("-s", "s1", "-d", "eqiad", "-t", "cold") == (2, "cold of s1 in eqiad: missing")


def test_each_rule_gives_its_exit_status(rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def check(*options: str) -> tuple[object, str]:
        return judged(command(capsys, *CHECK, "--config.file", config, *options))

    assert check() == (2, "missing")
    old = rows.add(start=NOW - 7 * DAY)
    assert check() == (1, "only_one")
    assert check("--freshness", "604700") == (2, "stale")
    rows.add(start=NOW - DAY, size=10 * MIB)
    assert check() == (0, "fresh")
    assert check("--freshness", "2d") == (0, "fresh")
    assert check("-f", "3600") == (2, "very_stale")
    assert check("--min-size", "10485760") == (0, "fresh")
    assert check("--min-size", "10485761") == (2, "too_small")
    assert check("-c", "11MiB") == (2, "too_small")
    rows.change(old, total_size=8 * MIB)
    assert check() == (2, "very_wrong_size")
    assert check("--warn-size-percentage=25", "--crit-size-percentage=25") == (0, "fresh")
    assert check("-p", "24.9%", "-P", "25") == (1, "wrong_size")
    assert check("--type", "snapshot") == (2, "missing")
    assert check("--datacenter", "codfw") == (2, "missing")


def test_line_says_what_was_found_and_what_the_limits_are(
    rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows.add(start=NOW - 2 * DAY, size=10 * MIB)
    rows.add(start=NOW - DAY, size=11 * MIB)
    outcome = command(capsys, *CHECK, "--config.file", config)
    assert re.sub(r"age=86\d{3}\.\d\d", "age=AGE", outcome.out) == (
        "BACKUP WARNING - dump of s1 in eqiad: wrong_size, the size changed by +10.00%, expected at most 5.00%;"
        f" taken on {NOW - DAY:%Y-%m-%d %H:%M:%S} UTC from db1139.eqiad.wmnet:3311:"
        " 11.0 MiB, previous 10.0 MiB, +10.0 %"
        " | age=AGEs;;691200;0; size=11534336B;;307200:;0; change=10.00%;-5:5;-15:15;;\n"
    )


def test_unknown_values_are_said_to_be_unknown(rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.add(start=NOW - 2 * DAY, size=10 * MIB)
    rows.add(start=NOW - DAY, size=None)
    outcome = command(capsys, *CHECK, "--config.file", config)
    assert judged(outcome) == (2, "too_small")
    assert " size=U;;307200:;0; change=U;" in outcome.out


def test_name_cannot_break_the_line(rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.add(section="a|b\nc", source="x\x1b[31m|\n", start=NOW - DAY)
    outcome = command(capsys, "check", "--config.file", config, "-d", "eqiad", "-s", "a|b\nc")
    assert outcome.out.startswith("BACKUP WARNING - dump of a/b c in eqiad: only_one, ")
    assert r" UTC from x\x1b[31m/: 10.0 MiB |" in outcome.out
    assert judged(outcome) == (1, "only_one")


def test_all_prints_a_summary_and_a_line_a_job_from_the_worst(
    rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (1, 2):
        rows.add(start=NOW - days * DAY)
        rows.add(start=NOW - days * DAY, section="s2")
        rows.add(start=NOW - days * DAY, section="s2", type="snapshot", host=CODFW)
    rows.add(start=NOW - DAY, host=CODFW)
    rows.add(start=NOW - DAY, section="not-in-the-policy")
    outcome = command(capsys, "check", "--all", "--config.file", config)
    fresh = "fresh, recent enough, large enough, size changed by +0.00%"
    missing = "missing, no backup has ever succeeded"
    assert outcome.status == 2
    assert LINE.fullmatch(outcome.out.splitlines()[0])
    assert outcome.out.splitlines() == [
        f"BACKUPS CRITICAL - 2 critical, 1 warning, 3 ok of 6 jobs (worst: dump of s2 in codfw: {missing})"
        " | ok=3;;;0;6 warning=1;;;0;6 critical=2;;;0;6",
        f"CRITICAL dump of s2 in codfw: {missing}",
        f"CRITICAL snapshot of s2 in eqiad: {missing}",
        "WARNING dump of s1 in codfw: only_one, there is no earlier success of known size to compare the newest with",
        f"OK dump of s1 in eqiad: {fresh}",
        f"OK dump of s2 in eqiad: {fresh}",
        f"OK snapshot of s2 in codfw: {fresh}",
    ]
    rows.add(start=NOW - 2 * HOUR, host=CODFW)
    for job in ({"host": CODFW}, {"type": "snapshot"}):
        for hours in (3, 4):
            rows.add(section="s2", start=NOW - timedelta(hours=hours), **job)
    assert command(capsys, "check", "--all", "--config.file", config).status == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-s", "s1"], "Give --section and --datacenter, or --all."),
        (
            ["-s", "s1", "-d", "eqiad", "--timeout", "0"],
            "found '0', expected a duration of more than 0 s and at most 1 h",
        ),
        (["-s", "s1", "-d", "eqiad", "-v", "/nowhere"], "/nowhere: No such file or directory"),
        (["-s", "s1", "-d", "eqiad", "-f", "old"], "found 'old', expected a duration such as 90s, 5m, 8d or 2w"),
        (["-s", "s1", "-d", "eqiad", "-c", "-1"], "found '-1', expected a size such as 300KiB, 2GB or whole bytes"),
        (
            ["-s", "s1", "-d", "eqiad", "--timeout", "9" * 5000],
            f"found '{'9' * 99}...', expected a duration of more than 0 s",
        ),
        (["-s", "s1", "-d", "eqiad", "-P", "much"], "found 'much', expected a percentage such as 5 or 5%"),
        (["--nothing"], "No such option"),
        (
            ["--all", "-f", "1"],
            "--all takes no options other than --config.file and --timeout.",
        ),
        (["-s", "s1", "-d", "eqiad", "-o", "db1"], "a connection by flags needs --host, --user and --database"),
        (["-s", "s1", "-d", "eqiad", "--config.file", "/nowhere"], "/nowhere: No such file or directory"),
        (["-s", "s1", "-d", "eqiad", "--config-file", "/nowhere"], "/nowhere: No such file or directory"),
    ],
)
def test_what_cannot_be_judged_is_unknown_and_says_why_on_one_line(
    arguments: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("database: {url: 'sqlite:////nowhere'}\n")
    outcome = command(capsys, "check", "--config.file", file, *arguments)
    assert (outcome.status, outcome.err, outcome.out.count("\n")) == (3, "", 1)
    assert outcome.out.startswith("BACKUP UNKNOWN - ")
    assert why in outcome.out


def test_policy_without_jobs_is_unknown_to_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, file = Rows(f"sqlite:///{tmp_path / 'x'}"), tmp_path / "config.yaml"
    file.write_text(f"database: {{url: '{rows.url}'}}\n")
    outcome = command(capsys, "check", "--all", "--config.file", file)
    assert (outcome.status, outcome.out) == (
        3,
        "BACKUP UNKNOWN - the policy expects no jobs; add sections to the configuration, under policy.sections\n",
    )


def test_database_away_is_unknown_and_shows_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    outcome = command(capsys, *CHECK, "-o", address, "-u", "bernard", "-w", "s3cret", "-D", "dbbackups")
    assert (outcome.status, outcome.out.count("\n")) == (3, 1)
    assert outcome.out.startswith(f"BACKUP UNKNOWN - {address}: error 2003: ")
    assert "s3cret" not in outcome.out


def test_predecessors_ways_to_connect_work(
    mariadb: MariaDB, mariadb_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = Rows(mariadb_url)
    for days in (1, 2):
        rows.add(start=NOW - days * DAY)
    database = mariadb_url.rpartition("/")[2]
    mariadb.execute(
        "CREATE USER IF NOT EXISTS icinga@'%' IDENTIFIED BY 's3cret'", f"GRANT SELECT ON {database}.* TO icinga@'%'"
    )
    flags = ["--host", f"127.0.0.1:{mariadb.port}", "--user=icinga", "--password=s3cret", "--database", database]
    assert judged(command(capsys, *CHECK, *flags)) == (0, "fresh")
    file = tmp_path / "backups_check.ini"
    file.write_text(
        f"[client]\nuser=icinga\npassword=s3cret\nhost=127.0.0.1\nport={mariadb.port}\ndatabase={database}\n"
    )
    assert judged(command(capsys, *CHECK, "--config-file", file)) == (0, "fresh")


def test_runs_of_one_second_are_distinguished_by_id(
    rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = NOW - DAY
    rows.add(start=start, size=10 * MIB)
    rows.add(start=start, size=12 * MIB)
    outcome = command(capsys, *CHECK, "--config.file", config)
    assert judged(outcome) == (2, "very_wrong_size")
    assert "+20.00%" in outcome.out


def test_successes_are_found_behind_many_runs_of_the_other_data_centre(
    rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (2, 3):
        rows.add(start=NOW - days * DAY)
    rows.add_all([run_row(start=NOW - DAY - timedelta(minutes=minutes), host=CODFW) for minutes in range(250)])
    assert judged(command(capsys, *CHECK, "--config.file", config)) == (0, "fresh")


def test_internal_error_is_unknown_and_quotes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # A lone surrogate, for a byte that is not UTF-8: no database can be queried for it.
    outcome = command(capsys, "check", "--config.file", config, "-d", "eqiad", "-s", "s\udcff")
    assert (outcome.status, outcome.err, outcome.out.count("\n")) == (3, "", 1)
    assert outcome.out.startswith("BACKUP UNKNOWN - ")
    assert "\udcff" not in outcome.out
