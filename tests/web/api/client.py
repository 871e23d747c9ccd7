"""The web application in the process of the test, with a fixed clock."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from bernard_exporter.config.settings import Settings
from bernard_exporter.domain.policy import Policy
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from bernard_exporter.queries.executor import QueryExecutor
from bernard_exporter.web.app import application
from bernard_exporter.web.reload import Reloading
from bernard_exporter.web.url_prefix import NO_PREFIX, Prefix
from testing.rows import NOW, Rows


class Api:
    """An exporter that polled once, and a client of it."""

    def __init__(self, rows: Rows, policy: Policy, polls: int = 1, prefix: Prefix = NO_PREFIX) -> None:
        self.poller = Poller(Settings(rows.settings, policy=policy), Clock(now=lambda: NOW))
        for _ in range(polls):
            self.poller.tick()
        self.executor = QueryExecutor(self.poller)
        reload = Reloading(self.poller, lambda: self.poller.settings)
        self.app = application(self.poller, self.executor, reload, prefix)

    def close(self) -> None:
        self.executor.close()
        self.poller.stop()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, accept: str = "application/json", **headers: str) -> httpx.Response:
        return self.request("GET", f"/api/v1/{path}", headers={"accept": accept, **headers})

    def json(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, path: str) -> list[Any]:
        """Return every item that a client finds who follows the cursors."""
        found: list[Any] = []
        cursor = ""
        while True:
            page = self.json(f"{path}{'&' if '?' in path else '?'}{cursor}".rstrip("?&"))
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"cursor={page['next_cursor']}"
