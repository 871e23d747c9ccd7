"""Policies from what the predecessors were told: serve accepts them, and nothing is lost in silence."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from bernard_exporter.config.load import load
from bernard_exporter.config.settings import Settings
from bernard_exporter.model import Job
from bernard_exporter.policy import BUILT_IN, Policy
from tests.commands import command

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


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"hiera.yaml": HIERA, "valid.txt": LIST, "backups.cnf": WRITER, "remote.cnf": REMOTE}.items():
        Path(name).write_text(text)
    return tmp_path


def imported(capsys: pytest.CaptureFixture[str], *files: str) -> tuple[Policy, list[str]]:
    """Return the policy that serve would follow, and what was said of it."""
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
    key = "is not carried over: it says nothing of a backup that is expected"
    assert notes == [
        f"hiera.yaml:1: the key profile::dbbackups::check::enabled {key}",
        "hiera.yaml:8: x2: the type 'incremental' is left out, expected one of dump, snapshot, cold",
        "hiera.yaml:9: dump of x2 is left out: its list of data centres is empty",
        f"hiera.yaml:14: the key profile::dbbackups::check::db_password {key}",
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
    assert notes == ["a list names sections only: dump and snapshot in every data centre is assumed"]


def test_list_beside_another_file_checks_its_names(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone, _ = imported(capsys, "backups.cnf")
    policy, notes = imported(capsys, "backups.cnf", "valid.txt")
    assert policy == alone
    assert notes[-3:] == [
        "valid.txt:4: the section matomo is left out: no other file says which backups it has",
        "valid.txt:5: the section x9 is left out: no other file says which backups it has",
        "the section s2 is in no list of valid sections; check its name",
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
    made = "is not carried over: it says how backups are made"
    assert notes == [
        "backups.cnf:6: s2: kept in eqiad is assumed, where its source is; check it",
        "backups.cnf:7: s1: no host in a known data centre; expected in every data centre, check it",
        f"backups.cnf:1: the key user {made}",
        f"backups.cnf:2: the key password {made}",
        f"backups.cnf:6: the key port {made}",
        f"backups.cnf:6: the key threads {made}",
        "remote.cnf:3: s3: retention is not carried over: nothing rotates",
        "remote.cnf:3: s4: retention is not carried over: nothing rotates",
        "remote.cnf:5: s4: no host in a known data centre; expected in every data centre, check it",
        f"remote.cnf:4: the key order {made}",
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
    assert notes == [
        r"esams.yaml:1: the data centre esams is assumed to have the hosts \.esams\.wmnet$; check it",
        "esams.yaml:1: the data centre 'no good' is left out: no usable name",
    ]


def test_no_secret_is_printed(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = command(capsys, "policy", "import", "hiera.yaml", "backups.cnf", "valid.txt", "remote.cnf")
    assert "s3cret" not in outcome.out + outcome.err
    Path("my.cnf").write_text("password=s3cret and more\n")
    outcome = command(capsys, "policy", "import", "my.cnf")
    assert outcome.status == 1
    assert "s3cret" not in outcome.out + outcome.err


def test_output_goes_to_a_file(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = command(capsys, "policy", "import", "valid.txt").out
    assert command(capsys, "policy", "import", "valid.txt", "--output", "policy.yaml").out == ""
    assert Path("policy.yaml").read_text() == printed
    outcome = command(capsys, "policy", "import", "valid.txt", "--output", "no/policy.yaml")
    assert (outcome.status, outcome.err.splitlines()[-1]) == (
        1,
        "bernard-exporter: no/policy.yaml: No such file or directory; name a file that can be written",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "found no section, expected Puppet hiera"),
        ("# nothing\n", "found no section, expected Puppet hiera"),
        ("- s1: x\n", "x.yaml:1: found something else, expected Puppet hiera"),
        (f"{CHECK}backups: [s1]\n", "found a list, expected a mapping of sections to types"),
        (f"{CHECK}backups: {{s1: {{dump: eqiad}}}}\n", "found 'eqiad', expected a list of data centres"),
        (f"{CHECK}freshness: {{dump: 8d}}\n", "freshness.dump: found '8d', expected whole seconds, more than 0"),
        (
            f"{CHECK}backups: {{s1: {{dump: [eqiad]}}}}\n{CHECK}warn_size_percentage: 20\n",
            "the imported policy:5: policy.defaults.dump.size_change: found a warning of 0.2, expected a warning of",
        ),
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
    assert (outcome.status, outcome.out) == (1, "")
    assert why in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err


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
        assert notes == []
        assert {job: limits.max_age for job, limits in policy.expected.items()} == {
            Job(section, kind, place): freshness[kind]
            for section, kinds in backups.items()
            for kind, places in kinds.items()
            for place in places
        }
