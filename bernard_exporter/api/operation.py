"""One thing the API answers: what may be asked, what comes back, and the endpoint made of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bernard_exporter.api.answers import Wish, wish
from bernard_exporter.api.parameters import Parameter, Values, body_of, known_only, query_of
from bernard_exporter.inspection.access import Access

Handler = Callable[[Any, Values, Wish], Response]


@dataclass(frozen=True, slots=True)
class Operation:
    """A path and method of the API.

    Attributes:
        name: unique; what generated clients call it.
        answer: the name of the schema of what comes back.
        handler: makes the answer of a view on the inventory, of the values asked for, and of how to write it; it
            runs in a thread.
        columns: of CSV; none when there is only JSON.
        needs_database: False when what was found last is enough.
    """

    path: str
    name: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    answer: str
    handler: Handler
    columns: tuple[str, ...] = ()
    needs_database: bool = True
    method: str = "GET"

    @property
    def has_body(self) -> bool:
        """Tell whether the parameters come as a JSON body."""
        return self.method == "POST"

    @property
    def may_be_missing(self) -> bool:
        """Tell whether there may be no such thing."""
        return any(parameter.is_path for parameter in self.parameters)


def add(app: FastAPI, access: Access, operation: Operation) -> None:
    """Let an application answer an operation."""
    read = body_of("Search", operation.parameters) if operation.has_body else query_of(operation.parameters)
    reader = Depends(read)

    async def endpoint(request: Request, values: Any = reader) -> Response:
        wanted = wish(request.headers, bool(operation.columns))
        ask = access.ask if operation.needs_database else access.look
        found: Response = await ask(lambda view: operation.handler(view, values, wanted))
        return found

    path = operation.path.replace("{id}", "{id:int}")
    app.add_api_route(
        path,
        endpoint,
        methods=[operation.method],
        dependencies=[known_only(() if operation.has_body else operation.parameters)],
        name=operation.name,
        include_in_schema=False,
        response_model=None,
    )
