"""One task open at two devices or in two tabs: every answer is kept, or its worker is told."""

import pytest
from playwright.sync_api import expect
from tests.serving import Served
from tests.web.conftest import Clock, Opener
from tests.web.window import PHONE, Window
from tests.web.worker_page import POSTED_MS, SIZE, begin, held, posted, shown

from thresher.client import WorkerClient
from thresher.records import Says
from thresher.server.wire import Entry
from thresher.store.contract import Store
from thresher.workforce.links import Links

pytestmark = pytest.mark.browser


def answer(window: Window, start: int, end: int, key: str) -> None:
    for position in range(start, end):
        shown(window, position)
        window.page.keyboard.press(key)


def elsewhere(server: Served, store: Store) -> tuple[WorkerClient, str]:
    """The same worker at another device, and the token of their assignment."""
    links = Links(store.secret())
    return WorkerClient(server.url, links.worker(held(store).worker)), links.assignment(held(store).id)


def said(positions: range, says: Says, at_ms: int) -> list[Entry]:
    return [Entry(position=one, says=says, first_seconds=1.0, seconds=1.0, at_ms=at_ms) for one in positions]


def count(window: Window, answered: int) -> None:
    expect(window.page.get_by_text(f"You have answered {answered} of {SIZE}")).to_be_visible()


def test_what_a_laptop_and_a_phone_answer_is_sent_from_either(
    window: Window, opened: Opener, server: Served, store: Store
) -> None:
    window.page.clock.install()
    begin(window, server)
    answer(window, 0, 4, "y")
    of_laptop = dict.fromkeys(range(4), "yes")
    posted(window, store, of_laptop)
    phone = opened(**PHONE)
    phone.page.clock.install()
    phone.page.goto(window.page.url)
    phone.page.get_by_role("button", name="Go on").click()
    for start in (4, 6, 8):  # more posts than the laptop makes
        answer(phone, start, start + 2, "n")
        posted(phone, store, of_laptop | dict.fromkeys(range(4, start + 2), "no"))
    answer(window, 4, 5, "y")
    posted(window, store, dict.fromkeys(range(5), "yes") | dict.fromkeys(range(5, 10), "no"))
    count(window, 10)
    expect(window.page.get_by_text("open on another device or tab too")).to_be_visible()
    window.page.reload()
    count(window, 10)
    answer(window, 5, 6, "y")
    window.page.get_by_role("button", name="Menu").click()
    window.page.get_by_role("button", name="Check your answers").click()
    window.page.get_by_role("button", name="Go on").click()
    answer(window, 10, SIZE, "y")
    window.page.get_by_role("button", name="Send").click()
    expect(window.page.get_by_text("Receipt")).to_be_visible()
    sent = [given.says.value for given in held(store).answers]
    assert sent == ["yes"] * 6 + ["no"] * 4 + ["yes"] * (SIZE - 10)


def test_what_was_answered_offline_joins_what_was_answered_meanwhile(
    window: Window, server: Served, store: Store
) -> None:
    window.page.clock.install()
    begin(window, server)
    window.context.set_offline(True)
    answer(window, 0, 5, "y")
    client, token = elsewhere(server, store)
    now_ms = client.reopen(token).now_ms
    client.keep_drafts(token, 1, said(range(4, 9), Says.NO, now_ms - 60_000))
    window.context.set_offline(False)
    count(window, 9)
    posted(window, store, dict.fromkeys(range(5), "yes") | dict.fromkeys(range(5, 9), "no"))
    window.forgive("ERR_INTERNET_DISCONNECTED")


def test_a_page_that_is_looked_at_again_shows_what_another_tab_answered(
    window: Window, server: Served, store: Store
) -> None:
    begin(window, server)
    client, token = elsewhere(server, store)
    client.keep_drafts(token, 1, said(range(6), Says.NO, client.reopen(token).now_ms))
    window.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    count(window, 6)


def test_whoever_answers_after_another_device_sent_the_task_is_told(
    window: Window, server: Served, store: Store
) -> None:
    window.page.clock.install()
    begin(window, server)
    client, token = elsewhere(server, store)
    client.send(token, said(range(SIZE), Says.NO, client.reopen(token).now_ms))
    answer(window, 0, 3, "y")
    window.page.clock.run_for(POSTED_MS)
    expect(window.page.get_by_role("heading", level=1)).to_have_text("This task has ended")
    expect(window.page.get_by_text("3 answers on this page came too late for it.")).to_be_visible()
    window.forgive("410")


def test_whoever_answers_after_the_lease_ended_is_told_how_many_answers_are_lost(
    window: Window, server: Served, store: Store, clock: Clock
) -> None:
    window.page.clock.install()
    begin(window, server)
    answer(window, 0, 2, "y")
    posted(window, store, dict.fromkeys(range(2), "yes"))
    clock.pass_minutes(100)
    answer(window, 2, 3, "y")
    window.page.clock.run_for(POSTED_MS)
    expect(window.page.get_by_role("heading", level=1)).to_have_text("This task has ended")
    expect(window.page.get_by_text("1 answer on this page came too late for it.")).to_be_visible()
    window.forgive("410")


def test_the_owner_too_may_work_at_two_devices(window: Window, server: Served, store: Store) -> None:
    window.page.clock.install()
    window.page.goto(server.console.owner_link("car"))
    window.page.get_by_role("button", name="Open").click()
    window.page.get_by_role("button", name="Start").click()
    answer(window, 0, 2, "y")
    client, token = elsewhere(server, store)
    now_ms = client.reopen(token).now_ms
    for sequence in (1, 2, 3):
        client.keep_drafts(token, sequence, said(range(1 + sequence, 2 + sequence), Says.NO, now_ms))
    posted(window, store, {0: "yes", 1: "yes", 2: "no", 3: "no", 4: "no"})


def test_the_owner_hears_of_no_check_and_where_it_says_whether_more_answers_are_needed(
    window: Window, server: Served
) -> None:
    window.page.goto(server.console.owner_link("car"))
    window.page.get_by_role("button", name="Open").click()
    expect(window.page.get_by_text("your answers are taken as true")).to_be_visible()
    expect(window.page.get_by_text("used to check the task")).to_have_count(0)
    window.page.get_by_role("button", name="Start").click()
    shown(window, 0)
    window.context.set_offline(True)
    answer(window, 0, 3, "y")
    # it may have been interrupted, so only the terminal knows
    says = "If the command in your terminal has ended, it says there whether more answers are needed."
    expect(window.page.get_by_text(says)).to_be_visible()
    window.forgive("ERR_INTERNET_DISCONNECTED")
