"""What a person does on the worker's page, for the tests of it."""

import re
import time

from playwright.sync_api import expect
from tests.serving import Served
from tests.web.window import Window

from thresher.records import Assignment
from thresher.store.contract import Store

SIZE = 18  # 10 asked pictures and 8 gold
POSTED_MS = 3_300  # a few answers are posted after three seconds
ARRIVED_SECONDS = 20


def join(window: Window, server: Served, name: str = "Ada") -> None:
    """Open an invite and make a personal link."""
    window.page.goto(server.console.add_invite().link)
    window.page.get_by_label("Your name").fill(name)
    window.page.get_by_role("button", name="Join").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text(f"Hello, {name}")


def begin(window: Window, server: Served) -> None:
    """Join and go to the first picture."""
    join(window, server)
    window.page.get_by_role("button", name="Open").click()
    window.page.get_by_role("button", name="Start").click()
    shown(window, 0)


def shown(window: Window, position: int) -> None:
    """The picture of this position can be seen, and it alone."""
    expect(window.page.locator("main.stage")).to_have_attribute("data-shown", str(position))
    expect(window.page.locator("main.stage img.on")).to_have_attribute("alt", re.compile(f"^Picture {position + 1} of"))


def painted(window: Window) -> None:
    """The frame of what is shown has been handed to the screen, which a busy machine does late: the clock runs."""
    window.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")


def answer_all(window: Window, key: str = "ArrowRight", start: int = 0, size: int = SIZE) -> None:
    for position in range(start, size):
        shown(window, position)
        window.page.keyboard.press(key)
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Check your answers")


def held(store: Store) -> Assignment:
    """The one assignment there is."""
    (only,) = store.work.page("car", "", 10)
    return only


def drafts(store: Store) -> dict[int, str]:
    return {one.position: one.says.value for one in store.work.drafts(held(store).id)[1]}


def posted(window: Window, store: Store, expected: dict[int, str]) -> None:
    """Let the page's own time pass until it posts, and wait until the server has exactly these answers."""
    window.page.clock.run_for(POSTED_MS)
    deadline = time.monotonic() + ARRIVED_SECONDS
    while drafts(store) != expected and time.monotonic() < deadline:
        window.page.wait_for_timeout(20)
    assert drafts(store) == expected
    window.page.wait_for_timeout(100)  # the page hears that they were kept
