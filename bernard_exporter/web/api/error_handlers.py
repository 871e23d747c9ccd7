"""Exception handlers: every error becomes an RFC 9457 response."""

from __future__ import annotations

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bernard_exporter.domain.filter_errors import filter_error
from bernard_exporter.errors import BusyError, FilterError, NotFoundError, StoreError
from bernard_exporter.web.api.problems import UnreadError, problem

_log = logging.getLogger(__name__)
# Seconds for Retry-After.
_SOON, _LATER = 1, 30


def register(app: FastAPI) -> None:
    """Add the exception handlers to an application."""

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, _DETAILS.get(error.status_code, str(error.detail)), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        # The location of an error begins with "query" or "body".
        found = filter_error(error.errors(), place=1)
        return problem(400, found.message, found.parameter)

    @app.exception_handler(FilterError)
    async def filter_(_: Request, error: FilterError) -> Response:
        return problem(400, error.message, error.parameter)

    @app.exception_handler(NotFoundError)
    async def missing(_: Request, error: NotFoundError) -> Response:
        return problem(404, str(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> Response:
        return problem(503, str(error), headers=_retry(_SOON))

    @app.exception_handler(UnreadError)
    async def unread(_: Request, error: UnreadError) -> Response:
        return problem(503, "the inventory has not been read yet; retry later", headers=_retry(_LATER))

    @app.exception_handler(StoreError)
    async def store(request: Request, error: StoreError) -> Response:
        return _of_store(error, request.url.path)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        return problem(500, "internal error; see the log")


_DETAILS = {
    404: "no such path; see the API documentation at /api/docs",
    405: "method not allowed; see the header Allow",
}


def _of_store(error: StoreError, path: str) -> Response:
    if error.reason == "timeout":
        took = "did not respond in time" if error.seconds is None else f"took longer than {error.seconds:g} s"
        narrow = next((advice for end, advice in _NARROWER.items() if path.endswith(end)), "")
        return problem(503, f"the database {took}{narrow}", headers=_retry(_LATER))
    _log.warning("cannot answer an API request: %s", error, extra={"reason": error.reason})
    if error.is_away:
        # Without the message, which may contain users and hosts.
        return problem(503, f"the database cannot be read at the moment ({error.reason})", headers=_retry(_LATER))
    # Without Retry-After: a retry gives the same error.
    return problem(503, error.answer, title="The database returned an error")


# How to narrow a query, by the end of the request's path.
_BY_SECTION = "; narrow the query: filter by section and type, which are indexed, or use the default order"
_BY_FILE = "; narrow the query: filter by path or name, or use the default order"
_NARROWER = {"/runs": _BY_SECTION, "/runs/search": _BY_SECTION, "/files": _BY_FILE}


def _retry(seconds: int) -> dict[str, str]:
    return {"retry-after": str(seconds)}
