"""The worker's page, as a person uses it: keys, mouse and touch, going back, looking over, sending."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.server.people import Pool, add_pictures
from tests.serving import Served, serving
from tests.web.conftest import Opener
from tests.web.window import NARROW, PHONE, Window
from tests.web.worker_page import SIZE, answer_all, begin, held, join, painted, shown

from thresher.client import WorkerClient
from thresher.records import OWNER, Gold, Says, Source, Worker
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.links import Links

pytestmark = pytest.mark.browser


def test_joining_makes_the_address_the_personal_link(window: Window, server: Served) -> None:
    join(window, server)
    link = window.page.get_by_label("Your personal link", exact=True).input_value()
    assert link == window.page.url
    window.page.reload()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Hello, Ada")
    assert WorkerClient.from_link(link).me().name == "Ada"
    assert len(server.console.workers()) == 1


def test_the_personal_token_is_in_no_address_that_is_asked_for_and_no_cookie_is_set(
    window: Window, server: Served
) -> None:
    begin(window, server)
    token = window.page.url.partition("#t=")[2]
    addresses = [request.url.partition("#")[0] for request in window.requests]
    assert token
    assert not [address for address in addresses if token in address]
    assert window.context.cookies() == []


def test_the_owner_s_page_looks_for_new_tasks_every_three_seconds_and_others_later(
    window: Window, phone: Window, server: Served, store: Store
) -> None:
    store.people.add(Worker(id=OWNER, name="Eve", owner=True, invite="", created_ms=1))
    window.page.clock.install()
    window.page.goto(f"{server.url}/work#t={Links(store.secret()).worker(OWNER)}")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Hello, Eve")
    for _ in range(2):
        with window.page.expect_request("**/api/work/me"):
            window.page.clock.run_for(3_000)
    phone.page.clock.install()
    join(phone, server)
    before = len(phone.requests)
    phone.page.clock.run_for(8_000)
    phone.page.wait_for_timeout(200)
    assert len(phone.requests) == before
    with phone.page.expect_request("**/api/work/me"):
        phone.page.clock.run_for(12_000)


def test_answers_by_key_are_stored_as_they_were_given_with_their_times(
    window: Window, server: Served, store: Store
) -> None:
    begin(window, server)
    keys = ["ArrowRight", "ArrowLeft", "j", "f", "y", "n", " "]
    meant = [Says.YES, Says.NO, Says.YES, Says.NO, Says.YES, Says.NO, Says.UNSURE]
    for position in range(SIZE):
        shown(window, position)
        painted(window)
        window.page.wait_for_timeout(30)
        window.page.keyboard.press(keys[position % len(keys)])
    window.page.get_by_role("button", name=f"Send {SIZE} answers").click()
    expect(window.page.get_by_text("Receipt")).to_be_visible()
    answers = held(store).answers
    assert [given.says for given in answers] == [meant[position % len(keys)] for position in range(SIZE)]
    assert all(0.02 <= given.seconds < 10 and given.seconds == given.first_seconds for given in answers)
    assert all((given.changes, given.visits, given.hidden_seconds) == (0, 1, 0) for given in answers)
    assert all(given.ready for given in answers[1:])  # nobody could fetch the first one ahead


def test_the_gate_s_words_are_shown_after_sending_and_on_the_worker_s_page(
    window: Window, store: Store, small: Settings, pool: Pool
) -> None:
    """Somebody who says yes to everything, where there is gold enough to see it."""
    more = add_pictures(store, "car", 16, first_seed=1000)
    store.labels.gild("car", [Gold(row, (Says.YES, Says.NO)[row % 2], 1, Source.OWNER) for row in more])
    with serving(store, small.but(gold_images=20)) as server:
        begin(window, server)
        answer_all(window, size=30)
        window.page.get_by_role("button", name="Send").click()
        expect(window.page.get_by_role("heading", level=1)).to_have_text("This task was not accepted")
        review = held(store).review
        assert review
        expect(window.page.get_by_text(review.why)).to_be_visible()
        window.page.get_by_role("button", name="page").or_(window.page.get_by_role("button", name="next")).click()
        expect(window.page.locator(".past")).to_contain_text("Not accepted")
        expect(window.page.locator(".past")).to_contain_text(review.why)


def test_careful_work_is_accepted_with_thanks(window: Window, server: Served, store: Store, pool: Pool) -> None:
    begin(window, server)
    for position, place in enumerate(held(store).dealt):
        shown(window, position)
        window.page.keyboard.press("y" if pool.truth(place.row) is Says.YES else "n")
    window.page.get_by_role("button", name="Send").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Accepted. Thank you")


def test_going_back_shows_the_answer_and_changing_it_is_counted(window: Window, server: Served, store: Store) -> None:
    begin(window, server)
    painted(window)
    window.page.keyboard.press("y")
    shown(window, 1)
    window.page.keyboard.press("Backspace")
    shown(window, 0)
    painted(window)
    expect(window.page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    window.page.keyboard.press("n")
    shown(window, 1)
    expect(window.page.get_by_text(f"You have answered 1 of {SIZE}")).to_be_visible()
    answer_all(window, start=1)
    window.page.get_by_role("button", name="Send").click()
    expect(window.page.get_by_text("Receipt")).to_be_visible()
    first = held(store).answers[0]
    assert (first.says, first.changes, first.visits) == (Says.NO, 1, 2)
    assert first.seconds >= first.first_seconds


def test_a_held_key_answers_once(window: Window, server: Served) -> None:
    begin(window, server)
    window.page.keyboard.down("y")
    for _ in range(5):
        window.page.keyboard.down("y")  # a second press without release is what a held key sends
    window.page.keyboard.up("y")
    shown(window, 1)
    expect(window.page.get_by_text(f"You have answered 1 of {SIZE}")).to_be_visible()


def test_the_next_picture_is_there_in_the_very_next_frame(window: Window, server: Served) -> None:
    """Every swap, not most of them; the handler itself stays short."""
    begin(window, server)
    window.page.evaluate(
        """() => {
            window.frames_right = []; window.handler_ms = [];
            addEventListener('keydown', () => {
                const began = performance.now();
                const before = document.querySelector('.stage').dataset.shown;
                setTimeout(() => {});
                queueMicrotask(() => window.handler_ms.push(performance.now() - began));
                requestAnimationFrame(() => {
                    const on = [...document.querySelectorAll('.stage img')]
                        .filter(i => getComputedStyle(i).visibility === 'visible');
                    window.frames_right.push(on.length === 1 && on[0].complete && on[0].naturalWidth > 0
                        && document.querySelector('.stage').dataset.shown === String(Number(before) + 1));
                });
            }, true);
        }"""
    )
    for position in range(SIZE - 1):
        shown(window, position)
        window.page.wait_for_function("() => document.querySelectorAll('.stage img').length > 1")
        # the page asked for the same before, so it knows of each when this ends
        window.page.evaluate("() => Promise.all([...document.querySelectorAll('.stage img')].map(one => one.decode()))")
        window.page.keyboard.press("y")
        # a busy machine draws seldom: two keys within one frame would show the picture after the next one
        window.page.wait_for_function("swaps => window.frames_right.length >= swaps", arg=position + 1)
    right, handler_ms = window.page.evaluate("() => [window.frames_right, window.handler_ms]")
    assert right == [True] * (SIZE - 1)
    assert sorted(handler_ms)[len(handler_ms) // 2] < 16


def test_mouse_and_buttons_do_what_keys_do_and_leave_space_its_meaning(window: Window, server: Served) -> None:
    begin(window, server)
    window.page.get_by_role("button", name="No", exact=True).click()
    shown(window, 1)
    window.page.keyboard.press(" ")
    shown(window, 2)
    window.page.get_by_role("button", name="Back").click()
    expect(window.page.get_by_role("button", name="Unsure")).to_have_attribute("aria-pressed", "true")
    window.page.get_by_role("button", name="Back").click()
    expect(window.page.get_by_role("button", name="No", exact=True)).to_have_attribute("aria-pressed", "true")


def swipe(window: Window, steps: list[int]) -> None:
    """Drag a finger over the picture along these x positions, and lift it."""
    devtools = window.context.new_cdp_session(window.page)
    for kind, x in [("touchStart", steps[0]), *(("touchMove", x) for x in steps[1:])]:
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 400}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_touch_taps_and_swipes_answer_and_a_swipe_taken_back_does_not(phone: Window, server: Served) -> None:
    begin(phone, server)
    phone.page.get_by_role("button", name="Yes").tap()
    shown(phone, 1)
    swipe(phone, [300, 240, 180, 120])
    shown(phone, 2)
    swipe(phone, [100, 160, 260, 160, 110])
    phone.page.wait_for_timeout(100)
    shown(phone, 2)
    swipe(phone, [100, 160, 220, 280])
    shown(phone, 3)
    for position, says in ((2, "Yes"), (1, "No"), (0, "Yes")):
        phone.page.get_by_role("button", name="Back").tap()
        shown(phone, position)
        expect(phone.page.get_by_role("button", name=says, exact=True)).to_have_attribute("aria-pressed", "true")


def test_sides_can_be_swapped_and_letters_switched_off(window: Window, server: Served) -> None:
    begin(window, server)
    window.page.get_by_role("button", name="Menu").click()
    window.page.get_by_role("button", name="Settings").click()
    window.page.get_by_label("Yes on the left").check()
    window.page.get_by_label("Letter keys answer too").uncheck()
    window.page.get_by_role("button", name="Done").click()
    window.page.keyboard.press("y")
    window.page.keyboard.press("j")
    shown(window, 0)
    window.page.keyboard.press("ArrowLeft")
    shown(window, 1)
    window.page.keyboard.press("Backspace")
    expect(window.page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    order = window.page.locator("footer .choice").all_inner_texts()
    assert [text.split()[0] for text in order] == ["Yes", "Unsure", "No"]
    window.page.reload()
    shown(window, 0)
    window.page.keyboard.press("y")
    shown(window, 0)


def test_a_picture_can_be_looked_at_closely_by_key_and_by_link(window: Window, server: Served) -> None:
    begin(window, server)
    window.page.keyboard.press("ArrowRight")
    shown(window, 1)
    present = window.page.locator("main.stage img.on").get_attribute("src")
    link = window.page.get_by_role("link", name="Look closer")
    looks: list[Callable[[], None]] = [
        partial(window.page.keyboard.press, "z"),
        link.click,
        partial(link.press, "Enter"),
    ]
    for look in looks:
        with window.context.expect_page() as opened:
            look()
        closer = opened.value
        assert closer.url.endswith(f"{present}?large=1")
        expect(closer.locator("img")).to_have_js_property("naturalWidth", 64)
        assert closer.evaluate("() => window.opener") is None
        closer.close()
    window.page.keyboard.press("ArrowLeft")
    shown(window, 2)


def test_a_finger_can_look_closely_too(phone: Window, server: Served) -> None:
    begin(phone, server)
    box = phone.page.get_by_role("link", name="Look closer").bounding_box()
    assert box
    assert box["height"] >= 44
    with phone.context.expect_page() as opened:
        phone.page.get_by_role("link", name="Look closer").tap()
    expect(opened.value.locator("img")).to_have_js_property("naturalWidth", 64)


def test_the_review_counts_and_leads_back_to_any_picture(window: Window, server: Served) -> None:
    begin(window, server)
    answer_all(window)
    expect(window.page.get_by_role("heading", name="Yes")).to_contain_text(str(SIZE))
    window.page.get_by_role("button", name="Picture 5, answered yes").click()
    shown(window, 4)
    window.page.keyboard.press("n")
    expect(window.page.get_by_role("heading", name="No", exact=False).first).to_contain_text("1")
    expect(window.page.get_by_role("button", name="Picture 5, answered no")).to_be_visible()


def test_everything_fits_a_window_of_320_pixels(opened: Opener, server: Served) -> None:
    window = opened(**NARROW)

    def fits() -> bool:
        return bool(window.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))

    begin(window, server)
    assert fits()
    for name in ("Back", "No", "Unsure", "Yes"):
        box = window.page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert box["y"] + box["height"] <= 568
    answer_all(window)
    assert fits()


@pytest.mark.parametrize(
    ("size", "scheme"),
    [({}, "light"), (PHONE, "dark"), (NARROW, "light")],
    ids=["desktop, light", "phone, dark", "320 pixels, light"],
)
def test_every_state_keeps_the_rules_of_accessibility(
    opened: Opener, server: Served, size: dict[str, Any], scheme: str
) -> None:
    window = opened(**size, color_scheme=scheme)
    page = window.page
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        found[state] = window.violations()

    page.goto(server.console.add_invite().link)
    expect(page.get_by_role("button", name="Join")).to_be_visible()
    look("invited")
    join(window, server)
    look("home")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    look("explanation")
    page.get_by_role("button", name="Start").click()
    shown(window, 0)
    look("picture")
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("menu")
    for panel in ("The question and its examples", "Settings", "Give this task back"):
        page.get_by_role("button", name=panel).click()
        look(panel)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        page.get_by_role("button", name="Menu").click()
        expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    for position in range(SIZE):
        shown(window, position)
        page.keyboard.press(["y", "n", " "][position % 3])
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    look("review")
    page.get_by_role("button", name="Picture 2,").click()
    shown(window, 1)
    look("answered")
    page.keyboard.press("n")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Receipt")).to_be_visible()
    look("sent")
    page.get_by_role("button", name="See the next task").click()
    expect(page.locator(".past")).to_be_visible()
    look("past")
    page.goto(f"{server.url}/work")
    expect(page.get_by_text("needs your personal link")).to_be_visible()
    look("trouble")
    assert {state: broken for state, broken in found.items() if broken} == {}
