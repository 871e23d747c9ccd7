"""The doctor on a real MariaDB: what is wrong is found, and what it says mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bernard_exporter.doctor.examination import examine
from bernard_exporter.doctor.finding import Finding, Level
from bernard_exporter.doctor.grants import parse_grant
from bernard_exporter.doctor.session import examine_clock, examine_encryption, examine_version
from bernard_exporter.sample.generate import generate
from bernard_exporter.store.examination import Server
from tests.commands import command
from tests.doctor.patients import PASSWORD, Patient, ailing, examined
from tests.rows import DAY, Rows
from tests.servers import MariaDB, free_port
from tests.test_tls import certify


@pytest.fixture
def patient(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> Patient:
    return Patient(mariadb, mariadb_url, tmp_path)


def test_healthy_installation_is_all_ok(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    file = patient.may_read().fresh().config()
    outcome = command(capsys, "doctor", "--config.file", file)
    lines = [re.sub(r"10\.11\S*|\d+ h|\d+ d", "...", line) for line in outcome.out.splitlines()]
    assert lines == [
        f"OK   config: {file} expects 1 jobs of 1 sections",
        "OK   server: ...",
        "OK   tls: the connection is not encrypted, and leaves this machine neither",
        "OK   clock: the server's clock is within 5 s of this machine's",
        "OK   grants: the account may read and no more",
        "OK   schema: backups has every column and index",
        "OK   schema: backup_files has every column and index",
        "OK   schema: backup_objects has every column and index",
        "OK   index: 2 runs are too few to tell whether last_backup would be used",
        "OK   rows: 2 runs, the newest began ... ago",
        "OK   policy: it knows every section of the inventory",
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
    patient: Patient, grants: str, may: str
) -> None:
    patient.may_read().fresh()
    text = grants.format(database=patient.database, user=patient.user)
    patient.root(f"GRANT {text}" if " TO " in text else f"GRANT {text} TO {patient.user}@'%'")
    [finding] = ailing(patient.found())
    assert (finding.level, finding.subject) == (Level.WARN, "grants")
    assert f"the account may {may.format(database=patient.database)}" in finding.text
    assert "BY PASSWORD" not in str(finding)
    patient.apply(finding.mend)
    assert ailing(patient.found()) == []


def test_what_a_role_may_counts(patient: Patient) -> None:
    role = f"role_of_{patient.user}"
    patient.fresh().root(
        f"CREATE ROLE {role}",
        f"GRANT SELECT, INSERT ON {patient.database}.* TO {role}",
        f"GRANT {role} TO {patient.user}@'%'",
        f"SET DEFAULT ROLE {role} FOR {patient.user}@'%'",
    )
    [finding] = ailing(patient.found())
    assert finding.mend == f"REVOKE INSERT ON `{patient.database}`.* FROM `{role}`;"
    patient.apply(finding.mend)
    assert ailing(patient.found()) == []


def test_root_is_not_told_to_give_up_what_it_may(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    Rows(mariadb_url).add(start=datetime.now(UTC) - DAY)
    file = tmp_path / "config.yaml"
    file.write_text(
        f"database: {{url: '{mariadb_url}'}}\npolicy: {{sections: {{s1: {{dump: {{datacenters: [eqiad]}}}}}}}}"
    )
    [finding] = ailing(examined(file))
    assert re.fullmatch(r"the account is `root`@`(localhost|127\.0\.0\.1)`, which may do everything", finding.text)
    assert finding.mend.startswith(
        "use one of its own: CREATE USER 'bernard'@'%' IDENTIFIED BY '...'; GRANT SELECT ON "
    )


def test_table_that_may_not_be_read_fails_until_it_is_granted(patient: Patient) -> None:
    patient.fresh()
    for table in ("backups", "backup_objects"):
        patient.root(f"GRANT SELECT ON {patient.database}.{table} TO {patient.user}@'%'")
    [finding] = ailing(patient.found())
    assert (finding.level, finding.subject) == (Level.FAIL, "schema")
    assert "error 1142: SELECT command denied to user" in finding.text
    assert "rows" not in [found.subject for found in patient.found()]
    patient.apply(finding.mend)
    assert ailing(patient.found()) == []


SCHEMA_FAULTS = {
    "ALTER TABLE backups DROP COLUMN source": (Level.FAIL, "backups has no column source"),
    "ALTER TABLE backup_files DROP COLUMN file_date": (Level.FAIL, "backup_files has no column file_date"),
    "DROP TABLE backup_objects": (Level.FAIL, "there is no table backup_objects"),
    "ALTER TABLE backups DROP INDEX last_backup": (
        Level.WARN,
        "backups has no index that begins with type, section, status, start_date",
    ),
    "ALTER TABLE backups DROP INDEX last_backup, ADD INDEX last_backup (type, section, start_date)": (
        Level.WARN,
        "backups has no index that begins with type, section, status, start_date",
    ),
    "ALTER TABLE backup_objects DROP INDEX backup_db_name": (
        Level.WARN,
        "backup_objects has no index that begins with backup_id, db, name",
    ),
    "ALTER TABLE backups MODIFY end_date DATETIME NULL": (
        Level.WARN,
        "backups.end_date is DATETIME, which has no time zone: it is read as UTC; expected TIMESTAMP",
    ),
    "ALTER TABLE backups MODIFY total_size VARCHAR(30)": (
        Level.WARN,
        "backups.total_size is VARCHAR(30), expected a whole number",
    ),
    "ALTER TABLE backups MODIFY status ENUM('finished', 'failed') NOT NULL": (
        Level.WARN,
        "backups.status cannot be ongoing",
    ),
}


@pytest.mark.parametrize("fault", SCHEMA_FAULTS)
def test_fault_of_the_schema_is_found_and_the_statement_mends_it(patient: Patient, fault: str) -> None:
    patient.may_read().fresh().root(fault)
    [finding] = ailing(patient.found())
    level, text = SCHEMA_FAULTS[fault]
    assert (finding.level, finding.subject) == (level, "schema")
    assert finding.text.startswith(text)
    if "last_backup (" in fault:
        patient.root("ALTER TABLE backups DROP INDEX last_backup")
    patient.apply(finding.mend)
    assert ailing(patient.found()) == []


def test_newer_and_wider_schemas_are_as_good(patient: Patient) -> None:
    patient.may_read().fresh().root(
        "ALTER TABLE backups MODIFY id BIGINT UNSIGNED AUTO_INCREMENT,"
        " MODIFY status ENUM('ongoing', 'finished', 'failed', 'deleted') NOT NULL,"
        " MODIFY name VARCHAR(200) CHARACTER SET utf8mb4, MODIFY section VARCHAR(100) CHARACTER SET latin1,"
        " MODIFY type VARCHAR(20), MODIFY host TEXT CHARACTER SET utf8mb3, ADD COLUMN tool VARCHAR(10),"
        " RENAME INDEX last_backup TO another_name",
        "ALTER TABLE backup_files MODIFY backup_id BIGINT UNSIGNED, MODIFY size BIGINT, ROW_FORMAT=DYNAMIC",
    )
    findings = patient.found()
    assert ailing(findings) == []
    assert "OK   schema: backups has columns that are not read: tool" in [str(finding) for finding in findings]


@pytest.mark.parametrize(("seconds", "level"), [(4, Level.OK), (-30, Level.WARN), (30, Level.WARN), (600, Level.FAIL)])
def test_clock_that_differs_is_found(patient: Patient, seconds: int, level: Level) -> None:
    file = patient.may_read().fresh().config()
    ours = lambda: datetime.now(UTC) + timedelta(seconds=seconds)  # noqa: E731
    [finding] = [finding for finding in examine(file, ours) if finding.subject == "clock"]
    assert finding.level is level
    if level is not Level.OK:
        assert re.search(rf"is (29|30|31|599|600|601) s {'behind' if seconds > 0 else 'ahead of'} this", finding.text)


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Patient]:
    """A server with TLS, and an account that it lets in only so."""
    certify(tmp_path, "localhost")
    server = MariaDB(tmp_path)
    server.install()
    with server.serve(f"--ssl-cert={tmp_path / 'localhost.pem'}", f"--ssl-key={tmp_path / 'localhost.key'}"):
        server.execute("CREATE DATABASE dbbackups")
        found = Patient(server, server.url("dbbackups"), tmp_path).may_read().fresh()
        found.root(f"ALTER USER {found.user}@'%' REQUIRE SSL")
        yield found


def test_encryption_is_told_of_and_its_absence_where_it_is_required(encrypted: Patient, tmp_path: Path) -> None:
    findings = encrypted.found("host=localhost", f"ssl-ca={tmp_path / 'localhost.pem'}")
    assert ailing(findings) == []
    [tls] = [finding for finding in findings if finding.subject == "tls"]
    assert tls.text.startswith("the connection is encrypted, TLSv1.3 with TLS_")
    [finding] = ailing(encrypted.found("ssl=0"))
    assert (finding.level, finding.subject) == (Level.FAIL, "connection")
    assert "error 1045: Access denied for user" in finding.text
    assert finding.mend.endswith("and TLS if it is required")


def test_open_connection_across_a_network_is_warned_of() -> None:
    server = Server("10.11.6-MariaDB", account="bernard@10.0.0.1")
    assert str(examine_encryption(server, "db1.example")) == (
        "WARN tls: the connection to db1.example is not encrypted; mend: set ssl-ca in [client] of the option file;"
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


def test_use_of_the_index_is_told_where_there_are_rows_enough(
    patient: Patient, tmp_path: Path, mariadb: MariaDB
) -> None:
    policy = tmp_path / "policy.yaml"
    patient.root("DROP TABLE backups, backup_files, backup_objects")
    generate(patient.url, days=1, runs=5_000, jobs=40, files=0, seed=1, now=datetime.now(UTC), policy_output=policy)
    patient.may_read().root("ANALYZE TABLE backups")
    file = patient.config()
    file.write_text("database: {option_file: my.cnf}\n" + policy.read_text())

    def index() -> Finding:
        return next(finding for finding in examined(file) if finding.subject == "index")

    assert index().level is Level.OK
    match = re.fullmatch(r"(\d+) statements of a poll follow an index, (\d+) of them last_backup", index().text)
    assert match
    assert 0 < int(match[2]) <= int(match[1])
    patient.root("ALTER TABLE backups DROP INDEX last_backup")
    assert re.fullmatch(r"\d+ of \d+ statements read the whole of backups", index().text)
    assert index().mend == "see schema, above; if the index last_backup is there: ANALYZE TABLE backups;"


def test_what_policy_and_inventory_do_not_know_of_each_other_is_named(patient: Patient) -> None:
    patient.may_read().fresh()
    now = datetime.now(UTC)
    patient.rows.add(section="x9", type="snapshot", start=now - DAY)
    patient.rows.add(host="elsewhere.example", start=now - DAY)
    patient.rows.add(start=now + DAY)
    findings = ailing(examined(patient.config(policy="{s1: {dump: {datacenters: [eqiad]}}, s2: [dump]}")))
    assert [str(finding) for finding in findings] == [
        "WARN rows: 5 runs, the newest began 1 d ago; 1 began at an unknown or a future time;"
        " mend: put right the clock and the time zone of what writes them",
        "WARN policy: sections that the policy does not know: x9;"
        " mend: add them under policy.sections, such as x9: [snapshot]",
        "WARN policy: hosts in no data centre of the policy: 'elsewhere.example';"
        " mend: add a pattern that they match under policy.datacenters",
        "WARN policy: jobs that are expected and of which no run was ever recorded: s2/dump/codfw, s2/dump/eqiad;"
        " mend: look for a misspelt name under policy.sections, or start the backups",
    ]


def test_one_of_several_hosts_that_is_away_is_a_warning(patient: Patient) -> None:
    away, here = f"127.0.0.1:{free_port()}", f"127.0.0.1:{patient.server.port}"
    findings = examined(patient.may_read().fresh().config(hosts=f", hosts: ['{away}', '{here}']"))
    [finding] = ailing(findings)
    assert (finding.level, finding.subject, finding.mend) == (
        Level.WARN,
        "connection",
        "start it, or take it out of database.hosts",
    )
    assert finding.text.startswith(f"{away}: error 2003: ")
    assert f"OK   connection: {here} answers" in [str(found) for found in findings]


def test_what_prevents_work_ends_with_2_and_no_secret_is_shown(
    patient: Patient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = patient.config("port=1")
    outcome = command(capsys, "doctor", "--config.file", file)
    assert (outcome.status, outcome.err) == (2, "")
    assert "FAIL connection: 127.0.0.1:1: error 2003: " in outcome.out
    assert "; mend: check that the server runs and that host and port are right" in outcome.out
    patient.server.execute(f"ALTER USER {patient.user}@'%' IDENTIFIED BY 'another'")
    outcomes = [outcome, command(capsys, "doctor", "--config.file", patient.config())]
    assert "FAIL connection: " in outcomes[1].out
    file.write_text("database: {url: 'mysql+pymysql://x:s3cret@127.0.0.1:1/x', timeout: 1}\n")
    outcomes.append(command(capsys, "doctor", "--config.file", file))
    assert "FAIL config: " in outcomes[-1].out
    file.write_text(file.read_text().replace("timeout: 1", "timeout: 1s"))
    file.chmod(0o644)
    outcomes.append(command(capsys, "doctor", "--config.file", file))
    assert f"WARN files: {file} can be read by everybody; mend: chmod o-r {file}\n" in outcomes[-1].out
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
    assert "OK   grants: the file is opened to be read only" in outcome.out
    rows.execute("DROP INDEX last_backup")
    outcome = command(capsys, "doctor", "--config.file", file)
    assert outcome.status == 1
    assert "CREATE INDEX last_backup ON backups (type, section, status, start_date);" in outcome.out


def test_use_of_the_index_is_told_of_an_sqlite_file_too(tmp_path: Path) -> None:
    url, policy, file = f"sqlite:///{tmp_path / 'i.sqlite'}", tmp_path / "policy.yaml", tmp_path / "config.yaml"
    generate(url, days=1, runs=2_000, jobs=20, files=0, seed=1, now=datetime.now(UTC), policy_output=policy)
    file.write_text(f"database: {{url: '{url}'}}\n{policy.read_text()}")
    found = next(finding for finding in examined(file) if finding.subject == "index")
    assert re.fullmatch(r"\d+ statements of a poll follow an index, \d+ of them last_backup", found.text)


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
