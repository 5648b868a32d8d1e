"""The worker's page when something comes between: a reload, a pause, no connection, a lost lease, a wrong link."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import expect
from tests.serving import Served
from tests.web.conftest import Clock
from tests.web.window import Window
from tests.web.worker_page import POSTED_MS, SIZE, answer_all, begin, held, join, posted, shown

from thresher.client import WorkerClient
from thresher.records import Given, Says, Stage
from thresher.store.contract import Store

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("after", [False, True], ids=["before the drafts were posted", "after it"])
def test_a_reload_in_the_middle_loses_no_answer_and_no_place(
    window: Window, server: Served, store: Store, after: bool
) -> None:
    window.page.clock.install()
    begin(window, server)
    for position in range(7):
        shown(window, position)
        window.page.keyboard.press("y" if position % 2 else "n")
    window.page.keyboard.press("ArrowUp")
    shown(window, 6)
    if after:
        posted(window, store, {position: "yes" if position % 2 else "no" for position in range(7)})
    window.page.reload()
    shown(window, 6)
    expect(window.page.get_by_text(f"You have answered 7 of {SIZE}")).to_be_visible()
    expect(window.page.get_by_role("button", name="No", exact=True)).to_have_attribute("aria-pressed", "true")


BLOCKED = """
for (const name of ['sessionStorage', 'localStorage'])
    Object.defineProperty(window, name, { get() { throw new DOMException('blocked', 'SecurityError'); } });
"""


def test_in_a_frame_with_its_storage_blocked_everything_works_and_a_reload_resumes(
    window: Window, server: Served
) -> None:
    """As a marketplace shows it: in a sandboxed frame, where browsers give no storage."""
    link = f"{server.url}/work#t={WorkerClient.join(server.console.add_invite().link).token}"
    frame = f'<!doctype html><iframe id="work" sandbox="allow-scripts allow-same-origin" src="{link}"></iframe>'
    style = "<style>iframe { width: 1000px; height: 700px }</style>"
    page = window.page
    page.add_init_script(BLOCKED)
    page.route("**/marketplace", lambda route: route.fulfill(body=frame + style, content_type="text/html"))
    page.goto(f"{server.url}/marketplace")
    inside = page.frame_locator("#work")
    inside.get_by_role("button", name="Open").click()
    inside.get_by_role("button", name="Start").click()
    for position in range(3):
        expect(inside.locator("main.stage")).to_have_attribute("data-shown", str(position))
        page.keyboard.press("y")
    expect(inside.locator("main.stage")).to_have_attribute("data-shown", "3")
    page.wait_for_timeout(200)
    page.frames[1].evaluate("() => location.reload()")
    expect(inside.get_by_text(f"You have answered 3 of {SIZE}")).to_be_visible()
    expect(inside.locator("main.stage")).to_have_attribute("data-shown", "3")
    window.forgive("can escape its sandboxing")


def test_the_clock_stands_while_paused_and_while_the_page_is_hidden(
    window: Window, server: Served, store: Store
) -> None:
    begin(window, server)
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_contain_text("Paused")
    window.page.wait_for_timeout(600)
    window.page.get_by_role("button", name="Go on").click()
    window.page.keyboard.press("y")
    shown(window, 1)
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    window.page.evaluate(hide, True)
    window.page.wait_for_timeout(600)
    window.page.evaluate(hide, False)
    answer_all(window, start=1)
    window.page.get_by_role("button", name="Send").click()
    expect(window.page.get_by_text("Receipt")).to_be_visible()
    paused, hidden, *rest = held(store).answers
    assert all(0.6 <= given.hidden_seconds < 5 and given.seconds < 3 for given in (paused, hidden))
    assert all(given.hidden_seconds == 0 for given in rest)


def test_a_key_right_after_a_dialog_opens_or_closes_goes_where_it_should(window: Window, server: Served) -> None:
    """No moment lies between the picture and what covers it in which a key is lost: workers type fast."""
    begin(window, server)
    keys = window.page.keyboard
    menu = window.page.get_by_role("button", name="Menu")
    for _ in range(15):
        menu.click()
        keys.press("Escape")
        keys.press("y")
        shown(window, 1)
        keys.press("Escape")
        keys.press("Escape")
        keys.press("Backspace")
        shown(window, 0)
        menu.click()
        window.page.get_by_role("button", name="Settings").click()
        keys.press("Escape")
        expect(window.page.locator("dialog")).to_have_count(0)


def test_an_unfinished_assignment_can_be_left_and_gone_on_with(window: Window, server: Served) -> None:
    begin(window, server)
    for position in range(3):
        shown(window, position)
        window.page.keyboard.press("y")
    window.page.get_by_role("button", name="Menu").click()
    window.page.get_by_role("button", name="Leave and go on later").click()
    expect(window.page.get_by_text("You have begun this task")).to_be_visible()
    window.page.get_by_role("button", name="Go on").click()
    shown(window, 3)


def test_a_task_given_back_is_free_again_and_its_answers_are_erased(
    window: Window, server: Served, store: Store
) -> None:
    begin(window, server)
    window.page.keyboard.press("y")
    window.page.get_by_role("button", name="Menu").click()
    window.page.get_by_role("button", name="Give this task back").click()
    expect(window.page.get_by_role("dialog")).to_contain_text("Your 1 answer of this task will be erased")
    window.page.get_by_role("button", name="Give it back").click()
    expect(window.page.get_by_role("button", name="Open")).to_be_visible()
    returned = held(store)
    assert returned.stage is Stage.RETURNED
    assert store.work.drafts(returned.id)[1] == []


def test_a_lease_that_ended_is_told_kindly_and_leads_on(window: Window, server: Served, clock: Clock) -> None:
    window.page.clock.install()
    begin(window, server)
    window.page.keyboard.press("y")
    clock.pass_minutes(61)
    window.page.clock.run_for(POSTED_MS)
    expect(window.page.get_by_role("heading", level=1)).to_have_text("This task has ended")
    expect(window.page.get_by_text("It does not count against you")).to_be_visible()
    window.page.get_by_role("button", name="Go on").click()
    expect(window.page.get_by_role("button", name="Open")).to_be_visible()
    window.forgive("410")


def test_offline_work_goes_on_and_arrives_later(window: Window, server: Served, store: Store) -> None:
    begin(window, server)
    window.page.wait_for_timeout(400)  # the pictures ahead are here
    window.context.set_offline(True)
    for position in range(3):
        shown(window, position)
        window.page.keyboard.press("y")
    expect(window.page.get_by_text("You are offline. Go on")).to_be_visible()
    expect(window.page.get_by_text("in your terminal")).to_have_count(0)
    window.context.set_offline(False)
    expect(window.page.get_by_text("You are offline")).to_have_count(0)
    expect(window.page.locator("main.stage")).to_have_attribute("data-condition", "ready")
    drafts: Sequence[Given] = ()
    for _ in range(100):
        _, drafts = store.work.drafts(held(store).id)
        if len(drafts) == 3:
            break
        window.page.wait_for_timeout(100)
    assert [draft.says for draft in drafts] == [Says.YES] * 3
    window.forgive("ERR_INTERNET_DISCONNECTED")


def test_sending_without_a_connection_keeps_everything_and_works_later(window: Window, server: Served) -> None:
    begin(window, server)
    answer_all(window)
    window.context.set_offline(True)
    window.page.get_by_role("button", name="Send").click()
    expect(window.page.get_by_text("Your answers were not sent")).to_be_visible()
    window.context.set_offline(False)
    window.page.get_by_role("button", name="Send").click()
    expect(window.page.get_by_text("Receipt")).to_be_visible()
    window.forgive("ERR_INTERNET_DISCONNECTED")


def test_a_picture_that_does_not_load_can_be_tried_again_or_left_unsure(window: Window, server: Served) -> None:
    page = window.page
    page.route("**/api/work/pictures/**", lambda route: route.abort())
    join(window, server)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("button", name="Start").click()
    page.keyboard.press("y")
    expect(page.get_by_text(f"You have answered 0 of {SIZE}")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("This picture did not load")
    page.keyboard.press("y")
    expect(page.get_by_text(f"You have answered 0 of {SIZE}")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.get_by_text(f"You have answered 1 of {SIZE}")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("This picture did not load")
    page.unroute("**/api/work/pictures/**")
    page.get_by_role("button", name="Try again").click()
    shown(window, 1)
    window.forgive("ERR_FAILED")


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/work", "This page needs your personal link"),
        ("/work#t=made.up", "This link does not work"),
    ],
)
def test_a_wrong_link_says_what_to_do(window: Window, server: Served, address: str, title: str) -> None:
    window.page.goto(server.url + address)
    expect(window.page.get_by_role("heading", level=1)).to_have_text(title)
    window.forgive("401")


def test_a_withdrawn_invite_says_what_to_do(window: Window, server: Served) -> None:
    invite = server.console.add_invite()
    server.console.revoke_invite(invite.id)
    window.page.goto(invite.link)
    window.page.get_by_role("button", name="Join").click()
    expect(window.page.get_by_text("This invite was withdrawn. Ask for a new one.")).to_be_visible()
    window.forgive("410")
