"""The doctor on a real MariaDB: it finds each problem, and its statements fix it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bernard_exporter.commands.doctor.examination import examine
from bernard_exporter.commands.doctor.grants import parse_grant
from bernard_exporter.commands.doctor.result import DoctorResult, Level
from bernard_exporter.commands.doctor.session import examine_clock, examine_encryption, examine_version
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.store.introspection import Server
from testing.command_runner import command
from testing.rows import DAY, Rows
from testing.servers import MariaDB, free_port
from tests.commands.doctor.installation import PASSWORD, Installation, examined, problems
from tests.store.test_tls import certify
from tests.store.test_wrong_answers import Talk, closing, greeting, host, packet, says


@pytest.fixture
def installation(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> Installation:
    return Installation(mariadb, mariadb_url, tmp_path)


def test_healthy_installation_is_all_ok(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    file = installation.may_read().fresh().config()
    outcome = command(capsys, "doctor", "--config.file", file)
    lines = [
        re.sub(r"\d+\.\d+\.\d+-MariaDB.*|(?<=tls: the connection is ).*|\d+ h|\d+ d", "...", line)
        for line in outcome.out.splitlines()
    ]
    assert lines == [
        f"OK   config: {file} expects 1 jobs of 1 sections",
        "OK   server: ...",
        # MariaDB 11 encrypts by default.
        "OK   tls: the connection is ...",
        "OK   clock: the server's clock is within 5 s of this machine's",
        "OK   grants: the account can only read",
        "OK   schema: backups has every column and index",
        "OK   schema: backup_files has every column and index",
        "OK   schema: backup_objects has every column and index",
        "OK   index: 2 runs are too few to check whether last_backup is used",
        "OK   rows: 2 runs, the newest started ... ago",
        "OK   policy: every section of the inventory is in the policy",
    ]
    assert (outcome.status, outcome.err) == (0, "")


@pytest.mark.parametrize(
    ("grants", "may"),
    [
        ("INSERT ON {database}.*", "INSERT on `{database}`.*"),
        ("INSERT, DELETE, SHOW VIEW ON {database}.backups", "INSERT, DELETE on `{database}`.`backups`"),
        ("ALL ON {database}.*", "ALL PRIVILEGES on `{database}`.*"),
        (
            "SELECT, UPDATE (size, file_date) ON {database}.backup_files",
            "UPDATE (`file_date`, `size`) on `{database}`.`backup_files`",
        ),
        ("PROCESS, SUPER ON *.*", "SUPER on *.*"),
        ("SELECT ON {database}.* TO {user}@'%' WITH GRANT OPTION", "GRANT OPTION on `{database}`.*"),
        ("ALL ON *.* TO {user}@'%' WITH GRANT OPTION", "ALL PRIVILEGES, GRANT OPTION on *.*"),
    ],
)
def test_account_that_may_write_is_warned_of_and_the_statement_takes_it_away(
    installation: Installation, grants: str, may: str
) -> None:
    installation.may_read().fresh()
    text = grants.format(database=installation.database, user=installation.user)
    installation.root(f"GRANT {text}" if " TO " in text else f"GRANT {text} TO {installation.user}@'%'")
    [result] = problems(installation.results())
    assert (result.level, result.subject) == (Level.WARN, "grants")
    assert f"the account has {may.format(database=installation.database)}" in result.text
    assert "BY PASSWORD" not in str(result)
    installation.apply(result.fix)
    assert problems(installation.results()) == []


def test_privileges_of_a_role_count(installation: Installation) -> None:
    role = f"role_of_{installation.user}"
    installation.fresh().root(
        f"CREATE ROLE {role}",
        f"GRANT SELECT, INSERT ON {installation.database}.* TO {role}",
        f"GRANT {role} TO {installation.user}@'%'",
        f"SET DEFAULT ROLE {role} FOR {installation.user}@'%'",
    )
    [result] = problems(installation.results())
    assert result.fix == f"REVOKE INSERT ON `{installation.database}`.* FROM `{role}`;"
    installation.apply(result.fix)
    assert problems(installation.results()) == []


def test_root_is_not_advised_to_revoke_its_privileges(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    Rows(mariadb_url).add(start=datetime.now(UTC) - DAY)
    file = tmp_path / "config.yaml"
    file.write_text(
        f"database: {{url: '{mariadb_url}'}}\npolicy: {{sections: {{s1: {{dump: {{datacenters: [eqiad]}}}}}}}}"
    )
    [result] = problems(examined(file))
    assert re.fullmatch(r"the account is `root`@`(localhost|127\.0\.0\.1)`, which has all privileges", result.text)
    assert result.fix.startswith(
        "use a separate account: CREATE USER 'bernard'@'%' IDENTIFIED BY '...'; GRANT SELECT ON "
    )


def test_table_that_may_not_be_read_fails_until_it_is_granted(installation: Installation) -> None:
    installation.fresh()
    for table in ("backups", "backup_objects"):
        installation.root(f"GRANT SELECT ON {installation.database}.{table} TO {installation.user}@'%'")
    [result] = problems(installation.results())
    assert (result.level, result.subject) == (Level.FAIL, "schema")
    assert "error 1142: SELECT command denied to user" in result.text
    assert "rows" not in [found.subject for found in installation.results()]
    installation.apply(result.fix)
    assert problems(installation.results()) == []


SCHEMA_FAULTS = {
    "ALTER TABLE backups DROP COLUMN source": (Level.FAIL, "backups has no column source"),
    "ALTER TABLE backup_files DROP COLUMN file_date": (Level.FAIL, "backup_files has no column file_date"),
    "DROP TABLE backup_objects": (Level.FAIL, "the table backup_objects does not exist"),
    "ALTER TABLE backups DROP INDEX last_backup": (
        Level.WARN,
        "backups has no index that starts with type, section, status, start_date",
    ),
    "ALTER TABLE backups DROP INDEX last_backup, ADD INDEX last_backup (type, section, start_date)": (
        Level.WARN,
        "backups has no index that starts with type, section, status, start_date",
    ),
    "ALTER TABLE backup_objects DROP INDEX backup_db_name": (
        Level.WARN,
        "backup_objects has no index that starts with backup_id, db, name",
    ),
    "ALTER TABLE backups MODIFY end_date DATETIME NULL": (
        Level.WARN,
        "backups.end_date is DATETIME, which has no time zone and is read as UTC; expected TIMESTAMP",
    ),
    "ALTER TABLE backups MODIFY total_size VARCHAR(30)": (
        Level.WARN,
        "backups.total_size is VARCHAR(30), expected a whole number",
    ),
    "ALTER TABLE backups MODIFY status ENUM('finished', 'failed') NOT NULL": (
        Level.WARN,
        "backups.status does not allow ongoing",
    ),
}


@pytest.mark.parametrize("fault", SCHEMA_FAULTS)
def test_fault_of_the_schema_is_found_and_the_statement_fixes_it(installation: Installation, fault: str) -> None:
    installation.may_read().fresh().root(fault)
    [result] = problems(installation.results())
    level, text = SCHEMA_FAULTS[fault]
    assert (result.level, result.subject) == (level, "schema")
    assert result.text.startswith(text)
    if "last_backup (" in fault:
        installation.root("ALTER TABLE backups DROP INDEX last_backup")
    installation.apply(result.fix)
    assert problems(installation.results()) == []


def test_newer_and_wider_schemas_are_as_good(installation: Installation) -> None:
    installation.may_read().fresh().root(
        "ALTER TABLE backups MODIFY id BIGINT UNSIGNED AUTO_INCREMENT,"
        " MODIFY status ENUM('ongoing', 'finished', 'failed', 'deleted') NOT NULL,"
        " MODIFY name VARCHAR(200) CHARACTER SET utf8mb4, MODIFY section VARCHAR(100) CHARACTER SET latin1,"
        " MODIFY type VARCHAR(20), MODIFY host TEXT CHARACTER SET utf8mb3, ADD COLUMN tool VARCHAR(10),"
        " RENAME INDEX last_backup TO another_name",
        "ALTER TABLE backup_files MODIFY backup_id BIGINT UNSIGNED, MODIFY size BIGINT, ROW_FORMAT=DYNAMIC",
    )
    results = installation.results()
    assert problems(results) == []
    assert "OK   schema: backups has columns that are not used: tool" in [str(result) for result in results]


@pytest.mark.parametrize(("seconds", "level"), [(4, Level.OK), (-30, Level.WARN), (30, Level.WARN), (600, Level.FAIL)])
def test_clock_that_differs_is_found(installation: Installation, seconds: int, level: Level) -> None:
    file = installation.may_read().fresh().config()
    ours = lambda: datetime.now(UTC) + timedelta(seconds=seconds)  # noqa: E731
    [result] = [result for result in examine(file, ours) if result.subject == "clock"]
    assert result.level is level
    if level is not Level.OK:
        assert re.search(rf"is (29|30|31|599|600|601) s {'behind' if seconds > 0 else 'ahead of'} this", result.text)


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Installation]:
    """A server with TLS, and an account that it lets in only so."""
    certify(tmp_path, "localhost")
    server = MariaDB(tmp_path)
    server.install()
    with server.serve(f"--ssl-cert={tmp_path / 'localhost.pem'}", f"--ssl-key={tmp_path / 'localhost.key'}"):
        server.execute("CREATE DATABASE dbbackups")
        found = Installation(server, server.url("dbbackups"), tmp_path).may_read().fresh()
        found.root(f"ALTER USER {found.user}@'%' REQUIRE SSL")
        yield found


def test_encryption_is_reported_and_its_absence_where_it_is_required(encrypted: Installation, tmp_path: Path) -> None:
    results = encrypted.results("host=localhost", "protocol=tcp", f"ssl-ca={tmp_path / 'localhost.pem'}")
    assert problems(results) == []
    [tls] = [result for result in results if result.subject == "tls"]
    assert tls.text.startswith("the connection is encrypted, TLSv1.3 with TLS_")
    [result] = problems(encrypted.results("ssl=0"))
    assert (result.level, result.subject) == (Level.FAIL, "connection")
    assert "error 1045: Access denied for user" in result.text
    assert result.fix.endswith("and TLS if it is required")


def test_certificate_that_is_not_trusted_is_said_without_naming_a_file_that_is_not_there(
    encrypted: Installation, tmp_path: Path
) -> None:
    certify(tmp_path, "other")
    file = tmp_path / "config.yaml"
    url = f"{encrypted.user}:{PASSWORD}@localhost:{encrypted.server.port}/{encrypted.database}"
    file.write_text(f"database: {{url: 'mysql+pymysql://{url}?ssl_ca={tmp_path / 'other.pem'}'}}\n")
    [result] = [result for result in examined(file) if result.subject == "connection"]
    assert result.text.startswith(f"localhost:{encrypted.server.port}: error 2026: no TLS connection (")
    assert "CERTIFICATE_VERIFY_FAILED" in result.text
    assert result.fix.startswith("compare the TLS settings of the configuration with the server's")


@pytest.mark.parametrize(
    ("talk", "text", "fix"),
    [
        (
            closing,
            "error 2013: ",
            "check the server's error log, and the network and the proxies in between",
        ),
        (
            says(greeting(), packet(2, b"\xfezzz\0abc")),
            "error 2059: Authentication plugin 'zzz' not configured",
            "install the package if it names one, such as bernard-exporter[ed25519], or give the account another way "
            "of authentication, such as mysql_native_password",
        ),
    ],
)
def test_fix_of_a_connection_error_is_whole(tmp_path: Path, talk: Talk, text: str, fix: str) -> None:
    file = tmp_path / "config.yaml"
    with host(talk) as wrong:
        file.write_text(f"database: {{url: 'mysql+pymysql://x@{wrong}/x', timeout: 5s}}\n")
        [result] = [result for result in examined(file) if result.subject == "connection"]
    assert result.text.startswith(f"{wrong}: {text}")
    assert result.fix == fix


def test_open_connection_across_a_network_is_warned_of() -> None:
    server = Server("10.11.6-MariaDB", account="bernard@10.0.0.1")
    assert str(examine_encryption(server, "db1.example")) == (
        "WARN tls: the connection to db1.example is not encrypted; fix: set ssl-ca in [client] of the option file;"
        " then ALTER USER 'bernard'@'10.0.0.1' REQUIRE SSL;"
    )
    assert examine_encryption(server, None).level is Level.OK


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("10.3.39-MariaDB-log", Level.WARN),
        ("10.4.34-MariaDB", Level.OK),
        ("11.4.2-MariaDB-ubu2404", Level.OK),
        ("SQLite 3.40.1", Level.OK),
    ],
)
def test_versions_that_are_too_old_are_warned_of(version: str, level: Level) -> None:
    assert examine_version(Server(version)).level is level
    assert examine_clock(Server(version), datetime.now(UTC)) is None


def test_use_of_the_index_is_reported_with_enough_rows(
    installation: Installation, tmp_path: Path, mariadb: MariaDB
) -> None:
    policy = tmp_path / "policy.yaml"
    installation.root("DROP TABLE backups, backup_files, backup_objects")
    generate(
        installation.url, days=1, runs=5_000, jobs=40, files=0, seed=1, now=datetime.now(UTC), policy_output=policy
    )
    installation.may_read().root("ANALYZE TABLE backups")
    file = installation.config()
    file.write_text("database: {option_file: my.cnf}\n" + policy.read_text())

    def index() -> DoctorResult:
        return next(result for result in examined(file) if result.subject == "index")

    assert index().level is Level.OK
    match = re.fullmatch(r"(\d+) statements of a poll use an index, (\d+) of them last_backup", index().text)
    assert match
    assert 0 < int(match[2]) <= int(match[1])
    installation.root("ALTER TABLE backups DROP INDEX last_backup")
    assert re.fullmatch(r"\d+ of \d+ statements read the whole table backups", index().text)
    assert index().fix == "see schema, above; if the index last_backup exists: ANALYZE TABLE backups;"


def test_jobs_that_only_policy_or_inventory_has_are_named(installation: Installation) -> None:
    installation.may_read().fresh()
    now = datetime.now(UTC)
    installation.rows.add(section="x9", type="snapshot", start=now - DAY)
    installation.rows.add(host="elsewhere.example", start=now - DAY)
    installation.rows.add(start=now + DAY)
    results = problems(examined(installation.config(policy="{s1: {dump: {datacenters: [eqiad]}}, s2: [dump]}")))
    assert [str(result) for result in results] == [
        "WARN rows: 5 runs, the newest started 1 d ago; 2 dates are unknown or in the future;"
        " fix: correct the clock and the time zone of the backup hosts and the database server",
        "WARN policy: sections that are not in the policy: x9;"
        " fix: add them under policy.sections, such as x9: [snapshot]",
        "WARN policy: hosts that match no data centre of the policy: 'elsewhere.example';"
        " fix: add a matching pattern under policy.datacenters",
        "WARN policy: expected jobs without any recorded run: s2/dump/codfw, s2/dump/eqiad;"
        " fix: check for a misspelt name under policy.sections, or start the backups",
    ]


def test_control_characters_of_names_are_escaped(installation: Installation) -> None:
    installation.may_read().fresh()
    installation.rows.add(section="a\tb\x1b[31m", start=datetime.now(UTC) - DAY)
    assert [str(result) for result in problems(examined(installation.config()))] == [
        "WARN policy: sections that are not in the policy: a\\tb\\x1b[31m;"
        " fix: add them under policy.sections, such as a\\tb\\x1b[31m: [dump]",
    ]


def test_one_of_several_hosts_that_is_away_is_a_warning(installation: Installation) -> None:
    away, here = f"127.0.0.1:{free_port()}", f"127.0.0.1:{installation.server.port}"
    results = examined(installation.may_read().fresh().config(hosts=f", hosts: ['{away}', '{here}']"))
    [result] = problems(results)
    assert (result.level, result.subject, result.fix) == (
        Level.WARN,
        "connection",
        "start it, or remove it from database.hosts",
    )
    assert result.text.startswith(f"{away}: error 2003: ")
    assert f"OK   connection: {here} answers" in [str(found) for found in results]


def test_what_prevents_work_ends_with_2_and_no_secret_is_shown(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = installation.config("port=1")
    outcome = command(capsys, "doctor", "--config.file", file)
    assert (outcome.status, outcome.err) == (2, "")
    assert "FAIL connection: 127.0.0.1:1: error 2003: " in outcome.out
    assert "; fix: check that the server runs, and check host and port" in outcome.out
    installation.server.execute(f"ALTER USER {installation.user}@'%' IDENTIFIED BY 'another'")
    outcomes = [outcome, command(capsys, "doctor", "--config.file", installation.config())]
    assert "FAIL connection: " in outcomes[1].out
    file.write_text("database: {url: 'mysql+pymysql://x:s3cret@127.0.0.1:1/x', timeout: 1}\n")
    outcomes.append(command(capsys, "doctor", "--config.file", file))
    assert "FAIL config: " in outcomes[-1].out
    file.write_text(file.read_text().replace("timeout: 1", "timeout: 1s"))
    file.chmod(0o644)
    outcomes.append(command(capsys, "doctor", "--config.file", file))
    assert f"WARN files: {file} is world-readable; fix: chmod o-r {file}\n" in outcomes[-1].out
    for found in outcomes:
        assert found.status == 2
        assert PASSWORD not in found.out


def test_sqlite_file_is_examined_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(start=datetime.now(UTC) - DAY)
    file = tmp_path / "config.yaml"
    file.write_text(
        f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: {{dump: {{datacenters: [eqiad]}}}}}}}}\n"
    )
    outcome = command(capsys, "doctor", "--config.file", file)
    assert outcome.status == 0
    assert "OK   grants: the file is opened read-only" in outcome.out
    rows.execute("DROP INDEX last_backup")
    outcome = command(capsys, "doctor", "--config.file", file)
    assert outcome.status == 1
    assert "CREATE INDEX last_backup ON backups (type, section, status, start_date);" in outcome.out


def test_use_of_the_index_is_reported_for_an_sqlite_file_too(tmp_path: Path) -> None:
    url, policy, file = f"sqlite:///{tmp_path / 'i.sqlite'}", tmp_path / "policy.yaml", tmp_path / "config.yaml"
    generate(url, days=1, runs=2_000, jobs=20, files=0, seed=1, now=datetime.now(UTC), policy_output=policy)
    file.write_text(f"database: {{url: '{url}'}}\n{policy.read_text()}")
    found = next(result for result in examined(file) if result.subject == "index")
    assert re.fullmatch(r"\d+ statements of a poll use an index, \d+ of them last_backup", found.text)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        # MariaDB 10.4 to 11, as its versions write grants.
        ("GRANT SELECT ON `dbbackups`.* TO `b`@`%`", ("SELECT",)),
        ("GRANT SELECT, INSERT ON `dbbackups`.* TO 'b'@'%' WITH GRANT OPTION", ("SELECT", "INSERT")),
        (
            "GRANT SELECT (`id`, `name`), UPDATE (`id`) ON `d`.`t` TO `b`@`10.0.0.%`",
            ("SELECT (`id`, `name`)", "UPDATE (`id`)"),
        ),
        ("GRANT ALL PRIVILEGES ON `an ON odd`` TO name`.* TO `b`@`%`", ("ALL PRIVILEGES",)),
        ("GRANT USAGE ON *.* TO `b`@`%` IDENTIFIED BY PASSWORD '*94BDCE' REQUIRE SSL", ("USAGE",)),
        ("GRANT `readers` TO `b`@`%`", None),
        ("SET DEFAULT ROLE `readers` FOR `b`@`%`", None),
        ("GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION", None),
    ],
)
def test_grants_are_read_as_servers_write_them(line: str, found: tuple[str, ...] | None) -> None:
    grant = parse_grant(line)
    assert (grant.privileges if grant else None) == found
