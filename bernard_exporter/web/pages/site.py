"""The routes and handlers of the pages: each handler parses the query, runs it and renders the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bernard_exporter.domain.model import Run
from bernard_exporter.errors import BusyError, FilterError, StoreError
from bernard_exporter.polling.poller import Poller
from bernard_exporter.queries.diff import THRESHOLD
from bernard_exporter.queries.executor import QueryExecutor, SnapshotView
from bernard_exporter.queries.jobs import find_job
from bernard_exporter.queries.runs import search_runs
from bernard_exporter.queries.timeline import timeline
from bernard_exporter.web.negotiation import job_in_path
from bernard_exporter.web.pages import errors, jobs
from bernard_exporter.web.pages.assets import Assets, bootstrap_directory
from bernard_exporter.web.pages.badges import run_badges
from bernard_exporter.web.pages.downloads import Downloads
from bernard_exporter.web.pages.hosts import host_page, host_pages, newest_runs
from bernard_exporter.web.pages.job import JobPage, history
from bernard_exporter.web.pages.links import Links
from bernard_exporter.web.pages.overview import overview
from bernard_exporter.web.pages.query import Query, ScheduleForm
from bernard_exporter.web.pages.rendering import Templates, page_context
from bernard_exporter.web.pages.run import Part, job_of, parse_run_query, run_number, run_page
from bernard_exporter.web.pages.search import Hint, hints, run_filter, understand
from bernard_exporter.web.pages.sorting import Sorting
from bernard_exporter.web.pages.timeline_chart import plan
from bernard_exporter.web.pages.timeline_table import table_rows

Handler = Callable[[Request], Awaitable[Response]]
_RUNS = 100
_SIDE = 6
_MOST_ID_DIGITS = 10
_DAY = timedelta(days=1)
_MOST_EVENTS = 500
_MOST_CHANGES = 100
_FAR = timedelta(days=3650)


class Site:
    """The pages of one exporter."""

    def __init__(self, poller: Poller, executor: QueryExecutor, prefix: str) -> None:
        """Locate the files of the pages.

        Raises:
            PagesError: Bootstrap is not installed.
        """
        self._poller = poller
        self._executor = executor
        self._downloads = Downloads(executor)
        self._links = Links(prefix)
        self._assets = Assets(bootstrap_directory())
        self._templates = Templates(self._links, self._assets)

    def routes(self) -> list[BaseRoute]:
        """Return the routes, without the prefix."""
        pages: dict[str, Handler] = {
            "/": self.overview,
            "/jobs": self.jobs,
            "/jobs/{job:path}": self.job,
            "/runs": self.runs,
            "/runs/{id}": self.run,
            "/runs.csv": self._downloads.runs,
            "/runs/{id}/files.csv": self._downloads.files,
            "/runs/{id}/objects.csv": self._downloads.objects,
            "/schedule": self.schedule,
            "/hosts": self.hosts,
            "/hosts/{name}": self.host,
        }
        return [
            *(Route(path, self._guarded(handler)) for path, handler in pages.items()),
            *self._assets.routes(),
        ]

    async def overview(self, _: Request) -> Response:
        """Return the overview."""
        view = await self._executor.query_snapshot(lambda view: overview(view.snapshot, view.now))
        return await self._page("overview.html", "/", view=view, side=_SIDE)

    async def jobs(self, request: Request) -> Response:
        """Return the list of jobs that match a filter."""
        query = Query(request.url.query)
        selection = jobs.parse_selection(query)
        page = await self._executor.query_snapshot(lambda view: jobs.find(view.snapshot, selection))
        return await self._page("jobs.html", "/jobs", selection=selection, page=page)

    async def job(self, request: Request) -> Response:
        """Return the page of a job; its history is left out while the database is unavailable."""
        view = self._executor.view
        status = find_job(view.snapshot, job_in_path(request.scope))
        job_page: JobPage | None = None
        if self._poller.self_metrics.up:
            try:
                job_page = await self._executor.query_database(lambda view: history(view, status.job, status.limits))
            except StoreError as error:
                errors.log(error)
        return await self._page("job.html", "/jobs", status=status, history=job_page)

    async def hosts(self, _: Request) -> Response:
        """Return the list of hosts."""
        hosts = await self._executor.query_snapshot(lambda view: host_pages(view.snapshot))
        return await self._page("hosts.html", "/hosts", hosts=hosts)

    async def host(self, request: Request) -> Response:
        """Return the page of a host; its runs are left out while the database is unavailable."""
        name = request.path_params["name"]
        host = await self._executor.query_snapshot(lambda view: host_page(view.snapshot, name))
        runs: Sequence[Run] | None = None
        if self._poller.self_metrics.up:
            try:
                runs = await self._executor.query_database(lambda view: newest_runs(view, host.name))
            except StoreError as error:
                errors.log(error)
        return await self._page("host.html", "/hosts", host=host, runs=runs)

    async def runs(self, request: Request) -> Response:
        """Return the list of runs that match a search and filters."""
        query = Query(request.url.query)
        text = (query.text("q") or "").strip()
        if text.isascii() and text.isdecimal() and len(text) <= _MOST_ID_DIGITS:
            return RedirectResponse(self._links.run(int(text)), 303)
        snapshot = self._executor.view.snapshot
        words = understand(text, snapshot)
        criteria = run_filter(query, words, snapshot, _RUNS)
        page = await self._executor.query_database(lambda view: search_runs(view.connection, view.snapshot, criteria))
        meant: tuple[Hint, ...] = ()
        if not page.items:
            # A hint that takes too long is not worth an error.
            with suppress(StoreError):
                meant = await self._executor.query_database(lambda view: hints(view, query, words, criteria))
        return await self._page(
            "runs.html",
            "/runs",
            text=text,
            words=words,
            criteria=criteria,
            page=page,
            query=query,
            hints=meant,
            sorting=Sorting(self._links, "/runs", query, criteria.sort.value),
        )

    async def run(self, request: Request) -> Response:
        """Return the page of a run."""
        query = Query(request.url.query)
        run_id = run_number(request.path_params["id"])
        run_query, too_large = parse_run_query(query), False
        try:
            details = await self._executor.query_database(lambda view: run_page(view, run_id, run_query))
        except StoreError as error:
            if error.reason != "timeout" or Part.FILES not in run_query.parts:
                raise
            # A page of its files can be shown even if there are too many to read all of them.
            only, too_large = replace(run_query, parts=frozenset({Part.FILES})), True
            details = await self._executor.query_database(lambda view: run_page(view, run_id, only))
        path = f"/runs/{run_id}"
        return await self._page(
            "run.html",
            "/runs",
            view=details,
            query=query,
            threshold=THRESHOLD,
            most=_MOST_CHANGES,
            too_large=too_large,
            file_sorting=Sorting(self._links, path, query, run_query.files.sort.value, anchor="files"),
            object_sorting=Sorting(
                self._links, path, query, run_query.objects.sort.value, "object_sort", "object_cursor", "objects"
            ),
        )

    async def schedule(self, request: Request) -> Response:
        """Return the schedule of yesterday, today and tomorrow."""
        query = Query(request.url.query)
        criteria = query.read(ScheduleForm)
        now = self._executor.view.now
        day = _day(criteria, now)
        start, end = day - _DAY, day + 2 * _DAY
        events = await self._executor.query_database(
            lambda view: timeline(view.connection, view.snapshot, criteria, start, end, view.now)
        )
        statuses = self._executor.view.snapshot.jobs
        longest = {status.job: status.limits.max_duration for status in statuses if status.limits}
        drawing = plan(events, start, end, now, longest)
        return await self._page(
            "schedule.html",
            "/schedule",
            criteria=criteria,
            events=events,
            rows=table_rows(events, _MOST_EVENTS),
            plan=drawing,
            before=start,
            day=day,
            after=day + _DAY,
            end=end,
        )

    async def not_found(self, request: Request, _: Exception) -> Response:
        """Return the page for unknown paths."""
        return self._message(errors.no_page(request.url.path))

    def _guarded(self, handler: Handler) -> Handler:
        """Return a handler that renders errors as pages, also while the database has not been read yet."""

        async def answer(request: Request) -> Response:
            if not self._poller.ready:
                return self._message(errors.unread(page_context(self._poller)))
            try:
                return await handler(request)
            except BusyError:
                # Plain text, as a flood of rendered pages would delay scrapes.
                return PlainTextResponse(errors.BUSY, 503, headers=errors.RETRY)
            except errors.EXPECTED as error:
                return self._message(errors.message_of(error, request.url.path))

        return answer

    async def _page(self, template: str, active: str, **values: object) -> Response:
        """Render a page in a thread, so that it does not delay scrapes."""

        def answer(view: SnapshotView) -> str:
            snapshot = view.snapshot
            known = {
                "choices": jobs.choices(snapshot),
                "run_badge": run_badges(snapshot, view.now),
                "datacenter_of": snapshot.policy.datacenter,
                "job_of": lambda run: job_of(run, snapshot.policy),
            }
            return self._render(template, active, **known, **values)

        return _html(await self._executor.query_snapshot(answer))

    def _message(self, message: errors.Message) -> Response:
        text = self._render("message.html", "", message=message)
        return _html(text, message.status, message.headers)

    def _render(self, template: str, active: str, **values: object) -> str:
        return self._templates.render(template, active=active, context=page_context(self._poller), values=values)


def _html(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page as a response; characters that cannot be encoded, such as lone surrogates, become ``?``."""
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers=headers)


def _day(form: ScheduleForm, now: datetime) -> datetime:
    """Return midnight in UTC of the requested day, or of today.

    Raises:
        FilterError: the value is not a day, or too far from now.
    """
    day = (form.day or now).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if abs(day - now) > _FAR:
        raise FilterError("day", f"found {day:%Y-%m-%d}, expected a day less than ten years from today")
    return day
