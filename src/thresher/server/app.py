"""The server: the worker API, the console API and the built pages, in one uvicorn process."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from thresher import __version__
from thresher.errors import ThresherError
from thresher.label.deal import expire
from thresher.loop.decision import Decisions
from thresher.loop.lease import runs
from thresher.records import now_ms
from thresher.server import console, pages, problems, reference, worker_api
from thresher.server.auth import console_token, is_console
from thresher.server.built import STATIC
from thresher.server.connections import ACCEPTED_AT_ONCE, Connections, protocol_for
from thresher.server.desk import Desk, TheDesk
from thresher.server.joining import networks
from thresher.server.kept import Kept
from thresher.server.listening import BACKLOG, listening
from thresher.server.middleware import AnswersHead, BoundedBody, KnownHosts, StrictHeaders, Unexpected, known_hosts
from thresher.server.pictures import Shown
from thresher.server.presence import Presence, address_of
from thresher.server.wire import Health, Problem
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.links import Links

EXPIRE_EVERY_SECONDS = 30.0
SWEEP_TICKS = 5
BEAT_TICKS = 100
log = logging.getLogger(__name__)


def create_app(
    store: Store,
    settings: Settings,
    *,
    clock: Callable[[], int] = now_ms,
    on_sent: Callable[[str], None] = lambda _category: None,
    loop_runs: Callable[[str], bool] | None = None,
    static: Path = STATIC,
) -> FastAPI:
    """The application over a workspace.

    `on_sent(category)` is called after each sent assignment; `loop_runs(category)` says whether its loop is running, by
    default whether its lease is held. `static` is the folder of the built pages.
    """
    app = _bare(lifespan=_lifespan)
    token = console_token(store, settings)
    networks(settings.proxies)  # a wrong setting is told at the start
    app.state.desk = Desk(
        store=store,
        settings=settings,
        decisions=Decisions(store),
        kept=Kept(store),
        clock=clock,
        links=Links(store.secret()),
        console_token=token,
        shown=Shown(store, settings),
        static=static,
        on_sent=on_sent,
        loop_runs=loop_runs or (lambda category: runs(category, clock(), store=store)),
    )
    # the last one added is the first one asked
    app.add_middleware(BoundedBody, trusted=lambda sent: is_console(sent.get("authorization", ""), token))
    app.add_middleware(KnownHosts, known=known_hosts(settings))
    app.add_middleware(Unexpected)
    app.add_middleware(StrictHeaders)
    app.add_middleware(AnswersHead)
    return app


def serve(
    store: Store,
    settings: Settings,
    ready: Callable[[str], None] = lambda _url: None,
    *,
    on_sent: Callable[[str], None] = lambda _category: None,
    loop_runs: Callable[[str], bool] | None = None,
    parent: int = 0,
) -> None:
    """Serve until Ctrl-C or SIGTERM, from the main thread; `ready(url)` is called once the server listens.

    With `parent`, the id of the process that started this one, the server also ends when that one does, however it
    ended. The other parameters are those of `create_app`. Raises Busy when the port is in use, BadSetting when the
    address does not belong to this machine.
    """
    app = create_app(store, settings, on_sent=on_sent, loop_runs=loop_runs)
    presence = Presence(store, settings)

    def begun(url: str) -> None:
        presence.begin(url)
        app.state.address = presence.url
        ready(url)

    server = Server(app, settings, begun, presence=presence, parent=parent)
    # uvicorn finishes what it began and then raises the signal once more: both end here, so that the caller goes on
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
    finally:
        presence.end()
        signal.signal(signal.SIGTERM, before)


class Server(uvicorn.Server):
    """A uvicorn server that reports when and where it listens. `should_exit = True` stops it, from any thread."""

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        ready: Callable[[str], None],
        *,
        limits: Connections | None = None,
        presence: Presence | None = None,
        parent: int = 0,
    ) -> None:
        self.connections = limits or Connections.of(settings)
        self._presence = presence
        self._parent = parent
        config = uvicorn.Config(
            app,
            http=protocol_for(self.connections),
            ws="none",
            backlog=ACCEPTED_AT_ONCE,
            log_config=None,
            log_level="warning",
            access_log=False,  # addresses carry keys and invites, which are never logged
            server_header=False,
            timeout_graceful_shutdown=5,
            proxy_headers=False,  # uvicorn believes any process of this machine; joining.py believes the settings
        )
        super().__init__(config)
        self._ready = ready
        self._beat: asyncio.Future[None] | None = None
        self._host, self._port = settings.host, settings.port

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen and serve."""
        with listening(self._host, self._port) as sock:
            super().run(sockets=sockets or [sock])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then report the address."""
        await super().startup(sockets=sockets)
        for sock in sockets or ():
            sock.listen(BACKLOG)  # asyncio has made the queue as short as what it accepts at once
        port = sockets[0].getsockname()[1] if sockets else self._port
        self._ready(address_of(self._host, port))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as uvicorn does, which leaves open what its clients did not close in time: that is closed here."""
        await super().shutdown(sockets=sockets)
        self.connections.end()
        await asyncio.sleep(0)  # a connection ends in the next turn of the event loop

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: close connections that have waited too long, and say that the server still runs."""
        if counter % SWEEP_TICKS == 0:
            self.connections.sweep()
            if self._parent and os.getppid() != self._parent:
                self.should_exit = True
        if self._presence and counter % BEAT_TICKS == 0 and (self._beat is None or self._beat.done()):
            self._beat = asyncio.ensure_future(run_in_threadpool(self._presence.beat))
        return await super().on_tick(counter)


def openapi_text() -> str:
    """The OpenAPI description as stable text; the TypeScript of the pages is generated from it."""
    return json.dumps(_bare().openapi(), indent=2, ensure_ascii=False) + "\n"


class Api(FastAPI):
    """A FastAPI application whose description declares the media type of problems."""

    def openapi(self) -> dict[str, Any]:
        """The description, computed once."""
        schema = super().openapi()
        for operation in (operation for path in schema["paths"].values() for operation in path.values()):
            told = operation["responses"]["default"]
            told["content"] = {problems.MEDIA_TYPE: next(iter(told["content"].values()))}
        return schema


def _bare(**more: Any) -> FastAPI:  # noqa: ANN401 -- handed on to FastAPI
    """The routes and their errors, without a workspace."""
    app = Api(
        title="thresher",
        version=__version__,
        description="The worker API and the console API. Every error is a problem (RFC 9457).",
        docs_url=None,  # its page loads scripts from a foreign host; reference.py makes ours
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        responses={"default": {"model": Problem, "description": "What happened, where, and the next step."}},
        **more,
    )
    problems.install(app)
    for router in (worker_api.router, console.router):
        app.include_router(router)
    app.get("/healthz", tags=["server"])(health)
    app.get("/readyz", tags=["server"])(ready)
    app.include_router(reference.router)
    app.include_router(pages.router)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


async def health() -> Health:
    """The server answers."""
    return Health(status="ok", version=__version__)


def ready(desk: TheDesk) -> Health:
    """The server answers, and so does its store."""
    desk.store.categories.all()
    return Health(status="ok", version=__version__)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """End expired leases at intervals while the server runs, even if nobody asks for work."""
    task = asyncio.create_task(_expire_again_and_again(app.state.desk))
    try:
        yield
    finally:
        task.cancel()
        app.state.desk.shown.close()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _expire_again_and_again(desk: Desk) -> None:
    while True:
        try:
            await run_in_threadpool(expire, desk.store, desk.clock())
        except ThresherError as error:
            log.warning("leases could not be ended, and will be tried again: %s", error)
        await asyncio.sleep(EXPIRE_EVERY_SECONDS)
