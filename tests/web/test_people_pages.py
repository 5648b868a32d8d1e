"""Who gets no more work, on both pages: what the worker reads, and what the owner sees and decides."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from tests.server.people import Pool
from tests.serving import Served, serving
from tests.web.conftest import Clock, Opener
from tests.web.window import PHONE, Window
from tests.web.worker_page import POSTED_MS, begin, held, join, shown

from thresher.client import WorkerClient
from thresher.settings import Settings
from thresher.store.contract import Store

pytestmark = pytest.mark.browser


@pytest.fixture
def busy(store: Store, small: Settings, pool: Pool, clock: Clock) -> Iterator[Served]:
    """A server that lets one person in a minute join from one address."""
    with serving(store, small.but(joins_address=1), clock=clock) as served:
        yield served


def workers(window: Window, server: Served) -> None:
    window.page.goto(f"{server.url}/?token={server.token}")
    window.page.get_by_role("link", name="Workers").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Workers")


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, PHONE], ids=["desktop", "dark", "phone"])
def test_a_worker_is_excluded_with_a_reason_reads_it_and_is_let_in_again(
    opened: Opener, server: Served, options: dict[str, object]
) -> None:
    worker, owner = opened(**PHONE), opened(**options)
    worker.page.clock.install()
    begin(worker, server)
    workers(owner, server)
    row = owner.page.get_by_role("row").filter(has_text="Ada")
    row.get_by_role("button", name="Exclude").click()
    owner.page.get_by_label("Reason").fill("You sold your link.")
    assert owner.violations() == []
    owner.page.get_by_role("dialog").get_by_role("button", name="Exclude").click()
    expect(row).to_contain_text("You sold your link.")
    assert owner.violations() == []
    worker.page.keyboard.press("y")
    worker.page.clock.run_for(POSTED_MS)
    expect(worker.page.get_by_text("The reason that was given: You sold your link.")).to_be_visible()
    worker.page.get_by_role("button", name="Go on").click()
    expect(worker.page.get_by_text("You get no more tasks here.")).to_be_visible()
    expect(worker.page.get_by_text("No tasks right now")).to_have_count(0)
    assert worker.violations() == []
    row.get_by_role("button", name="Let go on").click()
    expect(row.get_by_role("button", name="Let go on")).to_have_count(0)
    worker.page.reload()
    expect(worker.page.get_by_role("button", name="Open")).to_be_visible()
    worker.forgive("410")


def test_two_links_in_one_browser_are_shown_as_one_device(window: Window, server: Served, store: Store) -> None:
    join(window, server, "Ada")
    join(window, server, "Ben")
    assert {len(store.people.alike(worker.id)) for worker in store.people.all()} == {1}
    workers(window, server)
    for name in ("Ada", "Ben"):
        row = window.page.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text("shares a device with 1 other, counts once")
        expect(row).to_contain_text("shares an address with 1 other")


def test_whoever_comes_when_many_join_is_let_in_when_their_turn_comes(
    window: Window, busy: Served, clock: Clock
) -> None:
    link = busy.console.add_invite().link
    WorkerClient.join(link)
    clock.pass_minutes(0.95)
    window.page.goto(link)
    window.page.get_by_role("button", name="Join").click()
    expect(window.page.get_by_text("Many people are joining.")).to_be_visible()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Welcome")
    window.forgive("503")


def test_a_worker_whose_invite_is_closed_is_told_in_the_middle(window: Window, server: Served, store: Store) -> None:
    window.page.clock.install()
    begin(window, server)
    (invite,) = server.console.invites()
    server.console.revoke_invite(invite.id)
    shown(window, 0)
    window.page.keyboard.press("y")
    window.page.clock.run_for(POSTED_MS)
    expect(window.page.get_by_text("The invite that brought you here was closed")).to_be_visible()
    expect(window.page.get_by_text("1 answer on this page came too late for it.")).to_be_visible()
    assert held(store).answers == ()
    window.forgive("410")
