"""The exporter as a process: responses, signals and errors."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bernard_exporter import __version__, commands
from bernard_exporter.errors import WebError
from bernard_exporter.web.server.listener import listen
from testing import plain_http
from testing.exporter import COMMAND, Exporter, exporter
from testing.rows import Rows
from testing.servers import eventually


def config(rows: Rows, more: str = "") -> str:
    return f"database: {{url: '{rows.url}'}}\npoll_interval: 500ms\npolicy: {{sections: {{s1: [dump]}}}}\n{more}"


@pytest.fixture
def sqlite(tmp_path: Path) -> Rows:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    return rows


@pytest.fixture
def served(sqlite: Rows, tmp_path: Path) -> Iterator[Exporter]:
    with exporter(tmp_path, config(sqlite)) as running:
        eventually(lambda: running.get("/-/ready").status_code == 200, "the exporter is ready")
        yield running


def test_overview_leads_to_everything_that_is_served(served: Exporter) -> None:
    page = served.get("/")
    assert page.status_code == 200
    places = ("jobs", "runs", "schedule", "metrics", "api/docs", "-/healthy", "-/ready")
    assert [path for path in places if f'href="/{path}"' not in page.text] == []
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_format_is_negotiated(served: Exporter) -> None:
    plain = served.get("/metrics")
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# EOF" not in plain.text
    openmetrics = served.get("/metrics", accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert openmetrics.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert openmetrics.text.endswith("# EOF\n")
    assert "bernard_polls_total{" in openmetrics.text
    assert "# TYPE bernard_polls counter" in openmetrics.text


def test_response_is_compressed_only_on_request(served: Exporter) -> None:
    assert "content-encoding" not in served.get("/metrics", **{"accept-encoding": "identity"}).headers
    address = f"http://{served.address}/metrics"
    with plain_http.stream("GET", address, headers={"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert b"bernard_up 1.0" in gzip.decompress(b"".join(answer.iter_raw()))


def test_head_has_the_headers_and_no_body(served: Exporter) -> None:
    answer = plain_http.head(f"http://{served.address}/metrics")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000


def test_names_choose_families(served: Exporter) -> None:
    lines = served.get("/metrics?name[]=bernard_up").text.splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["bernard_up 1.0"]


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/metrics", 405), ("GET", "/nothing", 404)])
def test_what_does_not_exist_is_refused(served: Exporter, method: str, path: str, status: int) -> None:
    assert plain_http.request(method, f"http://{served.address}{path}").status_code == status


@pytest.mark.parametrize("how", ["post", "signal"])
def test_reload_follows_a_good_file_and_refuses_a_bad_one_whole(served: Exporter, how: str) -> None:
    def reload() -> int:
        if how == "post":
            return plain_http.post(f"http://{served.address}/-/reload").status_code
        served.running.send_signal(signal.SIGHUP)
        return 0

    good = served.config.read_text()
    served.config.write_text(good.replace("s1", "s2"))
    assert reload() in (200, 0)
    eventually(lambda: 'section="s2",state="missing"' in served.get("/metrics").text, "the new policy")
    served.config.write_text("nonsense: 1\n")
    assert reload() in (500, 0)
    bad = "bernard_config_last_reload_successful 0.0"
    eventually(lambda: bad in served.get("/metrics").text, "the refusal is seen")
    assert 'section="s2",state="missing"' in served.get("/metrics").text
    assert "config.yaml:1: nonsense: found the key" in served.logged()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process_well(served: Exporter, number: signal.Signals) -> None:
    with plain_http.Client() as idle:
        idle.get(f"http://{served.address}/metrics")
        served.running.send_signal(number)
        assert served.running.wait(10) == 0
    assert "event=ended" in served.logged()


def test_exporter_without_database_is_healthy_and_not_ready(tmp_path: Path) -> None:
    text = "database: {url: 'mysql+pymysql://u:secret@127.0.0.1:1/d', timeout: 1s}\npoll_interval: 1s\n"
    with exporter(tmp_path, text, "--log.format=json") as running:
        failed = 'bernard_poll_errors_total{reason="connect"}'
        eventually(lambda: f"{failed} 3.0" in running.get("/metrics").text, "three failed polls")
        assert running.get("/-/ready").status_code == 503
        assert "bernard_up 0.0" in running.get("/metrics").text
        lines = [json.loads(line) for line in running.logged().splitlines()]
        errors = [line for line in lines if line["level"] == "error"]
        assert len(errors) == 1
        assert errors[0]["reason"] == "connect"
        assert "check that the server runs" in errors[0]["event"]
        assert "secret" not in running.logged()


def test_everything_is_under_the_path_of_the_external_url(sqlite: Rows, tmp_path: Path) -> None:
    flag = "--web.external-url=https://monitoring.example/backups/"
    with exporter(tmp_path, config(sqlite), flag, prefix="/backups") as running:
        assert running.get("/backups/metrics").status_code == 200
        assert running.get("/backups/").status_code == 200
        assert running.get("/metrics").status_code == 404


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_port_in_use_is_one_line(sqlite: Rows, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(config(sqlite))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("serve", "--config.file", str(file), "--web.listen-address", address)
    assert done.returncode == 1
    assert done.stderr == (
        f"bernard-exporter: --web.listen-address: cannot listen on {address}: Address already in use; "
        "choose another address\n"
    )


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    written = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, written.out, written.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing command. See 'bernard-exporter --help'."),
        (["serv"], "No such command 'serv'."),
        (["serve", "--nothing"], "No such option"),
        (["serve", "--log.level=loud"], "is not one of"),
        (["serve", f"--log.level={'9' * 5000}"], f"Invalid value for '--log.level': '{'9' * 99}...' is not one of"),
        (["serve", "--policy.sections=s["], "found 's[', expected a regular expression such as"),
        (["serve", "--policy.sections=a{99999999999}"], "expected a regular expression such as"),
        (["serve", "--web.external-url=x"], "expected a URL such as"),
    ],
)
def test_wrong_usage_is_one_line_and_2(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    status, out, err = outcome(capsys, *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_version_and_help_are_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "--version") == (0, f"bernard-exporter, version {__version__}\n", "")
    status, out, _ = outcome(capsys, "serve", "--help")
    assert status == 0
    assert ":10279" in out


def test_missing_configuration_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = outcome(capsys, "serve", "--config.file=/nowhere/x.yaml")
    assert status == 2
    assert err == (
        "bernard-exporter: /nowhere/x.yaml: No such file or directory, expected a readable file; "
        "name it with --config.file\n"
    )


@pytest.mark.parametrize("address", ["10279", ":x", ":99999"])
def test_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(WebError, match="expected HOST:PORT or :PORT"):
        listen(address)


@pytest.mark.parametrize("address", [":0", "127.0.0.1:0", "[::1]:0"])
def test_address_may_be_of_either_family_or_of_both(address: str) -> None:
    with listen(address) as listening:
        host = "127.0.0.1" if address != "[::1]:0" else "::1"
        socket.create_connection((host, listening.getsockname()[1]), timeout=5).close()
