"""The order in which passwords are verified."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from bernard_exporter.web.users import password_queue
from bernard_exporter.web.users.password_queue import Client, PasswordQueue


def _oldest(clients: list[Client]) -> Client:
    return clients[0]


class Driver:
    """A queue whose turns end one by one, and the clients in the order of their turns."""

    def __init__(self, draw: Callable[[list[Client]], Client]) -> None:
        self.now = 0.0
        self.queue = PasswordQueue(clock=lambda: self.now, draw=draw)
        self.called: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def connect(self, name: str, network: str = "10.0.0.1") -> Client:
        client = Client(network)

        async def acquire() -> None:
            if await self.queue.acquire(client):
                self.called.append(name)

        self.tasks.append(asyncio.create_task(acquire()))
        await asyncio.sleep(0)
        return client

    async def next(self) -> str:
        """End the current turn, and return the client of the next one."""
        before = len(self.called)
        self.queue.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "".join(self.called[before:])


def play(scene: Callable[[Driver], Awaitable[None]], draw: Callable[[list[Client]], Client] = _oldest) -> None:
    async def run() -> None:
        await scene(Driver(draw))

    asyncio.run(run())


def test_first_client_has_its_turn_at_once_and_no_client_after_the_last() -> None:
    async def scene(driver: Driver) -> None:
        await driver.connect("a")
        assert driver.called == ["a"]
        await driver.connect("b")
        assert [await driver.next(), await driver.next()] == ["b", ""]
        await driver.connect("c")
        assert driver.called == ["a", "b", "c"]

    play(scene)


def test_network_with_fewer_wrong_passwords_comes_first() -> None:
    async def scene(driver: Driver) -> None:
        for wrong, network in ((2, "10.0.0.2"), (1, "10.0.0.1")):
            for _ in range(wrong):
                driver.queue.count_wrong(network)
        await driver.connect("begins")
        for name, network in (("none", "10.0.0.9"), ("one", "10.0.0.1"), ("two", "10.0.0.2")):
            await driver.connect(name, network)
        assert [await driver.next() for _ in range(3)] == ["none", "one", "two"]

    play(scene)


def test_wrong_passwords_are_forgotten_by_and_by() -> None:
    async def scene(driver: Driver) -> None:
        for _ in range(7):
            driver.queue.count_wrong("10.0.0.1")
        driver.now = 180.0
        driver.queue.count_wrong("10.0.0.2")
        await driver.connect("begins")
        await driver.connect("long ago", "10.0.0.1")
        await driver.connect("just now", "10.0.0.2")
        assert await driver.next() == "long ago"

    play(scene)


def test_wrong_passwords_of_few_networks_are_counted() -> None:
    async def scene(driver: Driver) -> None:
        for number in range(password_queue._NETWORKS + 1):
            driver.queue.count_wrong(str(number))
            driver.queue.count_wrong("attacker")
        assert len(driver.queue._wrong) == password_queue._NETWORKS
        await driver.connect("begins")
        await driver.connect("forgotten", "0")
        await driver.connect("attacker", "attacker")
        assert await driver.next() == "forgotten"

    play(scene)


def test_one_of_the_recent_clients_is_drawn() -> None:
    drawn_from: list[int] = []

    def draw(clients: list[Client]) -> Client:
        drawn_from.append(len(clients))
        return clients[1 % len(clients)]

    async def scene(driver: Driver) -> None:
        for name in ("begins", "a", "b", "c"):
            await driver.connect(name)
        assert [await driver.next() for _ in range(3)] == ["b", "c", "a"]

    play(scene, draw)
    assert drawn_from == [3, 2, 1]


def test_newest_is_next_when_none_is_recent() -> None:
    async def scene(driver: Driver) -> None:
        driver.queue.count_wrong("10.0.0.1")
        for name in ("begins", "a", "b"):
            await driver.connect(name)
        for _ in range(password_queue._RECENT):
            await driver.connect("other", "10.0.0.2")
            assert await driver.next() == "other"
        assert [await driver.next(), await driver.next()] == ["b", "a"]

    play(scene)


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_client_that_connects_during_a_flood_waits_for_few_turns(delay: int) -> None:
    """Each attempt that was refused is made again up to ``delay`` turns later, before or after the other client."""
    chance = random.Random(delay)
    waits: list[int] = []

    async def scene(driver: Driver) -> None:
        for _ in range(50):
            await driver.connect("again")
        due, came = Counter[int](), 0
        for turn in range(9000):
            new = ["again"] * due[turn] + ["right"] * (turn % 30 == 0)
            came = turn if "right" in new else came
            chance.shuffle(new)
            for name in new:
                await driver.connect(name)
            if await driver.next() == "right":
                waits.append(turn - came)
            else:
                due[turn + chance.randint(1, delay)] += 1

    play(scene, chance.choice)
    assert sum(wait < password_queue._RECENT for wait in waits) >= 0.97 * 300


def test_client_that_is_gone_gets_no_turn() -> None:
    async def scene(driver: Driver) -> None:
        await driver.connect("begins")
        await driver.connect("stays")
        gone = await driver.connect("gone")
        gone.leave()
        assert await driver.next() == "stays"
        gone.leave()
        assert await driver.next() == ""
        assert all(task.done() for task in driver.tasks)

    play(scene)


def test_server_is_notified_when_a_client_waits_and_no_longer_does() -> None:
    async def scene(driver: Driver) -> None:
        waits: list[bool] = []
        await driver.connect("begins")
        waiting = asyncio.create_task(driver.queue.acquire(Client(waits=waits.append)))
        await asyncio.sleep(0)
        assert waits == [True]
        await driver.next()
        assert await waiting
        assert waits == [True, False]

    play(scene)
