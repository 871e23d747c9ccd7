"""The configuration file: its values, and the errors for invalid files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

import bernard_exporter
from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.config import document, values
from bernard_exporter.config.address import Host, parse_host
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import Settings
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import BUILT_IN, Limits
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.errors import ConfigError

DATABASE = "database: {url: 'sqlite:////tmp/x'}\n"
DAY = 86400.0


def parse(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return load(file)


def policy(tmp_path: Path, text: str) -> dict[Job, Limits]:
    return dict(parse(tmp_path, DATABASE + "policy:\n" + text).policy.expected)


def test_example_of_every_key_is_understood(tmp_path: Path) -> None:
    settings = parse(
        tmp_path,
        """
database:
  url: mysql+pymysql://bernard@/dbbackups
  option_file: my.cnf
  hosts: [db1.example, "db2.example:3307"]
  timeout: 10s
poll_interval: 60s
resync_interval: 2h
policy:
  datacenters: {eqiad: '\\.eqiad\\.wmnet$', codfw: '\\.codfw\\.wmnet$'}
  defaults:
    dump:     {max_age: 8d, min_size: 300KiB, size_change: {warning: 5%, critical: 15%}, max_duration: 12h,
               retention: 90d, schedule: '0 0 * * 2', start_within: 36h, restore_rate: 100MB}
    snapshot: {max_age: 3d, retention: 30d, schedule: '0 19 * * 0,2,4', timezone: Europe/Madrid}
  sections:
    s1: [dump, snapshot]
    matomo: {dump: {datacenters: [eqiad]}}
    es1: {team: dba, dump: {max_age: 1095d, read_only: true}}
    x1: {snapshot: {expected_from: 2027-01-01, schedule: none, team: web}}
""",
    )
    assert settings.database.option_file == tmp_path / "my.cnf"
    assert settings.database.hosts == ("db1.example", "db2.example:3307")
    assert (settings.database.timeout, settings.poll_interval, settings.resync_interval) == (10.0, 60.0, 7200.0)
    dump = Limits(
        max_age=8 * DAY,
        retention=90 * DAY,
        schedule=Schedule("0 0 * * 2"),
        start_within=36 * 3600.0,
        restore_rate=100_000_000,
    )
    snapshot = Limits(max_age=3 * DAY, retention=30 * DAY, schedule=Schedule("0 19 * * 0,2,4", "Europe/Madrid"))
    es1 = Limits(
        max_age=1095 * DAY,
        retention=90 * DAY,
        start_within=36 * 3600.0,
        team="dba",
        restore_rate=100_000_000,
        read_only=True,
    )
    x1 = replace(snapshot, schedule=None, expected_from=datetime(2027, 1, 1, tzinfo=UTC), team="web")
    assert settings.policy.expected == {
        Job("s1", "dump", "eqiad"): dump,
        Job("s1", "dump", "codfw"): dump,
        Job("s1", "snapshot", "eqiad"): snapshot,
        Job("s1", "snapshot", "codfw"): snapshot,
        Job("matomo", "dump", "eqiad"): dump,
        Job("es1", "dump", "eqiad"): es1,
        Job("es1", "dump", "codfw"): es1,
        Job("x1", "snapshot", "eqiad"): x1,
        Job("x1", "snapshot", "codfw"): x1,
    }


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("db1.example", Host("db1.example")),
        ("db1:3307", Host("db1", 3307)),
        ("::1", Host("::1")),
        ("[::1]", Host("::1")),
        ("[::1]:3306", Host("::1", 3306)),
        ("fe80::1%eth0", Host("fe80::1%eth0")),
        ("192.0.2.1:3306", Host("192.0.2.1", 3306)),
    ],
)
def test_host_is_understood_with_and_without_port(tmp_path: Path, text: str, host: Host) -> None:
    settings = parse(tmp_path, f"database: {{option_file: my.cnf, hosts: ['{text}']}}\n")
    assert [parse_host(found) for found in settings.database.hosts] == [host]


def test_what_is_left_out_has_the_predecessors_value(tmp_path: Path) -> None:
    found = policy(tmp_path, "  sections: {s1: [dump, snapshot, cold]}\n")
    assert found[Job("s1", "dump", "eqiad")] == BUILT_IN["dump"]
    assert BUILT_IN["dump"] == Limits(
        max_age=691200.0,
        min_size=307200,
        size_change_warning=0.05,
        size_change_critical=0.15,
        max_duration=43200.0,
    )
    assert BUILT_IN["snapshot"].max_age == 259200.0
    assert parse(tmp_path, DATABASE).policy.expected == {}


def test_time_zone_of_a_section_moves_the_schedule_it_inherits(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        "  timezone: America/New_York\n  defaults: {dump: {schedule: '0 3 * * *'}}\n"
        "  sections: {s1: [dump], s2: {dump: {timezone: Asia/Tokyo}}, s3: {dump: {schedule: '5 3 * * *'}}}\n",
    )
    schedules = {job.section: limits.schedule for job, limits in found.items()}
    assert schedules == {
        "s1": Schedule("0 3 * * *", "America/New_York"),
        "s2": Schedule("0 3 * * *", "Asia/Tokyo"),
        "s3": Schedule("5 3 * * *", "America/New_York"),
    }


@pytest.mark.parametrize("loader", [document._LOADER, yaml.SafeLoader])
def test_both_loaders_of_yaml_read_the_same_and_name_the_line_of_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: type[yaml.SafeLoader]
) -> None:
    """PyYAML may be built without libyaml."""
    monkeypatch.setattr(document, "_LOADER", loader)
    settings = parse(tmp_path, DATABASE + "poll_interval: 90s\npolicy: {sections: {s1: [dump], 'x1': [dump]}}\n")
    assert settings.poll_interval == 90.0
    assert {job.section for job in settings.policy.expected} == {"s1", "x1"}
    with pytest.raises(ConfigError, match=r":2: policy\.sections\.é💩: found the key 'é💩', expected a section name"):
        parse(tmp_path, DATABASE + "policy: {sections: {é💩: [dump]}}\n")
    with pytest.raises(ConfigError, match=r":[34]: found invalid YAML \(.*expected ',' or '}'.*\), expected YAML"):
        parse(tmp_path, DATABASE + "policy: {a: b\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: found nothing, expected a mapping with the key database"),
        ("\0\n", ": found the character U+0000 at 0, expected YAML"),
        ("a: [", ":2: found invalid YAML (did not find expected node content), expected YAML"),
        ("- 1", ":1: found a list, expected a mapping"),
        ("poll_interval: 60s", ":1: found none, expected the key database"),
        ("database: {}", ":1: database: found neither, expected the key url or option_file"),
        ("database: {url: 5}", ":1: database.url: found a value that is not shown, expected a URL such as"),
        ("database: {url: 'postgresql://u:secret@h/d'}", ":1: database.url: found the kind 'postgresql', expected"),
        ("database: {url: '::secret'}", ":1: database.url: found a value that is not shown, expected a URL"),
        ("database: {url: 'sqlite://'}", ":1: database.url: found no path, expected the path of an SQLite file"),
        ("database: {option_file: 3}", ":1: database.option_file: found '3', expected the path"),
        (
            "database: {option_file: a, hosts: 'db1'}",
            ":1: database.hosts: found 'db1', expected a list of hosts, each NAME or NAME:PORT",
        ),
        (
            "database: {option_file: a, hosts: ['db1:x']}",
            ":1: database.hosts[0]: found 'db1:x', expected a host, NAME or NAME:PORT",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h/d?foo=bar'}",
            ":1: database.url: found the option 'foo', expected one of the options unix_socket, ssl_ca,",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h/d?read_timeout=abc'}",
            ":1: database.url: found another value of the option read_timeout, expected read_timeout=SECONDS",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h/d?ssl_disabled=perhaps'}",
            ":1: database.url: found another value of the option ssl_disabled, expected ssl_disabled=true",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h/d?charset=latin1'}",
            ":1: database.url: found another value of the option charset, expected charset=utf8mb4",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h/d?ssl_ca=a&ssl_ca=b'}",
            ":1: database.url: found it again, expected the option ssl_ca once",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h/d?unix_socket=/s'}",
            ":1: database.url: found unix_socket and the host 'h', expected unix_socket or a host, not both",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h:70000/d'}",
            ":1: database.url: found the port 70000, expected a port from 1 to 65535",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@h:x/d'}",
            ":1: database.url: found a value that is not shown, expected a URL such as",
        ),
        (
            "database: {url: 'sqlite:////x?mode=rw'}",
            ":1: database.url: found the options mode, expected the path of an SQLite file without options",
        ),
        (
            'database: {option_file: "a\\0"}',
            ":1: database.option_file: found 'a\\x00', expected the path of a MySQL option file, of printable",
        ),
        (
            "database: {option_file: a, timeout: 400d}",
            ":1: database.timeout: found '400d', expected a duration such as 90s, 5m, 8d or 2w, from 100ms",
        ),
        (
            "database: {option_file: a, timeout: 1ms}",
            ":1: database.timeout: found '1ms', expected a duration such as 90s, 5m, 8d or 2w, from 100ms",
        ),
        (
            "database: {option_file: a, hosts: ['[::1']}",
            ":1: database.hosts[0]: found '[::1', expected a host, NAME or NAME:PORT; an IPv6",
        ),
        (
            "database: {url: 'sqlite:////x', hosts: [db1]}",
            ":1: database.hosts: found hosts with an SQLite file, expected this key only for a database on a server",
        ),
        (
            "database: {url: 'sqlite:////x', option_file: my.cnf}",
            ":1: database.option_file: found option_file with an SQLite file, expected this key only for a database",
        ),
        (
            "database: {option_file: a}\npolicy: {defaults: {dump: {datacenters: [eqiad]}}}",
            ":2: policy.defaults.dump.datacenters: found the key 'datacenters', expected one of the keys max_age",
        ),
        (
            "database: {option_file: a, hosts: [a..b]}",
            ":1: database.hosts[0]: found 'a..b', expected a host name whose parts between the dots have 1 to 63",
        ),
        (
            "database: {url: 'mysql+pymysql://u:secret@./d'}",
            ":1: database.url: found a value that is not shown, expected a host name whose parts between the dots",
        ),
        ("database: {option_file: a, hosts: []}", ":1: database.hosts: found none, expected at least one host"),
        (
            "database: {option_file: a, hosts: [db1, db1]}",
            ":1: database.hosts[1]: found 'db1' again, expected each host once",
        ),
        (
            "database: {option_file: a, hosts: ['db1:0']}",
            ":1: database.hosts[0]: found the port 0, expected a port from 1 to 65535",
        ),
        (
            "database: {option_file: a, hosts: ['u@db1']}",
            ":1: database.hosts[0]: found 'u@db1', expected a host",
        ),
        (DATABASE + "poll_intervall: 5s", ":2: poll_intervall: found the key 'poll_intervall', expected one of the"),
        (DATABASE + DATABASE, ":2: database: found the key 'database' again, expected each key once"),
        (
            DATABASE + "poll_interval: 60",
            ":2: poll_interval: found '60', expected a duration such as 90s, 5m, 8d or 2w",
        ),
        (
            DATABASE + "poll_interval: 0s",
            ":2: poll_interval: found '0s', expected a duration such as 90s, 5m, 8d or 2w, from 100ms to 1h",
        ),
        (DATABASE + "poll_interval: 5x", ":2: poll_interval: found '5x', expected a duration"),
        (DATABASE + "poll_interval:", ":2: poll_interval: found nothing, expected a duration"),
        (DATABASE + "? [a, b]\n: c", ":2: found a list as a key, expected one of the keys database, "),
        (DATABASE + "? {a: b}\n: c", ":2: found a mapping as a key, expected one of the keys database, "),
        (DATABASE + "? !x foo\n: c", ":2: found the key 'foo' with the tag !x, expected one of the keys database, "),
        (DATABASE + "'': c", ":2: found an empty key, expected one of the keys database, "),
        (DATABASE + "<<: {poll_interval: 5s}", ":2: found the key '<<', expected one of the keys database, "),
        (DATABASE + "=: c", ":2: found the key '=', expected one of the keys database, "),
    ],
)
def test_wrong_file_is_refused_with_line_key_and_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'config.yaml'}{message}")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  sections: {s1: dump}", "policy.sections.s1: found 'dump', expected a list of types such as"),
        ("  sections: {s1: [dumps]}", "policy.sections.s1[0]: found 'dumps', expected one of dump, snapshot, cold"),
        ("  sections: {s1: [dump, dump]}", "policy.sections.s1: found dump, dump, expected each type once"),
        ("  sections: {'s 1': [dump]}", "policy.sections.s 1: found the key 's 1', expected a section name of"),
        (
            "  sections: {..: [dump]}",
            "policy.sections...: found the key '..', expected a section name of up to 100 letters, digits, '_', '.' "
            "and '-', the first a letter, a digit or '_'",
        ),
        ("  sections: {<<: {s1: [dump]}}", "policy.sections: found the key '<<', expected a section name of"),
        (
            "  datacenters: {-x: 'x'}",
            "policy.datacenters.-x: found the key '-x', expected a name other than unknown",
        ),
        ("  sections: {s1: {dump: {max_aeg: 8d}}}", "policy.sections.s1.dump.max_aeg: found the key 'max_aeg'"),
        ("  sections: {s1: {dump: {max_age: yes}}}", "policy.sections.s1.dump.max_age: found 'yes', expected a dur"),
        ("  sections: {s1: {dump: {min_size: -1}}}", "policy.sections.s1.dump.min_size: found '-1', expected a size"),
        ("  sections: {s1: {dump: {min_size: 99999999PiB}}}", "policy.sections.s1.dump.min_size: found '99999999PiB'"),
        ("  sections: {s1: {dump: {read_only: 1}}}", "policy.sections.s1.dump.read_only: found '1', expected true"),
        ("  sections: {s1: {dump: {restore_rate: 0}}}", "policy.sections.s1.dump.restore_rate: found '0', expected"),
        (
            "  sections: {s1: {dump: {size_change: {warning: 20%}}}}",
            "policy.sections.s1.dump.size_change: found a warning of 20%, expected a warning of at most the critical",
        ),
        (
            "  sections: {s1: {dump: {size_change: {warning: five}}}}",
            "policy.sections.s1.dump.size_change.warning: found 'five', expected a ratio such as 5% or 0.05",
        ),
        ("  sections: {s1: {dump: {schedule: daily}}}", "policy.sections.s1.dump.schedule: found 'daily', expected"),
        ("  sections: {s1: {dump: {schedule: '0 0 30 2 *'}}}", "policy.sections.s1.dump.schedule: found '0 0 30 2 *'"),
        ("  sections: {s1: {dump: {timezone: Mars/Base}}}", "policy.sections.s1.dump.timezone: found 'Mars/Base'"),
        ("  sections: {s1: {dump: {datacenters: [x]}}}", "policy.sections.s1.dump.datacenters[0]: found 'x', expected"),
        (
            "  sections: {s1: {dump: {datacenters: []}}}",
            "policy.sections.s1.dump.datacenters: found none, expected at",
        ),
        ("  datacenters: {a: '('}", "policy.datacenters.a: found '(', expected a regular expression"),
        ("  datacenters: {unknown: 'x'}", "policy.datacenters.unknown: found the key 'unknown', expected a name"),
        ("  datacenters: {}", "policy.datacenters: found none, expected at"),
        ("  defaults: {dumps: {}}", "policy.defaults.dumps: found the key 'dumps', expected one of the keys dump"),
    ],
)
def test_wrong_policy_is_refused_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        policy(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'config.yaml'}:3: {message}")


def test_first_of_several_errors_in_the_file_is_named(tmp_path: Path) -> None:
    """Whatever the order in which the keys are checked."""
    wrong = {
        "policy.sections.s1[0]": "policy: {sections: {s1: [tape]}}",
        "resync_interval": "resync_interval: 1",
        "poll_interval": "poll_interval: 1",
        "database.url": "database: {url: x, hosts: 5}",
    }
    for number, key in enumerate(wrong):
        with pytest.raises(ConfigError) as raised:
            parse(tmp_path, "\n".join(list(wrong.values())[number:]))
        assert f":1: {key}: found" in str(raised.value)


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml: No such file or directory, expected a readable file"):
        load(tmp_path / "nothing.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match=r"bytes\.yaml: found a byte that is not UTF-8 at 3"):
        load(tmp_path / "bytes.yaml")


def test_units_are_those_people_write() -> None:
    assert [values.duration(text) for text in ("90s", "5m", "8d", "2w", "1h30m", "0.5d")] == [
        90,
        300,
        691200,
        1209600,
        5400,
        43200,
    ]
    assert [values.size(value) for value in ("300KiB", "2GB", 7, "1.5 MiB", "12")] == [
        307200,
        2 * 10**9,
        7,
        1572864,
        12,
    ]
    assert [values.ratio(value) for value in ("5%", 0.05, 1)] == [0.05, 0.05, 1.0]
    for wrong in (float("nan"), -0.1, True, "5"):
        with pytest.raises(ValueError, match="a ratio such as"):
            values.ratio(wrong)


def test_example_that_is_shipped_expects_the_fleet_of_the_sample() -> None:
    expected = load(Path(bernard_exporter.__file__).parent / "example.yaml").policy.expected
    assert len({job.section for job in expected}) == 25
    assert len([job for job, limits in expected.items() if not limits.read_only]) == 54
    assert {job for job, limits in expected.items() if not limits.schedule} == {
        Job(f"es{number}", "dump", place) for number in range(1, 6) for place in ("eqiad", "codfw")
    }
    assert set(expected) == set(make_fleet().policy.expected)


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("sections: {es1: {dump: {read_only: true}}}", None),
        ("sections: {es1: {dump: {read_only: true, timezone: Europe/Madrid}}}", None),
        ("sections: {es1: {dump: {read_only: true, schedule: '0 1 * * *'}}}", Schedule("0 1 * * *")),
        ("sections: {es1: {dump: {schedule: none}}}", None),
        ("sections: {es1: {dump: {read_only: false}}}", Schedule("0 0 * * 2")),
        ("sections: {es1: [dump]}", Schedule("0 0 * * 2")),
    ],
)
def test_read_only_section_inherits_no_schedule(tmp_path: Path, text: str, schedule: Schedule | None) -> None:
    found = policy(tmp_path, f"  defaults: {{dump: {{schedule: '0 0 * * 2'}}}}\n  {text}\n")
    assert found[Job("es1", "dump", "eqiad")].schedule == schedule


@pytest.mark.parametrize("text", ["{es1: [dump]}", "{es1: {dump: }}", "{es1: {dump: {max_age: 9d}}}"])
def test_data_that_is_read_only_by_default_inherits_no_schedule(tmp_path: Path, text: str) -> None:
    defaults = "  defaults: {dump: {read_only: true, schedule: '0 0 * * 2'}}\n"
    assert policy(tmp_path, f"{defaults}  sections: {text}\n")[Job("es1", "dump", "eqiad")].schedule is None


def test_section_names_a_team_that_a_type_of_it_may_override(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        "  defaults: {dump: {team: dba}}\n  sections: {s1: [dump], s2: {team: web, dump: , snapshot: {team: ops}}}\n",
    )
    teams = {(job.section, job.type): limits.team for job, limits in found.items()}
    assert teams == {("s1", "dump"): "dba", ("s2", "dump"): "web", ("s2", "snapshot"): "ops"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("'2027-01-31'", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31 12:00:00", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00+02:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_date_alone_is_its_midnight_in_utc(tmp_path: Path, text: str, expected: datetime) -> None:
    found = policy(tmp_path, f"  sections: {{s1: {{dump: {{expected_from: {text}}}}}}}\n")
    assert found[Job("s1", "dump", "eqiad")].expected_from == expected


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("start_within: 30s", "'30s'", "a duration such as 90s, 5m, 8d or 2w, from 1m to 366d"),
        ("start_within: 367d", "'367d'", "a duration such as 90s, 5m, 8d or 2w, from 1m to 366d"),
        ("start_within: soon", "'soon'", "a duration such as 90s, 5m, 8d or 2w, from 1m to 366d"),
        ("max_age: 0d", "'0d'", "a duration such as 90s, 5m, 8d or 2w, from 1m to 36500d"),
        ("max_age: 1s", "'1s'", "a duration such as 90s, 5m, 8d or 2w, from 1m to 36500d"),
        ("max_duration: 2000000d", "'2000000d'", "a duration such as 90s, 5m, 8d or 2w, from 1m to 366d"),
        ("retention: 5", "'5'", "a duration such as 90s, 5m, 8d or 2w, from 1h to 36500d"),
        ("expected_from: soon", "'soon'", "a date or a time such as 2027-01-31"),
        ("expected_from: 2027", "'2027'", "a date or a time such as 2027-01-31"),
        ("expected_from: 1999-12-31", "'1999-12-31'", "a date or a time such as 2027-01-31"),
        ("team: ''", "nothing", "a text of up to 100 printable characters"),
        ("team: [dba]", "a list", "a text of up to 100 printable characters"),
        ('team: "a\\nb"', "'a\\nb'", "a text of up to 100 printable characters"),
        (f"team: {'x' * 101}", f"'{'x' * 60}...'", "a text of up to 100 printable characters"),
    ],
)
def test_value_out_of_its_range_is_refused(tmp_path: Path, text: str, found: str, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        policy(tmp_path, f"  sections: {{s1: {{dump: {{{text}}}}}}}\n")
    key = text.partition(":")[0]
    assert f".yaml:3: policy.sections.s1.dump.{key}: found {found}, expected {expected}" in str(raised.value)


def test_section_with_a_team_and_no_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"policy\.sections\.s1: found no type, expected one of the types dump"):
        policy(tmp_path, "  sections: {s1: {team: dba}}\n")
