"""A real server on loopback for tests: uvicorn in a thread of its own, on a port that was free."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from thresher.client import Console
from thresher.records import now_ms
from thresher.server.app import Server, create_app
from thresher.server.auth import console_token
from thresher.settings import Settings
from thresher.store.contract import Store

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Served:
    """A running server: where it is, the console's token, a client that has it, and a bare one that has nothing."""

    url: str
    token: str
    console: Console
    http: httpx.Client


@contextmanager
def serving(
    store: Store,
    settings: Settings,
    *,
    clock: Callable[[], int] = now_ms,
    on_sent: Callable[[str], None] = lambda _category: None,
    app: FastAPI | None = None,
) -> Iterator[Served]:
    """Serve a workspace, or an application made over it, until the block ends."""
    settings = settings.but(host="127.0.0.1", port=0)
    if settings.origins.get("joins_address") == "default":
        settings = settings.but(joins_address=1000)  # everybody in a test comes from this machine
    heard: list[str] = []
    up = threading.Event()

    def ready(url: str) -> None:
        heard.append(url)
        up.set()

    app = app or create_app(store, settings, clock=clock, on_sent=on_sent)
    server = Server(app, settings, ready)
    thread = threading.Thread(target=server.run, name="server under test")
    thread.start()
    try:
        assert up.wait(PATIENCE_SECONDS), "the server did not start"
        token = console_token(store, settings)
        # nothing to verify on loopback, and reading the machine's certificates is what costs a test its time
        with httpx.Client(base_url=heard[0], verify=False, timeout=PATIENCE_SECONDS) as browser:
            yield Served(heard[0], token, Console(heard[0], token), browser)
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "the server did not stop"
