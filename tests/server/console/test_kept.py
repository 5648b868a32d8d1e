"""An open page costs nothing while nothing has changed, and shows each change at its next look."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.counting import counted
from tests.server.conftest import Clock
from tests.server.people import Pool
from tests.serving import Served, serving

from thresher.records import Category, Dealt, Given, Invite, Question, Refusal, Says, Worker, now_ms
from thresher.server.app import create_app
from thresher.server.kept import MOST, Kept
from thresher.settings import Settings
from thresher.store.contract import UNBOUNDED, Store

HOUR_MS = 3_600_000
PAGES = (
    "categories", "categories/car", "categories/car/tasks", "categories/car/rounds", "categories/car/workers",
    "workers", "invites",
)  # fmt: skip


@dataclass
class Watched:
    """A server, how often it asks its store, and the categories whose loop runs."""

    served: Served
    calls: Counter[str]
    running: set[str] = field(default_factory=set)

    def get(self, page: str) -> Any:
        answer = self.served.http.get(f"/api/console/{page}", headers={"Authorization": f"Bearer {self.served.token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def costs(self, page: str) -> Counter[str]:
        self.calls.clear()
        self.get(page)
        return +self.calls


@pytest.fixture
def watched(store: Store, small: Settings, pool: Pool, clock: Clock) -> Iterator[Watched]:
    own, calls = counted(store)
    running = {"car"}
    app = create_app(own, small, clock=clock, loop_runs=running.__contains__)
    with serving(store, small, app=app) as served:
        yield Watched(served, calls, running)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_which_nothing_moved_costs_one_store_call(watched: Watched, page: str) -> None:
    first = watched.get(page)
    assert watched.costs(page).total() == 1
    assert watched.get(page) == first


def test_two_categories_cost_one_store_call_too_and_a_change_of_one_makes_only_that_one_anew(
    watched: Watched, store: Store
) -> None:
    store.categories.create(Category("bus", Question(1, "Is this a bus?", "", 1)))
    assert [one["name"] for one in watched.get("categories")] == ["bus", "car"]
    assert watched.costs("categories") == {"categories.marks": 1}
    store.categories.refuse("bus", [Refusal("a.jpg", "small", "", 1)])
    costs = watched.costs("categories")
    assert costs["rounds.all"] == 1
    assert [one["refused"] for one in watched.get("categories")] == [1, 0]


def take(store: Store) -> str:
    taken = store.work.take("car", 1, "ann", owner=False, now_ms=now_ms(), lease_ms=HOUR_MS, bounds=UNBOUNDED)
    assert taken is not None
    return taken.id


CHANGES: dict[str, tuple[str, Callable[[Store], object]]] = {
    "a task is taken": ("categories/car/tasks", take),
    "an invite is made": ("invites", lambda store: store.people.invite(Invite("i9", "", "note", 1))),
    "somebody joins": (
        "workers", lambda store: store.people.add(Worker("ann", "Ann", owner=False, invite="", created_ms=1)),
    ),
    "a question is reworded": ("categories/car", lambda store: store.categories.reword("car", "A car?", "", 2)),
    "a candidate is refused": (
        "categories", lambda store: store.categories.refuse("car", [Refusal("a.jpg", "small", "", 1)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_page_shows_what_changed_at_its_next_look(watched: Watched, store: Store, change: str) -> None:
    page, make = CHANGES[change]
    before = watched.get(page)
    make(store)
    after = watched.get(page)
    assert after != before
    assert watched.get(page) == after


def test_drafts_move_the_pages_and_no_turn(watched: Watched, store: Store, pool: Pool) -> None:
    held = take(store)
    watched.get("categories/car")
    before = store.categories.mark("car")
    asked = store.asks.of_task(store.work.get(held).task)
    store.work.set_dealt(held, [Dealt(ask.row, ask.id) for ask in asked])
    watched.get("categories/car")
    dealt = store.categories.mark("car")
    store.work.draft(held, [Given(0, Says.YES, 1.0, 1.0)], sequence=1, now_ms=now_ms(), lease_ms=HOUR_MS)
    drafted = store.categories.mark("car")
    assert dealt.turn == drafted.turn != before.turn
    assert dealt.page != drafted.page
    assert watched.costs("categories/car").total() > 1


def test_a_loop_that_ends_is_told_although_the_store_does_not_change(watched: Watched) -> None:
    assert watched.get("categories/car")["loop_running"]
    watched.running.clear()
    assert not watched.get("categories/car")["loop_running"]
    assert watched.costs("categories/car").total() == 1


def test_an_answer_that_was_made_while_something_changed_is_made_again(store: Store, pool: Pool) -> None:
    kept, made = Kept(store), 0

    def slow() -> int:
        nonlocal made
        made += 1
        if made == 1:
            store.categories.refuse("car", [Refusal("a.jpg", "small", "", 1)])
        return store.categories.tally("car").refused

    assert [kept.of("car", "page", slow) for _ in range(3)] == [1, 1, 1]
    assert made == 2


def test_as_many_answers_are_kept_as_pages_are_open_and_no_more(store: Store, pool: Pool) -> None:
    kept, made = Kept(store), Counter[int]()

    def ask(number: int) -> None:
        kept.of("car", number, lambda: made.update([number]))

    for number in (*range(MOST + 1), MOST, 0):
        ask(number)
    assert made[MOST] == 1
    assert made[0] == 2


def test_a_workspace_without_a_category_keeps_no_answer(store: Store) -> None:
    kept, made = Kept(store), 0

    def count(_names: object) -> int:
        nonlocal made
        made += 1
        return made

    assert [kept.of_all("invites", count) for _ in range(2)] == [1, 2]
