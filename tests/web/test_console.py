"""The console, as an owner uses it: a link, states, pictures, rounds, lists, people."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.server.people import Pool, add_pictures, answer
from tests.serving import Served, serving
from tests.web.conftest import Clock, Opener
from tests.web.window import PHONE, Window

from thresher.client import WorkerClient
from thresher.records import Counts, Job, Label, Purpose, Refusal, Round, Says, Source, Thresholds, new_id, now_ms
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Store

pytestmark = pytest.mark.browser

ROUNDS = 3
POOL = 32 + 68  # the category has pictures for two pages and not for three


@pytest.fixture
def rounds(store: Store, pool: Pool) -> list[int]:
    """Rounds that decide the whole pool by row: the first third yes, the last third no, the middle unknown."""
    rows = [*pool.rows, *add_pictures(store, "car", 68, first_seed=500)]
    third = len(rows) // 3
    scores = np.array([2.0] * third + [0.0] * (len(rows) - 2 * third) + [-2.0] * third, np.float32)
    for number in range(1, ROUNDS + 1):
        column = f"scores/car/{number}"
        store.columns.create(column, 1, "float32")
        store.columns.write(column, np.array(rows), scores[:, None])
        counts = Counts(third, third, len(rows) - 2 * third)
        measures = {"average_precision": 0.8 + 0.04 * number}
        store.rounds.add(
            Round(
                number=number,
                category="car",
                version=1,
                backbone="efficientnet-lite0",
                column=column,
                thresholds=Thresholds(-1.0, 1.0),
                counts=counts,
                labels_yes=6 * number,
                labels_no=6 * number,
                measures=measures,
                head="",
                at_ms=now_ms() - 60_000 * (ROUNDS - number),
                seconds=1.5,
            ),
            b"head",
        )
    store.labels.hold("car", [Label(rows[0], Says.YES, Source.OWNER, Purpose.LEARN, 1, now_ms())])
    return rows


@pytest.fixture
def empty(tmp_path: Any, settings: Settings) -> Iterator[Served]:
    """A server over a workspace in which nothing is."""
    store = open_store(tmp_path / "empty", settings, create=True)
    with serving(store, settings) as served:
        yield served
    store.close()


def enter(window: Window, server: Served, view: str = "") -> Page:
    """Open the console by its link, and go to a view."""
    window.page.goto(f"{server.url}/?token={server.token}")
    expect(window.page.get_by_role("heading", name="Categories")).to_be_visible()
    if view:
        window.page.goto(f"{server.url}/#/{view}")
    return window.page


def test_the_link_s_token_is_taken_out_of_the_address_and_outlives_a_reload(window: Window, server: Served) -> None:
    page = enter(window, server)
    assert page.url == f"{server.url}/#/categories"
    page.reload()
    expect(page.get_by_role("link", name="car")).to_be_visible()
    later = [request.url for request in window.requests[1:]]
    assert not [address for address in later if server.token in address]
    assert window.context.cookies() == []


def test_without_its_token_the_console_says_where_the_link_is_and_takes_it(window: Window, server: Served) -> None:
    page = window.page
    page.goto(f"{server.url}/?token=wrong")
    expect(page.get_by_text("does not accept the token")).to_be_visible()
    expect(page.get_by_text("thresher serve")).to_be_visible()
    page.get_by_label("Link or token").fill(f"{server.url}/?token={server.token}")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("link", name="car")).to_be_visible()
    window.forgive("401")


def test_an_empty_workspace_shows_the_next_command_and_a_category_can_be_added(window: Window, empty: Served) -> None:
    page = enter(window, empty)
    expect(page.get_by_text("No category yet")).to_be_visible()
    expect(page.get_by_text("thresher category add car")).to_be_visible()
    page.get_by_role("button", name="Add a category").click()
    page.get_by_label("Name").fill("dog")
    page.get_by_label("Question").fill("Is there a dog in this picture?")
    page.get_by_label("Instructions").fill("Drawings do not count.")
    page.get_by_label("Target precision").fill("97")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is there a dog in this picture?")
    expect(page.get_by_text("thresher harvest dog --folder").first).to_be_visible()
    expect(page.get_by_text("≥ 97 %")).to_be_visible()
    (made,) = empty.console.categories()
    assert (made.name, made.instructions, made.targets.precision) == ("dog", "Drawings do not count.", 0.97)


def test_a_name_that_is_taken_is_told_in_the_form(window: Window, server: Served) -> None:
    page = enter(window, server)
    page.get_by_role("button", name="Add a category").click()
    page.get_by_label("Name").fill("car")
    page.get_by_label("Question").fill("Another question?")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("car")
    window.forgive("409")


def test_a_question_is_reworded_only_by_one_who_has_read_what_it_costs_and_can_be_gone_back_to(
    window: Window, server: Served, pool: Pool
) -> None:
    page = enter(window, server, "categories/car")
    before = server.console.category("car").question
    page.get_by_role("button", name="Reword").click()
    page.get_by_role("textbox", name="Question").fill("Is there a lorry in this picture?")
    page.get_by_role("button", name="Change the question").click()
    expect(page.get_by_role("alert")).to_contain_text("gold")
    assert server.console.category("car").version == 1
    page.get_by_label("Do it all the same").check()
    page.get_by_role("button", name="Change the question").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is there a lorry in this picture?")
    assert server.console.category("car").version == 2
    page.get_by_role("button", name="Reword").click()
    page.get_by_role("button", name="Ask it again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(before)
    page.get_by_role("button", name="Reword").click()
    page.get_by_role("textbox", name="Question").fill("Does this picture show a car?")
    page.get_by_label("Only the wording changed").check()
    page.get_by_role("button", name="Change the question").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Does this picture show a car?")
    assert [asked.version for asked in server.console.questions("car")] == [1, 2, 1, 1]
    window.forgive("409")


def test_a_category_shows_its_state_before_its_controls(
    window: Window, server: Served, store: Store, pool: Pool, rounds: list[int]
) -> None:
    worker = WorkerClient.join(server.console.add_invite().link, "Ada")
    work = worker.deal("car")
    assert work
    answer(worker, work, store, pool)
    page = enter(window, server, "categories/car")
    state = server.console.category("car")
    bar = page.locator(".pool-parts")
    expect(bar).to_contain_text(f"Yes {state.yes}")
    expect(bar).to_contain_text(f"Unknown {state.unknown}")
    expect(bar).to_contain_text(f"No {state.no}")
    expect(page.get_by_role("heading", name=f"Answers {len(work.pictures)}")).to_be_visible()
    expect(page.locator(".waits")).to_have_text(state.waits_for.replace("`", ""))
    assert state.images == len(rounds) == POOL


def test_pictures_come_by_decision_and_a_page_at_a_time(window: Window, server: Served, rounds: list[int]) -> None:
    page = enter(window, server, "categories/car/pictures")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(60)
    page.get_by_role("button", name="Show more").click()
    expect(tiles).to_have_count(len(rounds))
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    page.get_by_text(f"No {len(rounds) // 3}").click()
    expect(tiles).to_have_count(len(rounds) // 3)
    assert set(page.locator(".tile .part").all_inner_texts()) == {"No"}
    drawn = page.locator(".tile img").first
    drawn.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.tile img').naturalWidth > 0")


def test_a_picture_opens_with_what_is_known_of_it(window: Window, server: Served, rounds: list[int]) -> None:
    page = enter(window, server, "categories/car/pictures")
    page.locator(".tile").first.click()
    dialog = page.get_by_role("dialog")
    known = server.console.pictures("car").pictures[0]
    for text in (known.file, known.sha256, "yes, owner", "2.00", f"{known.width} × {known.height} px"):
        expect(dialog).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_rounds_have_a_chart_that_is_fetched_when_it_is_wanted_a_sentence_and_a_table(
    window: Window, server: Served, rounds: list[int]
) -> None:
    page = enter(window, server, "categories/car")
    expect(page.locator(".pool-bar").first).to_be_visible()
    assert not [request.url for request in window.requests if "/chart-" in request.url]
    page.get_by_role("navigation", name="Views of car").get_by_role("link", name="Rounds").click()
    expect(page.locator(".recharts-surface").first).to_be_visible()
    assert [request.url for request in window.requests if "/chart-" in request.url]
    expect(page.get_by_text(f"After {ROUNDS} rounds")).to_be_visible()
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(1 + ROUNDS)
    expect(rows.nth(1)).to_contain_text("92.0 %")


def test_a_list_becomes_a_named_task_and_unknown_names_are_listed(
    window: Window, server: Served, store: Store, pool: Pool
) -> None:
    more = add_pictures(store, "car", 3, first_seed=900)
    names = [server.console.pictures("car", after=more[0] - 1).pictures[number].file for number in range(3)]
    page = enter(window, server, "categories/car/tasks")
    page.get_by_role("button", name="Make a task from a list").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Read a file").click()
    listed = "\n".join(["file", *names, "nobody.jpg"])
    chooser.value.set_files({"name": "odd ones.csv", "mimeType": "text/csv", "buffer": listed.encode()})
    expect(page.get_by_label("Name of the task")).to_have_value("odd ones")
    expect(page.get_by_text("4 images")).to_be_visible()
    page.get_by_role("button", name="Make the task").click()
    expect(page.get_by_text("1 task made from 3 images")).to_be_visible()
    expect(page.get_by_text("nobody.jpg")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("row").filter(has_text="odd ones")).to_contain_text("3")


def test_a_list_without_the_right_column_is_told_before_it_is_sent(window: Window, server: Served) -> None:
    page = enter(window, server, "categories/car/tasks")
    page.get_by_role("button", name="Make a task from a list").click()
    page.get_by_label("Images").fill("name,size\na,1")
    expect(page.get_by_text("Line 1: a CSV needs a column image, file or url")).to_be_visible()
    expect(page.get_by_role("button", name="Make the task")).to_be_disabled()


def test_an_invite_is_made_copied_and_revoked(opened: Opener, server: Served) -> None:
    window = opened(permissions=["clipboard-read", "clipboard-write"])
    page = enter(window, server, "categories/car")
    page.get_by_role("button", name="Invite people").click()
    page.get_by_label("Note").fill("the lab")
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_role("dialog").locator("code").inner_text()
    assert WorkerClient.join(link, "Ada").me().offers[0].category == "car"
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == link
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Invites").click()
    row = page.get_by_role("row").filter(has_text="the lab")
    row.get_by_role("button", name="Revoke").click()
    row.get_by_role("button", name="Revoke, and end the work of 1 person").click()
    expect(row).to_contain_text("revoked")
    assert [invite.revoked for invite in server.console.invites()] == [True]


def test_the_owner_s_button_opens_a_task_of_their_own(window: Window, server: Served) -> None:
    page = enter(window, server, "categories/car")
    with page.context.expect_page() as opening:
        page.get_by_role("button", name="Answer as the owner").click()
    expect(opening.value.get_by_role("heading", level=1)).to_have_text("Welcome")


def test_workers_are_shown_with_the_interval_of_their_gold_and_sorted_by_any_column(
    window: Window, server: Served, store: Store, pool: Pool
) -> None:
    for name in ("Ada", "Bo"):
        worker = WorkerClient.join(server.console.add_invite().link, name)
        work = worker.deal("car")
        assert work
        answer(worker, work, store, pool)
    page = enter(window, server, "workers")
    first = page.get_by_role("row").nth(1)
    expect(first).to_contain_text("100.0 %")
    expect(first).to_contain_text("68 % to 100 %, 8 of 8")
    page.get_by_role("button", name="Name").click()
    expect(first).to_contain_text("Ada")
    page.get_by_role("button", name="Name").click()
    expect(first).to_contain_text("Bo")
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")


def test_refusals_and_jobs_are_listed_and_a_job_can_be_cancelled(
    window: Window, server: Served, store: Store, clock: Clock
) -> None:
    store.categories.refuse("car", [Refusal(f"broken-{n}.jpg", "truncated", "it ends early", 1) for n in range(3)])
    job = Job(new_id(), "harvest", "car", {}, "running", "here", 1, clock(), clock())
    store.jobs.start(job)
    store.jobs.beat(job.id, clock(), done=830, total=2000, message="embedding")
    page = enter(window, server, "categories/car/refused")
    expect(page.locator(".facts")).to_contain_text("truncated")
    expect(page.get_by_role("row").filter(has_text="broken-2.jpg")).to_contain_text("it ends early")
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("830 of 2,000")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_enabled()
    assert store.jobs.beat(job.id, clock(), done=831, total=2000, message="") is True


def test_a_category_nobody_has_and_a_server_that_is_gone_are_told(window: Window, server: Served) -> None:
    page = enter(window, server, "categories/nobody")
    expect(page.get_by_role("alert")).to_contain_text("nobody")
    page.goto(f"{server.url}/#/nowhere")
    expect(page.get_by_text("This view does not exist")).to_be_visible()
    window.context.set_offline(True)
    page.get_by_role("link", name="Categories", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    page.get_by_role("link", name="Workers").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This view could not be loaded")
    window.context.set_offline(False)
    page.get_by_role("button", name="Reload the page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Workers")
    window.forgive("404", "ERR_INTERNET_DISCONNECTED")


@pytest.mark.parametrize(("size", "scheme"), [({}, "light"), (PHONE, "dark")], ids=["desktop, light", "phone, dark"])
def test_every_view_keeps_the_rules_of_accessibility(
    opened: Opener, server: Served, store: Store, rounds: list[int], size: dict[str, Any], scheme: str
) -> None:
    window = opened(**size, color_scheme=scheme)
    store.categories.refuse("car", [Refusal("broken.jpg", "truncated", "it ends early", 1)])
    store.jobs.start(Job(new_id(), "harvest", "car", {}, "running", "here", 1, now_ms(), now_ms()))
    server.console.add_invite("car", "the lab")
    WorkerClient.join(server.console.add_invite().link, "Ada")
    found: dict[str, list[str]] = {}
    page = window.page
    page.goto(server.url)
    expect(page.get_by_label("Link or token")).to_be_visible()
    found["door"] = window.violations()
    enter(window, server)
    for view, sign in {
        "categories": ".card",
        "categories/car": ".facts",
        "categories/car/pictures": ".tile",
        "categories/car/rounds": ".recharts-surface",
        "categories/car/tasks": "table",
        "categories/car/workers": ".empty",
        "categories/car/refused": "table",
        "workers": "table",
        "invites": "table",
        "jobs": "table",
    }.items():
        page.goto(f"{server.url}/#/{view}")
        expect(page.locator(sign).first).to_be_visible()
        found[view] = window.violations()
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{view} is {wide} px too wide"
    for view, button in {
        "categories": "Add a category",
        "categories/car": "Reword",
        "categories/car/tasks": "Make a task from a list",
        "invites": "Invite people",
    }.items():
        page.goto(f"{server.url}/#/{view}")
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found[button] = window.violations()
        page.keyboard.press("Escape")
    assert [f"{view}: {broken}" for view, broken in found.items() if broken] == []
