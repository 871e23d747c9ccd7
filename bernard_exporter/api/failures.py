"""What each error means to who asks: every one of them is answered as a problem, here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bernard_exporter.api.problems import UnreadError, problem
from bernard_exporter.errors import BusyError, FilterError, NotFoundError, StoreError

_log = logging.getLogger(__name__)
# Seconds after which it is worth asking again.
_SOON, _LATER = 1, 30


def register(app: FastAPI) -> None:
    """Let an application answer every error as a problem."""

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, _DETAILS.get(error.status_code, str(error.detail)), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return _invalid(error.errors())

    @app.exception_handler(FilterError)
    async def senseless(_: Request, error: FilterError) -> Response:
        return problem(400, error.message, error.parameter)

    @app.exception_handler(NotFoundError)
    async def missing(_: Request, error: NotFoundError) -> Response:
        return problem(404, str(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> Response:
        return problem(503, str(error), headers=_retry(_SOON))

    @app.exception_handler(UnreadError)
    async def unread(_: Request, error: UnreadError) -> Response:
        return problem(503, "the inventory was not read yet; ask again in a moment", headers=_retry(_LATER))

    @app.exception_handler(StoreError)
    async def away(_: Request, error: StoreError) -> Response:
        return _away(error)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        return problem(500, "the exporter failed in a way nobody thought of; its log says more")


_DETAILS = {
    404: "there is nothing here; docs says what is where",
    405: "this method is not served here; the header Allow says which is",
}


def _invalid(errors: Sequence[Mapping[str, object]]) -> Response:
    """Answer with the first of what the framework found wrong with the values of a question."""
    place = errors[0].get("loc")
    path = [str(part) for part in place[1:]] if isinstance(place, list | tuple) else []
    return problem(400, str(errors[0].get("msg", "not understood")), path[0] if path else "body")


def _away(error: StoreError) -> Response:
    # The text may name users and hosts, which are nobody's business here.
    if error.reason == "timeout":
        detail = (
            "the database did not answer in time; narrow the question: by section and type, which an index serves, "
            "by the default order, or by fewer files"
        )
        return problem(503, detail, headers=_retry(_LATER))
    _log.warning("a question could not be answered: %s", error, extra={"reason": error.reason})
    return problem(503, f"the database cannot be read now ({error.reason})", headers=_retry(_LATER))


def _retry(seconds: int) -> dict[str, str]:
    return {"retry-after": str(seconds)}
