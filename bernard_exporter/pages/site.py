"""The pages and their addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, timedelta
from typing import Any, TypeVar
from urllib.parse import unquote

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from bernard_exporter.errors import BusyError, FilterError, NotFoundError, StoreError
from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.access import Access, View
from bernard_exporter.inspection.jobs import find_job, find_jobs
from bernard_exporter.inspection.runs import search_runs
from bernard_exporter.inspection.timeline import timeline
from bernard_exporter.model import Job, State
from bernard_exporter.pages.assets import Assets, bootstrap_directory
from bernard_exporter.pages.frame import frame_of
from bernard_exporter.pages.history import History, history
from bernard_exporter.pages.inside import THRESHOLD, file_filter, inside, object_filter, run_number
from bernard_exporter.pages.links import Links
from bernard_exporter.pages.overview import natural, overview
from bernard_exporter.pages.plan import plan
from bernard_exporter.pages.query import Query
from bernard_exporter.pages.rendering import Templates
from bernard_exporter.pages.search import run_filter, understand
from bernard_exporter.poller import Poller

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
_RUNS = 100
_SIDE = 8
_RETRY_SECONDS = 10
_RETRY = {"retry-after": str(_RETRY_SECONDS)}
_UNJUDGED = "none"
