"""A real Chromium on the built pages, served by the real server over a real store."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright
from tests.server.people import Pool, add_pool
from tests.serving import Served, serving
from tests.web.window import FLAGS, PHONE, Window, open_window

from thresher.records import now_ms
from thresher.settings import Settings
from thresher.store.contract import Store

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src/thresher/server/static"
expect.set_options(timeout=20_000)  # a page of one of two busy cores may take its time, and a wrong one takes for ever
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Clock:
    """The server's time, which a test may move on."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms

    def pass_minutes(self, minutes: float) -> None:
        self.ahead_ms += round(minutes * 60_000)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is. Under CI the lack of one is a failure, elsewhere a reason to skip."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = "no Chromium on this machine. Next: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    if not (STATIC / "worker/index.html").is_file():
        pytest.fail("the pages are not built. Next: make setup")
    return found


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, as a script for a page."""
    return (ROOT / "web/node_modules/axe-core/axe.min.js").read_text("utf-8")


# a module long, not a session: its event loop runs on in the process, where other tests start their own
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(chromium: str, playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
    yield launched
    launched.close()


Opener = Callable[..., Window]


@pytest.fixture
def opened(browser: Browser, axe: str) -> Iterator[Opener]:
    """Opens windows; each is closed when the test ends, and must not have complained."""
    windows: list[Window] = []

    def open_one(**options: object) -> Window:
        windows.append(open_window(browser, axe, **options))
        return windows[-1]

    yield open_one
    complaints = [line for window in windows for line in window.complaints]
    for window in windows:
        window.context.close()
    assert complaints == []


@pytest.fixture
def window(opened: Opener) -> Window:
    """A desktop window."""
    return opened()


@pytest.fixture
def phone(opened: Opener) -> Window:
    """A phone with a touch screen."""
    return opened(**PHONE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def small(settings: Settings) -> Settings:
    """Settings for tasks of 10 pictures and 8 gold."""
    return settings.but(task_images=10, gold_images=8, gold_least=4)


@pytest.fixture
def pool(store: Store, small: Settings) -> Pool:
    """A category "car" of 32 pictures: 12 gold, and 20 asked in two tasks."""
    return add_pool(store, small)


@pytest.fixture
def server(store: Store, small: Settings, pool: Pool, clock: Clock) -> Iterator[Served]:
    with serving(store, small, clock=clock) as served:
        yield served
