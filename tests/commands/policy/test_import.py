"""Policies imported from existing configurations: serve accepts them, and omissions are reported."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bernard_exporter.config.load import load
from bernard_exporter.config.settings import Settings
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import BUILT_IN, Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from testing.command_runner import command
from testing.rows import NOW, Rows

HIERA = """\
profile::dbbackups::check::enabled: true
profile::dbbackups::check::backups:
  s1: {snapshot: [eqiad, codfw], dump: ['eqiad', 'codfw']}
  matomo:
    dump:
    - eqiad
  x2:
    incremental: [eqiad]
    dump: []
profile::dbbackups::check::freshness: {dump: 700000, snapshot: 259200}
profile::dbbackups::check::min_size: 307201
profile::dbbackups::check::warn_size_percentage: 4.5
profile::dbbackups::check::crit_size_percentage: 20.0
profile::dbbackups::check::db_password: s3cret
"""
LIST = "# Sections that exist.\ns1\n\nmatomo   # analytics\nx9\n"
WRITER = """\
user: dump
password: s3cret
rotate: true
retention: 3
sections:
  s2: {host: db1139.eqiad.wmnet, port: 3312, threads: 4}
  s1: {host: localhost, type: dump, retention: 30}
"""
REMOTE = """\
type: snapshot
rotate: false
retention: 4
s3: {host: db2100.codfw.wmnet, destination: dbprov1002.eqiad.wmnet, order: 1}
s4: {}
"""
CHECK = "profile::dbbackups::check::"
ALL = ("eqiad", "codfw")
SCHEDULES = (
    "these files contain no schedules, and without a schedule a missed start is not detected. Wikimedia's (dumps on "
    "Tuesday at 00:00 UTC, snapshots on Monday, Wednesday, Thursday and Saturday at 00:00 UTC) are comments in the "
    "policy: compare them with your timers and uncomment them"
)
RETENTION = (
    "retention is missing; Wikimedia's (dumps 18d, snapshots 5d; 10d for dumps of external storage) is a "
    "comment in the policy too. The writer's configuration has yours: import it as well"
)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"hiera.yaml": HIERA, "valid.txt": LIST, "backups.cnf": WRITER, "remote.cnf": REMOTE}.items():
        Path(name).write_text(text)
    return tmp_path


def imported(capsys: pytest.CaptureFixture[str], *files: str) -> tuple[Policy, list[str]]:
    """Return the policy that serve would use, and the summary."""
    outcome = command(capsys, "policy", "import", *files)
    assert outcome.status == 0
    return served(outcome.out).policy, outcome.err.splitlines()


def served(text: str) -> Settings:
    Path("config.yaml").write_text(f"database: {{option_file: my.cnf}}\n{text}")
    return load(Path("config.yaml"))


def test_hiera_is_carried_over_and_the_rest_is_named(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, notes = imported(capsys, "hiera.yaml")
    assert set(policy.expected) == {
        *(Job("s1", kind, place) for kind in ("dump", "snapshot") for place in ALL),
        Job("matomo", "dump", "eqiad"),
    }
    dump, snapshot = (policy.expected[Job("s1", kind, "codfw")] for kind in ("dump", "snapshot"))
    assert (dump.max_age, snapshot.max_age) == (700_000, 259_200)
    for limits in (dump, snapshot, policy.expected[Job("matomo", "dump", "eqiad")]):
        assert limits.min_size == 307_201
        assert (limits.size_change_warning, limits.size_change_critical) == (0.045, 0.2)
    assert notes == [
        "5 jobs in 2 sections: 3 dump, 2 snapshot",
        "not converted, because they do not concern expected backups: profile::dbbackups::check::enabled "
        "(hiera.yaml:1), profile::dbbackups::check::db_password (hiera.yaml:14)",
        "left out, because the type is not one of dump, snapshot, cold: incremental of x2 (hiera.yaml:8)",
        "left out, because the list of data centres is empty: dump of x2 (hiera.yaml:9)",
        "converted: max_age of dump 700000s from freshness (hiera.yaml:10), max_age of snapshot 3d from freshness "
        "(hiera.yaml:10), min_size 307201B (hiera.yaml:11), size_change warning 4.5% from warn_size_percentage "
        "(hiera.yaml:12), size_change critical 20% from crit_size_percentage (hiera.yaml:13)",
        SCHEDULES,
        RETENTION,
    ]


def test_list_alone_stands_for_both_types_everywhere(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, notes = imported(capsys, "valid.txt")
    sections = ("s1", "matomo", "x9")
    assert dict(policy.expected) == {
        Job(section, kind, place): BUILT_IN[kind]
        for section in sections
        for kind in ("dump", "snapshot")
        for place in ALL
    }
    assert notes == [
        "12 jobs in 3 sections: 6 dump, 6 snapshot",
        "dump and snapshot in every data centre assumed, because a list only names sections: s1 (valid.txt:2), matomo "
        "(valid.txt:4), x9 (valid.txt:5)",
        SCHEDULES,
        RETENTION,
    ]


def test_list_beside_another_file_checks_its_names(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone, _ = imported(capsys, "backups.cnf")
    policy, notes = imported(capsys, "backups.cnf", "valid.txt")
    assert policy == alone
    assert notes[-3:-1] == [
        "left out, because no other file says which backups these sections have: matomo (valid.txt:4), x9 "
        "(valid.txt:5)",
        "in no list of valid sections; check the names: s2",
    ]


def test_sections_of_the_writer_are_carried_over(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, notes = imported(capsys, "backups.cnf", "remote.cnf")
    day = 86400.0
    found = {job: limits.retention for job, limits in policy.expected.items()}
    assert found == {
        Job("s2", "dump", "eqiad"): 3 * day,
        Job("s1", "dump", "eqiad"): 30 * day,
        Job("s1", "dump", "codfw"): 30 * day,
        Job("s3", "snapshot", "eqiad"): None,
        Job("s4", "snapshot", "eqiad"): None,
        Job("s4", "snapshot", "codfw"): None,
    }
    assert notes == [
        "6 jobs in 4 sections: 3 dump, 3 snapshot",
        "assumed to be stored in the source's data centre, because no destination is set; check: "
        "s2 in eqiad (backups.cnf:6)",
        "assumed in every data centre, because no host matches a known one; check: "
        "s1 (backups.cnf:7), s4 (remote.cnf:5)",
        "not converted, because they only concern how backups are made: "
        "user (backups.cnf:1), password (backups.cnf:2), "
        "port (backups.cnf:6), threads (backups.cnf:6), order (remote.cnf:4)",
        "retention not converted, because rotation is off: s3 (remote.cnf:3), s4 (remote.cnf:3)",
        SCHEDULES,
        "retention is missing; Wikimedia's (snapshots 5d) is a comment in the policy too. The writer's "
        "configuration has yours: import it as well",
    ]


def test_files_are_merged(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy, _ = imported(capsys, "hiera.yaml", "backups.cnf")
    assert {job.section for job in policy.expected} == {"s1", "s2", "matomo"}
    assert policy.expected[Job("s1", "dump", "eqiad")].retention == 30 * 86400
    assert policy.expected[Job("s1", "dump", "eqiad")].max_age == 700_000


def test_data_centre_that_is_not_known_gets_a_pattern(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("esams.yaml").write_text("profile::dbbackups::check::backups: {s1: {dump: [esams, 'no good']}}\n")
    policy, notes = imported(capsys, "esams.yaml")
    assert set(policy.expected) == {Job("s1", "dump", "esams")}
    assert policy.datacenter("backup3001.esams.wmnet") == "esams"
    assert notes[1:3] == [
        r"assumed for unknown data centres; check the pattern of their hosts: esams has the hosts "
        r"\.esams\.wmnet$ (esams.yaml:1)",
        "left out, because a name has up to 100 letters, digits, '_', '.' and '-', the first a letter, a digit or '_': "
        "the data centre 'no good' (esams.yaml:1)",
    ]


def test_no_secret_is_printed(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = command(capsys, "policy", "import", "hiera.yaml", "backups.cnf", "valid.txt", "remote.cnf")
    assert "s3cret" not in outcome.out + outcome.err
    Path("my.cnf").write_text("password=s3cret and more\n")
    outcome = command(capsys, "policy", "import", "my.cnf")
    assert outcome.status == 2
    assert "s3cret" not in outcome.out + outcome.err


def test_output_goes_to_a_file(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = command(capsys, "policy", "import", "valid.txt").out
    assert command(capsys, "policy", "import", "valid.txt", "--output", "policy.yaml").out == ""
    assert Path("policy.yaml").read_text() == printed
    outcome = command(capsys, "policy", "import", "valid.txt", "--output", "no/policy.yaml")
    assert (outcome.status, outcome.err.splitlines()[-1]) == (
        2,
        "bernard-exporter: no/policy.yaml: No such file or directory; choose a file that can be written",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "found no section, expected Puppet hiera"),
        ("# nothing\n", "found no section, expected Puppet hiera"),
        ("s1\ns2\nbad section\ns4\n", "x.yaml:3: found 'bad section', expected a section name of up to 100 letters"),
        ("# list\ns1\ns2\nbad: section\n", "x.yaml:4: found 'bad: section', expected a section name of up to 100"),
        ("quick\nuser = x\npassword = s3cret\n", "x.yaml:1: found something else, expected Puppet hiera"),
        ("- s1: x\n", "x.yaml:1: found something else, expected Puppet hiera"),
        (f"{CHECK}backups: [s1]\n", "found a list, expected a mapping of sections to types"),
        (f"{CHECK}backups: {{s1: {{dump: eqiad}}}}\n", "found 'eqiad', expected a list of data centres"),
        (f"{CHECK}freshness: {{dump: 8d}}\n", "freshness.dump: found '8d', expected whole seconds, more than 0"),
        (
            f"{CHECK}backups: {{s1: {{dump: [eqiad]}}}}\n{CHECK}warn_size_percentage: 20\n",
            f"x.yaml:2: {CHECK}warn_size_percentage: found '20', expected a warning of at most the critical 15%",
        ),
        (f"{CHECK}freshness: {{dump: .inf}}\n", "freshness.dump: found '.inf', expected whole seconds, more than 0"),
        (f"{CHECK}freshness: {{dump: 0}}\n", "freshness.dump: found '0', expected whole seconds, more than 0"),
        (f"{CHECK}freshness: {{dump: 99999999999}}\n", "found '99999999999', expected a duration such as"),
        (f"{CHECK}min_size: -1\n", "min_size: found '-1', expected a size such as 300KiB"),
        (f"{CHECK}crit_size_percentage: 2\n", "found '2', expected a critical limit of at least the warning 5%"),
        (f"{CHECK}crit_size_percentage: 150\n", "found '150', expected a percentage from 0 to 100"),
        (f"{CHECK}warn_size_percentage: 5%\n", "found '5%', expected a percentage from 0 to 100"),
        (f"{CHECK}es_max_hours: 0.0\n", "es_max_hours: found '0.0', expected hours, more than 0 and at most 8760"),
        (f"{CHECK}es_max_hours: 12h\n", "es_max_hours: found '12h', expected hours, more than 0 and at most 8760"),
        (f"{CHECK}es_backups_check: 1\n", "es_backups_check: found '1', expected true or false"),
        ("sections: {s1: {rotate: true, retention: soon}}\n", "s1.retention: found 'soon', expected whole days"),
        ("user: x\n", "found no section, expected Puppet hiera"),
        ("a: [\n", "expected YAML"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_line(
    directory: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    Path("x.yaml").write_text(text)
    outcome = command(capsys, "policy", "import", "x.yaml")
    assert (outcome.status, outcome.out) == (2, "")
    assert why in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err


def test_endless_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = command(capsys, "policy", "import", "/dev/zero")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("bernard-exporter: /dev/zero: found more than 10 MiB, expected Puppet hiera")


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = command(capsys, "policy", "import")
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)


def test_any_hiera_comes_out_as_it_went_in(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random_ = random.Random(7)
    for _ in range(50):
        backups: dict[str, dict[str, list[str]]] = {}
        for number in range(random_.randint(1, 8)):
            kinds = random_.sample(["dump", "snapshot"], random_.randint(1, 2))
            backups[f"s{number}"] = {kind: random_.sample(ALL, random_.randint(1, 2)) for kind in kinds}
        freshness = {kind: random_.randint(1, 3_000_000) for kind in ("dump", "snapshot")}
        hiera: dict[str, Any] = {"backups": backups, "freshness": freshness}
        Path("random.yaml").write_text(
            yaml.safe_dump({f"profile::dbbackups::check::{key}": value for key, value in hiera.items()})
        )
        policy, notes = imported(capsys, "random.yaml")
        jobs = sum(len(places) for kinds in backups.values() for places in kinds.values())
        assert notes[0].startswith(f"{jobs} job")
        assert {job: limits.max_age for job, limits in policy.expected.items()} == {
            Job(section, kind, place): freshness[kind]
            for section, kinds in backups.items()
            for kind, places in kinds.items()
            for place in places
        }


def real_hiera() -> str:
    """Return the keys that Wikimedia's own file has, with its values of late 2024."""
    backups = {f"s{number}": {"dump": [*ALL], "snapshot": [*ALL]} for number in range(1, 9)}
    backups["x1"] = {"dump": [*ALL], "snapshot": [*ALL]}
    backups |= {section: {"dump": [*ALL]} for section in ("es6", "es7", "m1", "m2", "m3", "m5", "db_inventory")}
    backups |= {section: {"dump": ["eqiad"]} for section in ("matomo", "analytics_meta", "backup1-eqiad")}
    backups["backup1-codfw"] = {"dump": ["codfw"]}
    check: dict[str, Any] = {
        "backups": backups,
        "freshness": {"dump": 777600, "snapshot": 259200},
        "db_user": "backupcheck",
        "min_size": 50000,
        "warn_size_percentage": 5.0,
        "crit_size_percentage": 15.0,
        "es_backups_check": True,
        "es_max_hours": 12.0,
        "es_alert_email": "dba@example.org",
    }
    keys = {"cluster": "backup"} | {f"{CHECK}{name}": value for name, value in check.items()}
    return yaml.safe_dump(keys, sort_keys=False, default_flow_style=False)


def test_real_hiera_gives_the_fleet(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of the limits, es_max_hours, is named after external storage and yet is for every run."""
    Path("monitoring.yaml").write_text(real_hiera())
    policy, notes = imported(capsys, "monitoring.yaml")
    snapshot = Limits(
        max_age=259_200.0, min_size=50_000, size_change_warning=0.05, size_change_critical=0.15, max_duration=43_200.0
    )
    dump = replace(snapshot, max_age=777_600.0)
    both = {f"s{number}" for number in range(1, 9)} | {"x1"}
    dumped = both | {"es6", "es7", "m1", "m2", "m3", "m5", "db_inventory"}
    assert dict(policy.expected) == {
        **{Job(section, "dump", place): dump for section in dumped for place in ALL},
        **{Job(section, "snapshot", place): snapshot for section in both for place in ALL},
        **{Job(section, "dump", "eqiad"): dump for section in ("matomo", "analytics_meta", "backup1-eqiad")},
        Job("backup1-codfw", "dump", "codfw"): dump,
    }
    assert notes[0] == "54 jobs in 20 sections: 36 dump, 18 snapshot"
    assert "max_duration 12h from es_max_hours, which applies to all runs (monitoring.yaml:114)" in notes[2]
    assert notes[3:] == [SCHEDULES, RETENTION]


def test_comments_of_the_policy_are_what_wikimedia_does(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("monitoring.yaml").write_text(real_hiera())
    text = command(capsys, "policy", "import", "monitoring.yaml").out
    assert {limits.schedule for limits in served(text).policy.expected.values()} == {None}
    uncommented = re.sub(r"# (schedule|retention):", r"\1:", text)
    habits = {
        (job.type, limits.schedule, limits.retention) for job, limits in served(uncommented).policy.expected.items()
    }
    assert habits == {
        ("dump", Schedule("0 0 * * 2"), 18 * 86400.0),
        ("snapshot", Schedule("0 0 * * 1,3,4,6"), 5 * 86400.0),
    }


def test_imported_policy_changes_nothing_when_it_is_tried_against_itself(
    directory: Path, capsys: pytest.CaptureFixture[str], rows: Rows
) -> None:
    Path("monitoring.yaml").write_text(real_hiera())
    rows.add(section="s1", start=NOW)
    command(capsys, "policy", "import", "monitoring.yaml", "--output", "policy.yaml")
    Path("config.yaml").write_text(f"database: {{url: '{rows.url}'}}\n{Path('policy.yaml').read_text()}")
    tried = command(capsys, "policy", "test", "--config.file", "config.yaml", "--candidate", "policy.yaml")
    assert (tried.status, tried.out) == (0, "No job would change.\n")
    shown = command(capsys, "policy", "show", "--config.file", "policy.yaml", "--json").out
    items = json.loads(shown)["items"]
    assert len(items) == 54
    assert {item["limits"]["max_duration"]["value"] for item in items} == {"12h"}


def test_check_of_long_runs_that_is_off_is_said_to_be_on(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("off.yaml").write_text(f"{CHECK}backups: {{s1: {{dump: [eqiad]}}}}\n{CHECK}es_backups_check: false\n")
    _, notes = imported(capsys, "off.yaml")
    assert notes[1] == (
        "converted: es_backups_check false, but runs longer than max_duration are always reported (off.yaml:2)"
    )


def test_sections_the_writer_does_not_back_up_are_left_out(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("null.cnf").write_text("type: dump\nsections:\n  s1: {}\n  s2: {type: null}\n  s3: {type: 'null'}\n")
    policy, notes = imported(capsys, "null.cnf")
    assert {job.section for job in policy.expected} == {"s1"}
    assert "left out, because the type null makes no backup: s2 (null.cnf:4), s3 (null.cnf:5)" in notes
