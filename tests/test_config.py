"""The configuration file: what it says, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import bernard_exporter
from bernard_exporter.config import document, values
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import Settings
from bernard_exporter.errors import ConfigError
from bernard_exporter.model import Job
from bernard_exporter.policy import BUILT_IN, Limits
from bernard_exporter.schedule import Schedule

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
               retention: 90d, schedule: '0 0 * * 2', restore_rate: 100MB}
    snapshot: {max_age: 3d, retention: 30d, schedule: '0 19 * * 0,2,4', timezone: Europe/Madrid}
  sections:
    s1: [dump, snapshot]
    matomo: {dump: {datacenters: [eqiad]}}
    es1: {dump: {max_age: 1095d, read_only: true}}
    x1: {snapshot: }
""",
    )
    assert settings.database.option_file == tmp_path / "my.cnf"
    assert settings.database.hosts == ("db1.example", "db2.example:3307")
    assert (settings.database.timeout, settings.poll_interval, settings.resync_interval) == (10.0, 60.0, 7200.0)
    dump = Limits(max_age=8 * DAY, retention=90 * DAY, schedule=Schedule("0 0 * * 2"), restore_rate=100_000_000)
    snapshot = Limits(max_age=3 * DAY, retention=30 * DAY, schedule=Schedule("0 19 * * 0,2,4", "Europe/Madrid"))
    es1 = Limits(
        max_age=1095 * DAY,
        retention=90 * DAY,
        schedule=Schedule("0 0 * * 2"),
        restore_rate=100_000_000,
        read_only=True,
    )
    assert settings.policy.expected == {
        Job("s1", "dump", "eqiad"): dump,
        Job("s1", "dump", "codfw"): dump,
        Job("s1", "snapshot", "eqiad"): snapshot,
        Job("s1", "snapshot", "codfw"): snapshot,
        Job("matomo", "dump", "eqiad"): dump,
        Job("es1", "dump", "eqiad"): es1,
        Job("es1", "dump", "codfw"): es1,
        Job("x1", "snapshot", "eqiad"): snapshot,
        Job("x1", "snapshot", "codfw"): snapshot,
    }


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


@pytest.mark.parametrize("loader", [document._FAST_LOADER, yaml.SafeLoader])
def test_both_loaders_of_yaml_read_the_same_and_say_the_same_of_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: type[yaml.SafeLoader]
) -> None:
    """PyYAML may be built without libyaml."""
    monkeypatch.setattr(document, "_FAST_LOADER", loader)
    settings = parse(tmp_path, DATABASE + "poll_interval: 90s\npolicy: {sections: {s1: [dump], 'x1': [dump]}}\n")
    assert settings.poll_interval == 90.0
    assert {job.section for job in settings.policy.expected} == {"s1", "x1"}
    with pytest.raises(ConfigError, match=r":2: policy\.sections\.é💩: found 'é💩', expected a section name"):
        parse(tmp_path, DATABASE + "policy: {sections: {é💩: [dump]}}\n")
    with pytest.raises(ConfigError, match=r":3: found expected ',' or '}', but got '<stream end>', expected YAML"):
        parse(tmp_path, DATABASE + "policy: {a: b\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: found nothing, expected a mapping with the key database"),
        ("\0\n", ": found the character U+0000 at 0, expected YAML"),
        ("a: [", ":1: found expected the node content, but found '<stream end>', expected YAML"),
        ("- 1", ":1: found a list, expected a mapping"),
        ("poll_interval: 60s", ":1: found none, expected the key database"),
        ("database: {}", ":1: database: found neither, expected the key url or option_file"),
        ("database: {url: 5}", ":1: database.url: found a value that is not shown, expected a URL such as"),
        ("database: {url: 'postgresql://u:secret@h/d'}", ":1: database.url: found the kind 'postgresql', expected"),
        ("database: {url: '::secret'}", ":1: database.url: found a value that is not shown, expected a URL"),
        ("database: {url: 'sqlite://'}", ":1: database.url: found no path, expected the path of an SQLite file"),
        ("database: {option_file: 3}", ":1: database.option_file: found '3', expected the path"),
        (
            "database: {url: 'sqlite:////x', hosts: 'db1'}",
            ":1: database.hosts: found 'db1', expected a list of hosts, each NAME or NAME:PORT",
        ),
        (
            "database: {url: 'sqlite:////x', hosts: ['db1:x']}",
            ":1: database.hosts[0]: found 'db1:x', expected a host, NAME or NAME:PORT",
        ),
        (DATABASE + "poll_intervall: 5s", ":2: poll_intervall: found the key 'poll_intervall', expected one of the"),
        (DATABASE + DATABASE, ":2: database: found the key 'database' again, expected each key once"),
        (
            DATABASE + "poll_interval: 60",
            ":2: poll_interval: found '60', expected a duration such as 90s, 5m, 8d or 2w",
        ),
        (DATABASE + "poll_interval: 0s", ":2: poll_interval: found '0s', expected a duration such as"),
        (DATABASE + "poll_interval: 5x", ":2: poll_interval: found '5x', expected a duration"),
        (DATABASE + "poll_interval:", ":2: poll_interval: found nothing, expected a duration"),
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
        ("  sections: {'s 1': [dump]}", "policy.sections.s 1: found 's 1', expected a section name of"),
        ("  sections: {s1: {dump: {max_aeg: 8d}}}", "policy.sections.s1.dump.max_aeg: found the key 'max_aeg'"),
        ("  sections: {s1: {dump: {max_age: yes}}}", "policy.sections.s1.dump.max_age: found 'yes', expected a dur"),
        ("  sections: {s1: {dump: {min_size: -1}}}", "policy.sections.s1.dump.min_size: found '-1', expected a size"),
        ("  sections: {s1: {dump: {min_size: 99999999PiB}}}", "policy.sections.s1.dump.min_size: found '99999999PiB'"),
        ("  sections: {s1: {dump: {read_only: 1}}}", "policy.sections.s1.dump.read_only: found '1', expected true"),
        ("  sections: {s1: {dump: {restore_rate: 0}}}", "policy.sections.s1.dump.restore_rate: found '0', expected"),
        (
            "  sections: {s1: {dump: {size_change: {warning: 20%}}}}",
            "policy.sections.s1.dump.size_change: found a warning of 0.2, expected a warning of at most the critical",
        ),
        (
            "  sections: {s1: {dump: {size_change: {warning: five}}}}",
            "policy.sections.s1.dump.size_change.warning: found 'five', expected a ratio such as 5% or 0.05",
        ),
        ("  sections: {s1: {dump: {schedule: daily}}}", "policy.sections.s1.dump.schedule: found 'daily', expected"),
        ("  sections: {s1: {dump: {schedule: '0 0 30 2 *'}}}", "policy.sections.s1.dump.schedule: found '0 0 30 2 *'"),
        ("  sections: {s1: {dump: {timezone: Mars/Base}}}", "policy.sections.s1.dump.timezone: found 'Mars/Base'"),
        ("  sections: {s1: {dump: {datacenters: [x]}}}", "policy.sections.s1.dump.datacenters[0]: found 'x', expected"),
        ("  sections: {s1: {dump: {datacenters: []}}}", "policy.sections.s1.dump.datacenters: found an empty list"),
        ("  datacenters: {a: '('}", "policy.datacenters.a: found '(', expected a regular expression"),
        ("  datacenters: {unknown: 'x'}", "policy.datacenters.unknown: found 'unknown', expected a name"),
        ("  datacenters: {}", "policy.datacenters: found none, expected at least one data centre"),
        ("  defaults: {dumps: {}}", "policy.defaults.dumps: found the key 'dumps', expected one of the keys dump"),
    ],
)
def test_wrong_policy_is_refused_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        policy(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'config.yaml'}:3: {message}")


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


def test_example_that_is_shipped_loads(tmp_path: Path) -> None:
    expected = load(Path(bernard_exporter.__file__).parent / "example.yaml").policy.expected
    assert len({job.section for job in expected}) == 22
    assert len(expected) == 67
