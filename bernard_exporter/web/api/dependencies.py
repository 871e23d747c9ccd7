"""The dependencies of endpoints."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries.executor import QueryExecutor, SnapshotView
from bernard_exporter.web.api.problems import UnreadError
from bernard_exporter.web.api.responses import Negotiated, negotiated


async def executor(request: Request) -> QueryExecutor:
    """Return what runs queries in threads."""
    executor: QueryExecutor = request.app.state.executor
    return executor


Executor = Annotated[QueryExecutor, Depends(executor)]
Answer = Annotated[Negotiated, Depends(negotiated)]


def polled(view: SnapshotView) -> Snapshot:
    """Return the last snapshot.

    Raises:
        UnreadError: the database has not been read yet.
    """
    if view.snapshot.synced is None:
        raise UnreadError
    return view.snapshot
