"""A network between exporter and database that a test can slow down, stop or break."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

_LOOK = 0.01


class Proxy:
    """Forwards connections to a port, in a thread of its own.

    Attributes:
        target: the port that new connections are forwarded to.
        chunk: bytes that are forwarded at once.
        pause: seconds before each chunk of the answers.
        free: bytes of a connection's answers, such as those to its login, before which there is no pause.
        stalled: nothing is forwarded any more, and nothing closed: connections are half open.
        stall_after: answers stall after so many bytes of a connection; None for never.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.chunk, self.pause, self.free = 65536, 0.0, 0
        self.stalled = False
        self.stall_after: int | None = None
        self.accepted = 0
        self.waiting = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    def reset(self) -> None:
        """Break every connection, as a firewall that drops its state does."""

        def abort() -> None:
            for writer in self._writers:
                writer.transport.abort()

        self._loop.call_soon_threadsafe(abort)

    def heal(self) -> None:
        """Forward everything at once again; connections that stalled are broken."""
        self.chunk, self.pause, self.free, self.stalled, self.stall_after = 65536, 0.0, 0, False, None
        self.reset()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._forward(reader, back, False), self._forward(there, writer, True))
        finally:
            self._writers -= {writer, back}
            for each in (writer, back):
                each.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool) -> None:
        done = 0
        try:
            while data := await reader.read(self.chunk):
                while data:
                    part, data = data[: self.chunk], data[self.chunk :]
                    limit = self.stall_after if answers else None
                    await self._hold(limit is not None and done + len(part) > limit)
                    if answers and self.pause and done >= self.free:
                        await asyncio.sleep(self.pause)
                    writer.write(part)
                    await writer.drain()
                    done += len(part)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _hold(self, over: bool) -> None:
        self.waiting += 1
        while self.stalled or (over and self.stall_after is not None):
            await asyncio.sleep(_LOOK)
        self.waiting -= 1
