"""The pages and their addresses: each handler reads a question, has it answered, and renders what was found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bernard_exporter.errors import FilterError, StoreError
from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.access import Access, Outlook
from bernard_exporter.inspection.difference import THRESHOLD
from bernard_exporter.inspection.jobs import find_job
from bernard_exporter.inspection.runs import search_runs
from bernard_exporter.inspection.timeline import timeline
from bernard_exporter.model import Job
from bernard_exporter.pages import joblist, trouble
from bernard_exporter.pages.assets import Assets, bootstrap_directory
from bernard_exporter.pages.frame import frame_of
from bernard_exporter.pages.history import History, history
from bernard_exporter.pages.inside import Part, asked_of, inside, run_number
from bernard_exporter.pages.links import Links
from bernard_exporter.pages.overview import overview
from bernard_exporter.pages.plan import plan
from bernard_exporter.pages.query import Query
from bernard_exporter.pages.rendering import Templates
from bernard_exporter.pages.search import run_filter, understand
from bernard_exporter.pages.signs import run_signs
from bernard_exporter.poller import Poller

Handler = Callable[[Request], Awaitable[Response]]
_RUNS = 100
_SIDE = 6
_MOST_ID_DIGITS = 10
_DAY = timedelta(days=1)
_MOST_EVENTS = 500
_MOST_CHANGES = 100
_FAR = timedelta(days=3650)


class _Anything(Convertor[str]):
    """The rest of an address; unlike ``path`` with line breaks too, for they may be in a name."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", _Anything())


class Site:
    """The pages of one exporter."""

    def __init__(self, poller: Poller, access: Access, prefix: str) -> None:
        """Find what the pages are made of.

        Raises:
            PagesError: Bootstrap is not installed.
        """
        self._poller = poller
        self._access = access
        self._links = Links(prefix)
        self._assets = Assets(bootstrap_directory())
        self._templates = Templates(self._links, self._assets)

    def routes(self) -> list[BaseRoute]:
        """Return the routes, without the prefix."""
        pages: dict[str, Handler] = {
            "/": self.overview,
            "/jobs": self.jobs,
            "/jobs/{job:anything}": self.job,
            "/runs": self.runs,
            "/runs/{id}": self.run,
            "/schedule": self.schedule,
        }
        return [
            *(Route(path, self._guarded(handler)) for path, handler in pages.items()),
            *self._assets.routes(),
        ]

    async def overview(self, _: Request) -> Response:
        """Answer the whole fleet on one page."""
        view = await self._access.look(lambda outlook: overview(outlook.snapshot, outlook.now))
        return await self._page("overview.html", "/", view=view, side=_SIDE)

    async def jobs(self, request: Request) -> Response:
        """Answer the jobs that pass a filter."""
        query = Query(request.url.query)
        wanted = joblist.wanted(query)

        found = await self._access.look(lambda outlook: joblist.find(outlook.snapshot, wanted))
        return await self._page("jobs.html", "/jobs", wanted=wanted, found=found)

    async def job(self, request: Request) -> Response:
        """Answer all of one job; its history is left out while the database is away."""
        outlook = self._access.outlook
        status = find_job(outlook.snapshot, _job_of(request))
        found: History | None = None
        if self._poller.telemetry.up:
            try:
                found = await self._access.ask(lambda view: history(view, status.job, status.limits))
            except StoreError as error:
                trouble.log(error)
        return await self._page("job.html", "/jobs", status=status, history=found)

    async def runs(self, request: Request) -> Response:
        """Answer the runs that a search and filters ask for."""
        query = Query(request.url.query)
        text = (query.text("q") or "").strip()
        if text.isascii() and text.isdecimal() and len(text) <= _MOST_ID_DIGITS:
            return RedirectResponse(self._links.run(int(text)), 303)
        words = understand(text, self._access.outlook.snapshot)
        wanted = run_filter(query, words, _RUNS)
        page = await self._access.ask(lambda view: search_runs(view.connection, view.snapshot, wanted))
        return await self._page("runs.html", "/runs", text=text, words=words, wanted=wanted, page=page, query=query)

    async def run(self, request: Request) -> Response:
        """Answer a run and what is in it."""
        query = Query(request.url.query)
        run_id = run_number(request.path_params["id"])
        asked, too_large = asked_of(query), False
        try:
            found = await self._access.ask(lambda view: inside(view, run_id, asked))
        except StoreError as error:
            if error.reason != "timeout" or Part.FILES not in asked.parts:
                raise
            # Its files can be shown although there are too many to tell what is in all of them.
            only, too_large = replace(asked, parts=frozenset({Part.FILES})), True
            found = await self._access.ask(lambda view: inside(view, run_id, only))
        return await self._page(
            "run.html",
            "/runs",
            view=found,
            query=query,
            threshold=THRESHOLD,
            most=_MOST_CHANGES,
            too_large=too_large,
        )

    async def schedule(self, request: Request) -> Response:
        """Answer yesterday, today and tomorrow."""
        query = Query(request.url.query)
        wanted = JobFilter(query.texts("section"), query.texts("type"), query.texts("datacenter"))
        now = self._access.outlook.now
        day = _day(query, now)
        start, end = day - _DAY, day + 2 * _DAY
        events = await self._access.ask(
            lambda view: timeline(view.connection, view.snapshot, wanted, start, end, view.now)
        )
        drawing = plan(events, start, end, now)
        return await self._page(
            "schedule.html",
            "/schedule",
            wanted=wanted,
            events=events,
            plan=drawing,
            most=_MOST_EVENTS,
            before=start,
            day=day,
            after=day + _DAY,
        )

    async def not_found(self, request: Request, _: Exception) -> Response:
        """Answer that there is no such page."""
        return self._message(trouble.no_page(request.url.path))

    def _guarded(self, handler: Handler) -> Handler:
        """Return a handler that answers its errors with a page that can be read, and says when nothing is known yet."""

        async def answer(request: Request) -> Response:
            if not self._poller.ready:
                return self._message(trouble.unread(frame_of(self._poller)))
            try:
                return await handler(request)
            except trouble.EXPECTED as error:
                return self._message(trouble.message_of(error))

        return answer

    async def _page(self, template: str, active: str, **values: object) -> Response:
        """Return a page, rendered where it keeps no scrape waiting."""

        def answer(outlook: Outlook) -> str:
            snapshot = outlook.snapshot
            known = {
                "choices": joblist.choices(snapshot),
                "run_sign": run_signs(snapshot),
                "datacenter_of": snapshot.policy.datacenter,
            }
            return self._render(template, active, **known, **values)

        return HTMLResponse(await self._access.look(answer))

    def _message(self, message: trouble.Message) -> Response:
        text = self._render("message.html", "", message=message)
        return HTMLResponse(text, message.status, headers=message.headers)

    def _render(self, template: str, active: str, **values: object) -> str:
        return self._templates.render(template, active=active, frame=frame_of(self._poller), values=values)


def _day(query: Query, now: datetime) -> datetime:
    """Return the midnight in UTC that begins the day asked for, or today.

    Raises:
        FilterError: it is no day, or one that no schedule reaches.
    """
    day = (query.moment("day") or now).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if abs(day - now) > _FAR:
        raise FilterError("day", f"found {day:%Y-%m-%d}, expected a day less than ten years from now")
    return day


def _job_of(request: Request) -> Job:
    """Return the job of an address; its names may hold a slash, so the address is read before it is decoded."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    parts = raw.decode("latin-1").partition("?")[0].rstrip("/").split("/")[-3:]
    return Job(*(unquote(part) for part in ["", "", "", *parts][-3:]))
