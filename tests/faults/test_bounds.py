"""Unit tests of the limits on connections: which is closed first, and the internals of uvicorn they rely on."""

from __future__ import annotations

import asyncio
import gc
import inspect
import re
import resource
import socket
import struct
import weakref
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.types import Message, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from bernard_exporter.web.server.acceptor import Bounds, bounds
from bernard_exporter.web.server.connection_limits import Room, network
from bernard_exporter.web.server.pacing import PacedResponses
from bernard_exporter.web.server.protocol import WRITE_BUFFER, LimitedProtocol


@dataclass(eq=False)
class Client:
    name: str
    closed: list[str] = field(repr=False)

    def abort(self) -> None:
        self.closed.append(self.name)


@dataclass
class Stage:
    """A room for three, a clock that stands, and who was closed."""

    closed: list[str] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.room = Room(3, 100, clock=lambda: self.now)

    def client(self, name: str, address: str = "10.0.0.1", *, waits: bool = True) -> Client:
        made = Client(name, self.closed)
        if self.room.enter(made, address) and waits:
            self.room.wait(made, 10.0)
        return made


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_full_room_closes_what_waits_longest(stage: Stage) -> None:
    first, second, _ = (stage.client(name) for name in "abc")
    stage.room.answer(first)
    stage.room.wait(first, 10.0)
    # Another byte of the same request.
    stage.room.wait(second, 10.0)
    stage.client("d")
    assert stage.closed == ["b"]
    stage.room.leave(second)
    assert len(stage.room) == 3


def test_full_room_closes_connections_of_the_client_with_most(stage: Stage) -> None:
    stage.client("prometheus", "10.0.0.9")
    stage.client("b")
    stage.client("c")
    stage.client("d")
    assert stage.closed == ["b"]


def test_full_room_of_responses_accepts_no_client(stage: Stage) -> None:
    for name in "abc":
        stage.client(name, waits=False)
    late = Client("d", stage.closed)
    assert not stage.room.enter(late, "10.0.0.1")
    assert stage.closed == []


def test_full_room_closes_clients_that_do_not_read_last(stage: Stage) -> None:
    stuck = stage.client("a")
    stage.room.stick(stuck, 30.0)
    for name in "bcde":
        stage.client(name)
    assert stage.closed == ["b", "c"]


def test_full_room_closes_clients_that_do_not_read_for_a_second_before_new_ones(stage: Stage) -> None:
    reads, stuck = stage.client("reads"), stage.client("stuck")
    for client in (reads, stuck):
        stage.room.stick(client, 30.0)
    stage.now = 5.0
    stage.room.progress(reads)
    for name in "abcd":
        stage.client(name)
    assert stage.closed == ["stuck", "a", "b"]
    stage.now = 6.0
    stage.client("e")
    assert stage.closed[3:] == ["c"]


def test_connection_that_waits_too_long_is_closed_and_others_stay(stage: Stage) -> None:
    stage.client("a")
    stage.room.wait(stage.client("b"), 20.0)
    stage.client("c", waits=False)
    stage.now = 10.0
    stage.room.expire()
    assert stage.closed == ["a"]


def test_progress_does_not_give_a_stuck_client_more_time(stage: Stage) -> None:
    client = stage.client("a")
    stage.room.stick(client, 30.0)
    stage.now = 29.0
    stage.room.stick(client, 59.0)
    stage.now = 30.0
    stage.room.expire()
    assert stage.closed == ["a"]


def test_too_many_bytes_close_the_clients_that_hold_some(stage: Stage) -> None:
    stage.client("idle")
    heavy, heavier = stage.client("b"), stage.client("c")
    stage.room.hold(heavy, 60)
    stage.room.hold(heavy, 70)
    assert stage.closed == []
    stage.room.hold(heavier, 40)
    assert stage.closed == ["b"]
    stage.room.hold(heavier, 100)
    assert stage.closed == ["b"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3::4", "20010db800010002"),
        ("fe80::1%eth0", "fe80000000000000"),
        ("", ""),
    ],
)
def test_address_of_ipv6_stands_for_its_network(address: str, expected: str) -> None:
    assert network(address) == expected


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limit of descriptors, soft and hard, and what it is set to."""
    found = [(0, 0)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: found[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: found.append(new))
    return found


@pytest.mark.parametrize(
    ("limit", "encrypted", "expected", "raised"),
    [
        ((1024, 20000), False, Bounds(2048, 2048), (4288, 20000)),
        ((1024, 20000), True, Bounds(2048, 512), (2752, 20000)),
        ((1024, 1024), False, Bounds(416, 416), None),
        ((64, 64), False, Bounds(16, 16), None),
        ((-1, -1), False, Bounds(2048, 2048), None),
        ((1024, -1), False, Bounds(2048, 2048), (4288, -1)),
    ],
)
def test_descriptors_are_kept_back(
    limits: list[tuple[int, int]],
    limit: tuple[int, int],
    encrypted: bool,
    expected: Bounds,
    raised: tuple[int, int] | None,
) -> None:
    limits[:] = [limit]
    assert bounds(encrypted) == expected
    assert limits[1:] == ([raised] if raised else [])
    assert resource.RLIM_INFINITY == -1


def test_encrypted_answer_is_sent_in_pieces() -> None:
    body = bytes(range(256)) * 1000
    sent: list[Message] = []

    async def answer(_: object, __: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def take(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {}

    for scheme in ("https", "http"):
        sent.clear()
        asyncio.run(PacedResponses(answer)({"scheme": scheme}, receive, take))
        pieces = [message["body"] for message in sent[1:]]
        assert b"".join(pieces) == body
        assert [message["more_body"] for message in sent[1:]] == [True] * (len(pieces) - 1) + [False]
        assert max(map(len, pieces)) == (WRITE_BUFFER if scheme == "https" else len(body))


def test_uvicorn_is_as_the_server_and_the_protocol_take_it() -> None:
    """What :mod:`bernard_exporter.web.server.protocol` and ``server`` use of uvicorn beyond its documentation."""
    made = inspect.signature(HttpToolsProtocol).parameters
    assert {"config", "server_state", "app_state"} <= set(made)
    overridden = {name for name in vars(LimitedProtocol) if not name.startswith("_")} - {"abort", "forget"}
    assert overridden <= set(dir(HttpToolsProtocol))
    source = inspect.getsource(HttpToolsProtocol)
    for used in (
        "self.cycle = RequestResponseCycle(",
        "on_response=self.on_response_complete",
        "self.flow = ",
        "self.pipeline: deque",
        "def _unset_keepalive_if_required(self)",
    ):
        assert used in source, used
    # All that parsing.py has to provide.
    assert set(re.findall(r"self\.parser\.(\w+)", source)) == {
        "set_dangerous_leniencies",
        "feed_data",
        "get_http_version",
        "get_method",
        "should_keep_alive",
        "should_upgrade",
    }
    cycle = inspect.getsource(RequestResponseCycle)
    for used in ("self.more_body = ", "self.response_started = ", "self.disconnected = ", "self.message_event = "):
        assert used in cycle, used
    assert cycle.count("self.on_response()") == 1
    server = inspect.getsource(uvicorn.Server)
    for used in ("await self.startup(sockets=sockets)", "for server in self.servers:", "server.close()"):
        assert used in server, used
    assert {"connections", "tasks"} <= set(vars(ServerState()))


@pytest.mark.parametrize(
    "data", [b"GET /x HTTP/1.1\r\nHost:", b"GET /x HTTP/1.1\r\n\r\n" * 3, b"nonsense\r\n\r\n", b""]
)
@pytest.mark.parametrize("is_reset", [False, True])
def test_connection_that_has_ended_is_freed_without_a_search_for_garbage(data: bytes, is_reset: bool) -> None:
    """A flood of them would fill the memory until the next search, which delays every answer."""
    asyncio.run(_connect_and_leave(data, is_reset))


async def _connect_and_leave(data: bytes, is_reset: bool) -> None:
    async def answer(_: object, __: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(answer, loop="none", lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    made: list[weakref.ref[LimitedProtocol]] = []

    def make() -> LimitedProtocol:
        protocol = LimitedProtocol(config=config, server_state=state, app_state={}, room=Room(1, 1 << 20))
        made.append(weakref.ref(protocol))
        return protocol

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    gc.disable()
    try:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(data)
        while not made:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        if is_reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        async with asyncio.timeout(10):
            while made[0]():
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
        server.close()
