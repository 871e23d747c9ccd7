"""An application that listens on a port, a free one by default, for the duration of a block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.types import ASGIApp

from bernard_exporter.web.server.listener import listen
from testing.servers import eventually


@contextmanager
def listening(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Yield the address of a running server."""
    with closing(listen(f"127.0.0.1:{port}")) as socket:
        config = uvicorn.Config(app, loop="asyncio", http="httptools", ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([socket],))
        thread.start()
        try:
            eventually(lambda: server.started, "the pages are served")
            yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
