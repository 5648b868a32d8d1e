from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.label.scene import NAME, Scene, scene

from thresher.errors import BadInput
from thresher.label.asks import fill_tasks, fresh, upload, wish, wish_first
from thresher.label.compose import Before, compose, mixed, split, together
from thresher.records import Ask, Category, NewAsk, Origin, Purpose, Question, Says, Stage, Task
from thresher.settings import Settings
from thresher.store.contract import Rows, Store


def ask(number: int, row: int, purpose: Purpose = Purpose.LEARN, votes: int = 2) -> Ask:
    return Ask(number, row, 1, purpose, votes, 0.0, 0, -1)


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    return scene(store, settings, images=600)


def fill(here: Scene, *, flush: bool = True) -> list[Task]:
    return fill_tasks(NAME, store=here.store, settings=here.settings, now_ms=here.tick(), flush=flush)


def wishes(here: Scene, rows: range | list[int], purpose: Purpose = Purpose.LEARN, votes: int | None = None) -> int:
    asked = [(row, 0.0) for row in rows]
    return wish(NAME, asked, purpose, store=here.store, settings=here.settings, votes_wanted=votes)


# --- wishes -----------------------------------------------------------------------------------------------------------


def test_the_first_wish_is_a_random_draw_that_a_seed_repeats(here: Scene) -> None:
    assert wish_first(NAME, store=here.store, settings=here.settings, seed=4, now_ms=1) == here.settings.first_images
    drawn = here.store.asks.open_rows(NAME, 1)
    assert 200 < drawn.mean() < 400
    for other, seed in (("again", 4), ("otherwise", 5)):
        here.store.categories.create(Category(other, Question(1, "Is it?", at_ms=1)))
        here.store.categories.pool_add(other, here.store.categories.pool(NAME).tolist(), Origin("test"))
        wish_first(other, store=here.store, settings=here.settings, seed=seed, now_ms=1)
    assert here.store.asks.open_rows("again", 1).tolist() == drawn.tolist()
    assert here.store.asks.open_rows("otherwise", 1).tolist() != drawn.tolist()


def test_a_second_first_wish_asks_about_other_images(here: Scene) -> None:
    for seed in (1, 2):
        assert wish_first(NAME, store=here.store, settings=here.settings, seed=seed, now_ms=1, size=100) == 100
    assert len(here.store.asks.open_rows(NAME, 1)) == 200


def test_the_same_wish_again_is_nothing_new(here: Scene) -> None:
    assert wishes(here, range(10)) == 10
    assert wishes(here, range(10)) == 0


def test_gold_and_what_is_like_it_is_not_asked_about(store: Store, settings: Settings) -> None:
    here = scene(store, settings)
    here.images(20, fingerprint=lambda number: f"{number % 10:016x}")
    here.gild(range(5))
    assert wishes(here, range(20)) == 5
    assert here.store.asks.open_rows(NAME, 1).tolist() == [5, 6, 7, 8, 9]
    assert wishes(here, range(15, 20)) == 0  # like something that is being asked


def test_fresh_rows_keep_the_order_they_came_in(here: Scene) -> None:
    wishes(here, [3])
    rows: Rows = here.store.categories.pool(NAME)[[9, 3, 1, 7]]
    assert fresh(NAME, rows, store=here.store).tolist() == [9, 1, 7]


def test_the_owner_is_asked_once(here: Scene) -> None:
    wishes(here, range(3), Purpose.MINE_GOLD)
    assert {found.votes_wanted for found in here.store.asks.waiting(NAME, 1, 9, owner_only=True)} == {1}


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_a_task_has_110_images_at_most_and_each_vote_wanted_is_in_a_task_of_its_own(here: Scene) -> None:
    wishes(here, range(220))
    wishes(here, range(220, 330), votes=1)
    tasks = fill(here)
    assert {(len(task.rows), task.places) for task in tasks} == {(110, 1)}
    assert sorted(row for task in tasks for row in task.rows) == sorted([*range(220), *range(220), *range(220, 330)])


@pytest.mark.parametrize(("images", "votes", "most"), [(220, 2, 0.51), (330, 2, 0.34), (330, 3, 0.37), (110, 2, 0.51)])
def test_votes_on_the_same_images_are_asked_for_in_tasks_composed_differently(
    here: Scene, images: int, votes: int, most: float
) -> None:
    """Nobody can copy a whole task, and an asked image recurs between two people as gold does."""
    assert wishes(here, range(images), votes=votes) == images
    tasks = [set(task.rows) for task in fill(here)]
    assert len(tasks) == votes * max(images // 110, 2)
    shares = [len(one & other) / len(one) for one in tasks for other in tasks if one is not other]
    assert max(shares) < most
    assert sum(share > 0 for share in shares) >= len(shares) // 2


@pytest.mark.parametrize(("images", "parts", "most"), [(110, 2, 0.52), (150, 3, 0.55), (220, 2, 0.52), (330, 3, 0.38)])
def test_no_secret_composes_tasks_that_share_more_than_about_half(images: int, parts: int, most: float) -> None:
    """They are spread evenly: drawn by chance, one workspace in a hundred had tasks that shared far more."""
    asks = [
        replace(ask(part * images + row, row, votes=1), part=part) for part in range(parts) for row in range(images)
    ]
    for number in range(50):
        composed = compose(asks, 110, Before(), number.to_bytes(32))
        batches = [[{one.row for one in batch} for batch in batches] for batches in composed]
        pairs = [(one, other) for some, more in combinations(batches, 2) for one in some for other in more]
        assert max(len(one & other) / min(len(one), len(other)) for one, other in pairs) < most


def test_fewer_images_than_a_task_are_one_task_for_all(here: Scene) -> None:
    wishes(here, range(109))
    assert [(len(task.rows), task.places) for task in fill(here)] == [(109, 2)]


@pytest.mark.parametrize("people", [2, 3, 5])
def test_a_few_people_get_everything_answered_that_many_would(here: Scene, people: int) -> None:
    """Tasks of different parts share images, so that nobody may take tasks of two parts."""
    wishes(here, range(330))
    assert len(fill(here)) == 6
    names = [f"w{number}" for number in range(people)]
    held = [here.deal(name) for name in names]  # all at once
    while any(one is not None for one in held):
        for one in held:
            if one is not None:
                here.send(one)
        here.review()
        held = [here.deal(name) for name in names]
    assert len(here.store.asks.open_rows(NAME, 1)) == 0
    assert len(here.store.labels.votes(NAME, 1)) == 660


def test_what_one_who_left_has_begun_is_cut_to_fit_those_who_stay(here: Scene) -> None:
    wishes(here, range(330))
    fill(here)
    here.work("stays")
    here.work("leaves")
    here.work("joins")
    here.work("stays")
    assert here.deal("joins") is None  # it may be that somebody else comes
    assert len(here.store.asks.open_rows(NAME, 1)) == 220
    here.tick(round(here.settings.patience_seconds * 1000))
    for _ in range(4):
        for name in ("stays", "joins"):
            if (assignment := here.deal(name)) is not None:
                here.send(assignment)
                here.review()
    assert len(here.store.asks.open_rows(NAME, 1)) == 0
    votes = here.store.labels.votes(NAME, 1)
    assert len(votes) == len({(vote.row, vote.worker) for vote in votes}) == 660


def test_a_task_that_nobody_has_seen_is_left_as_it_is(here: Scene) -> None:
    wishes(here, range(330))
    before = fill(here)
    here.tick(round(here.settings.patience_seconds * 1000))
    here.must_deal("a")
    assert [task.rows for task in here.store.asks.tasks(NAME, 0, 100)] == [task.rows for task in before]


def test_a_task_mixes_purposes(here: Scene) -> None:
    wishes(here, range(110))
    wishes(here, range(110, 220), Purpose.AUDIT_RECALL)
    for task in fill(here):
        assert sum(row < 110 for row in task.rows) == 55


def test_the_owners_asks_go_into_the_owners_tasks(here: Scene) -> None:
    wishes(here, range(5))
    wishes(here, range(5, 9), Purpose.MINE_GOLD)
    assert {(task.owner_only, len(task.rows)) for task in fill(here)} == {(False, 5), (True, 4)}


def test_without_flush_a_half_full_task_waits(here: Scene) -> None:
    wishes(here, range(150), votes=1)
    assert [len(task.rows) for task in fill(here, flush=False)] == [110]
    assert len(here.store.asks.waiting(NAME, 1, 100)) == 40


def test_a_handful_waits_while_people_are_busy_and_not_when_they_are_done(here: Scene) -> None:
    wishes(here, range(110), votes=1)
    fill(here)
    wishes(here, range(110, 115), votes=1)
    assert fill(here) == []
    here.work("a")
    assert [len(task.rows) for task in fill(here)] == [5]


def test_a_handful_waits_no_longer_than_a_minute_for_one_who_holds_the_last_task(here: Scene) -> None:
    wishes(here, range(110), votes=1)
    fill(here)
    here.must_deal("slow")
    wishes(here, range(110, 115), votes=1)
    assert fill(here) == []
    here.tick(round(here.settings.patience_seconds * 1000))
    assert [len(task.rows) for task in fill(here)] == [5]


def test_half_a_task_does_not_wait_when_nothing_is_free(here: Scene) -> None:
    wishes(here, range(110), votes=1)
    fill(here)
    wishes(here, range(110, 165), votes=1)
    assert fill(here) == []
    here.must_deal("a")
    assert [len(task.rows) for task in fill(here)] == [55]


def test_filling_again_makes_nothing_new(here: Scene) -> None:
    wishes(here, range(110))
    assert len(fill(here)) == 4
    assert fill(here) == []


def test_a_follow_up_leaves_people_who_can_take_it(store: Store, settings: Settings) -> None:
    """Images that everybody between them has seen must not be bundled into a task that nobody may take."""
    here = scene(store, settings.but(task_images=10), images=100)
    pairs = [("a", "b"), ("c", "d"), ("a", "d"), ("b", "c")]
    for number, pair in enumerate(pairs):
        wishes(here, range(10 * number, 10 * number + 9))
        assert len(fill(here)) == 1
        for name in pair:
            here.work(name, lambda _: Says.YES)
    again = [NewAsk(row, Purpose.LEARN, 1) for row in (1, 11, 21, 31)]
    store.asks.wish(NAME, 1, again)
    tasks = fill(here)
    done = 0
    for _ in tasks:
        done += next(here.work(name).verdict is Stage.ACCEPTED for name in "abcd" if _can_work(here, name))
    assert done == len(tasks) == 4
    assert len(store.asks.open_rows(NAME, 1)) == 0


def _can_work(here: Scene, name: str) -> bool:
    assignment = here.deal(name)
    if assignment is not None:
        here.store.work.give_back(assignment.id, here.now_ms)
    return assignment is not None


asks_of_any_kind = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([Purpose.LEARN, Purpose.MIDDLE]), st.integers(1, 3)), max_size=80
)


@given(wanted=asks_of_any_kind, size=st.integers(1, 12), seen=st.dictionaries(st.integers(0, 40), st.integers(0, 5)))
def test_every_ask_is_in_one_batch_and_no_image_twice_in_one(
    wanted: list[tuple[int, Purpose, int]], size: int, seen: dict[int, int]
) -> None:
    asks = [ask(number, row, purpose, votes) for number, (row, purpose, votes) in enumerate(wanted)]
    before = Before({row: frozenset({f"w{who}"}) for row, who in seen.items()}, people=6)
    batches = split(asks, size, before)
    assert sorted(one.id for batch in batches for one in batch) == list(range(len(asks)))
    for batch in batches:
        assert 0 < len(batch) <= size
        assert len({one.row for one in batch}) == len(batch)
        assert len({one.votes_wanted for one in batch}) == 1
        busy = set().union(*(before.voters.get(one.row, frozenset()) for one in batch))
        assert before.people - len(busy) >= batch[0].votes_wanted


@pytest.mark.parametrize(
    ("votes", "wanted"),
    [
        ([3] * 20 + [2] * 8, {3}),  # eight votes more, and two assignments less
        ([3] * 20 + [2] * 9, {2, 3}),
        ([3] * 20 + [1] * 2, {3}),
        ([3] * 20 + [1] * 3, {1, 3}),
        ([2, 1], {2}),
        ([3, 2, 1], {3}),
        ([2] * 20, {2}),
    ],
)
def test_a_few_images_join_a_task_of_more_votes_where_that_costs_less(votes: list[int], wanted: set[int]) -> None:
    asks = [ask(row, row, votes=more) for row, more in enumerate(votes)]
    joined = together(asks)
    assert {one.votes_wanted for one in joined} == wanted
    assert [one.row for one in joined] == [one.row for one in asks]
    assert all(now.votes_wanted >= before.votes_wanted for now, before in zip(joined, asks, strict=True))


def test_draws_keep_their_order_when_purposes_are_mixed() -> None:
    asks = [ask(number, number, Purpose.AUDIT_RECALL if number % 3 else Purpose.LEARN) for number in range(30)]
    order = [one.id for one in mixed(asks)]
    for purpose in (Purpose.AUDIT_RECALL, Purpose.LEARN):
        own = [number for number in order if asks[number].purpose is purpose]
        assert own == sorted(own)


# --- uploads ----------------------------------------------------------------------------------------------------------


def send_up(here: Scene, name: str, rows: list[int]) -> list[Task]:
    return upload(NAME, name, rows, store=here.store, settings=here.settings, now_ms=here.tick())


def test_an_uploaded_list_is_a_task_of_its_name(here: Scene) -> None:
    (task,) = send_up(here, "doubtful", [5, 3, 9])
    assert (task.name, task.rows, task.places, task.owner_only) == ("doubtful", (5, 3, 9), here.settings.votes, False)
    assert fill(here) == []


def test_a_longer_upload_becomes_several_tasks(here: Scene) -> None:
    tasks = send_up(here, "all", list(range(250)))
    assert [task.name for task in tasks] == [f"all ({number} of 6)" for number in range(1, 7)]
    assert sorted(row for task in tasks for row in task.rows) == sorted([*range(250), *range(250)])


def test_an_upload_sent_twice_is_asked_once(here: Scene) -> None:
    assert len(send_up(here, "n", [1, 2])) == 1
    assert send_up(here, "n", [1, 2]) == []


def test_an_upload_that_was_cut_off_is_finished_by_the_next(here: Scene) -> None:
    wishes(here, [4, 5], Purpose.UPLOAD)
    assert fill(here) == []
    assert [task.rows for task in send_up(here, "n", [4, 5])] == [(4, 5)]


def test_an_upload_outside_the_pool_is_refused_whole(here: Scene) -> None:
    with pytest.raises(BadInput, match=r"n: 1 of 2 images are not in the pool of car\. Next: thresher harvest car"):
        send_up(here, "n", [1, 9999])
    assert len(here.store.asks.open_rows(NAME, 1)) == 0
