"""What the console asks for, over HTTP, on a real server and a real store."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from tests.server.conftest import Clock
from tests.server.people import Pool, add_category, add_pictures, answer, entries
from tests.serving import Served

from thresher.client import WorkerClient
from thresher.errors import AlreadyThere, BadInput, NotFound
from thresher.records import (
    Counts,
    Decision,
    Job,
    Label,
    Purpose,
    Refusal,
    Round,
    Says,
    Source,
    Thresholds,
    now_ms,
)
from thresher.server.wire import NewCategory, Picture, TargetsWire
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.links import Links


def add_round(store: Store, pool: Pool) -> None:
    """A round whose scores go up by row: a quarter no, a half unknown, a quarter yes."""
    rows = np.array(pool.rows)
    column = f"scores/{pool.name}/1"
    store.columns.create(column, 1, "float32")
    store.columns.write(column, rows, np.arange(len(rows), dtype=np.float32)[:, None])
    quarter = len(rows) // 4
    store.rounds.add(
        Round(
            number=1,
            category=pool.name,
            version=1,
            backbone="efficientnet-lite0",
            column=column,
            thresholds=Thresholds(lower=quarter, upper=3 * quarter),
            counts=Counts(yes=quarter, no=quarter, unknown=2 * quarter),
            labels_yes=6,
            labels_no=6,
            measures={"average_precision": 0.9},
            head="",
            at_ms=5,
            seconds=0.5,
        ),
        b"head",
    )


def all_pictures(server: Served, decision: Decision | None, limit: int) -> list[Picture]:
    """Every page, one after the other."""
    found: list[Picture] = []
    after: int | None = None
    for _ in range(1000):
        page = server.console.pictures("car", decision=decision, after=after, limit=limit)
        assert len(page.pictures) <= limit
        found += page.pictures
        after = page.after
        if after is None:
            return found
    raise AssertionError("the pages do not end")


def test_a_category_is_added_and_shown(server: Served) -> None:
    made = server.console.add_category(
        NewCategory(name="bus", question="Is this a bus?", instructions="Look.", targets=TargetsWire(precision=0.9))
    )
    assert (made.name, made.question, made.version, made.targets.precision) == ("bus", "Is this a bus?", 1, 0.9)
    assert [category.name for category in server.console.categories()] == ["bus", "car"]
    assert server.console.category("bus") == made
    assert made.waits_for == "pictures: run `thresher harvest bus --folder ...`"
    with pytest.raises(AlreadyThere):
        server.console.add_category(NewCategory(name="bus", question="Is it?"))


def test_a_category_with_an_unknown_method_is_refused_with_the_known_ones(server: Served) -> None:
    with pytest.raises(BadInput, match="magic") as refused:
        server.console.add_category(
            NewCategory(name="bus", question="Is this a bus?", targets=TargetsWire(method="magic"))
        )
    assert "cascade" in refused.value.next


@pytest.mark.parametrize("name", ["", "Car", "../car", "a b", "x" * 65, "-x"])
def test_a_category_cannot_have_a_name_that_is_no_name(server: Served, name: str) -> None:
    answer = server.http.post(
        "/api/console/categories",
        json={"name": name, "question": "Is this a bus?"},
        headers={"Authorization": f"Bearer {server.token}"},
    )
    assert answer.status_code == 422


def test_a_category_nobody_has_is_not_found_wherever_it_is_asked_for(server: Served) -> None:
    console = server.console
    calls: list[Callable[[], object]] = [
        lambda: console.category("dog"),
        lambda: console.pictures("dog"),
        lambda: console.rounds("dog"),
        lambda: console.refusals("dog"),
        lambda: console.workers("dog"),
        lambda: console.tasks("dog"),
        lambda: console.owner_link("dog"),
        lambda: console.add_invite("dog"),
        lambda: console.upload_task("dog", "mine", ["x"]),
        lambda: console.category("../../etc/passwd"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()


def test_a_category_tells_what_it_has_and_what_it_waits_for(
    server: Served, worker: WorkerClient, store: Store, pool: Pool
) -> None:
    category = server.console.category("car")
    assert (category.images, category.yes, category.no, category.unknown) == (32, 0, 0, 32)
    assert (category.gold_yes, category.gold_no, category.tasks_open, category.rounds) == (6, 6, 2, 0)
    assert category.asks_open == {"learn": 20}
    assert category.waits_for == "2 tasks wait for workers"
    work = worker.deal("car")
    assert work is not None
    answer(worker, work, store, pool)
    category = server.console.category("car")
    assert (category.answers, category.gold_answers, category.assignments["accepted"]) == (10, 8, 1)
    assert category.waits_for == "1 task waits for workers"


def test_a_category_whose_loop_runs_says_so(server: Served, store: Store) -> None:
    assert not server.console.category("car").loop_running
    store.jobs.lease("loop/car", "somebody", now_ms(), 60_000)
    assert server.console.category("car").loop_running


def test_a_round_is_shown_with_its_counts(server: Served, store: Store, pool: Pool) -> None:
    assert server.console.rounds("car") == []
    add_round(store, pool)
    (done,) = server.console.rounds("car")
    assert (done.number, done.yes, done.no, done.unknown, done.lower, done.upper) == (1, 8, 8, 16, 8.0, 24.0)
    assert done.measures == {"average_precision": 0.9}
    category = server.console.category("car")
    assert (category.yes, category.no, category.unknown, category.rounds) == (8, 8, 16, 1)
    add_pictures(store, "car", 3, first_seed=900)
    assert server.console.category("car").unknown == 19


@pytest.mark.parametrize("limit", [1, 3, 8, 50])
def test_pages_of_a_decision_hold_each_of_its_pictures_once(
    server: Served, store: Store, pool: Pool, limit: int
) -> None:
    add_round(store, pool)
    whole = all_pictures(server, None, limit)
    assert [picture.row for picture in whole] == pool.rows
    split = {decision: [picture.row for picture in all_pictures(server, decision, limit)] for decision in Decision}
    assert {decision: len(rows) for decision, rows in split.items()} == {"yes": 8, "no": 8, "unknown": 16}
    assert sorted(row for rows in split.values() for row in rows) == pool.rows
    for picture in whole:
        assert picture.decision is not None
        assert picture.row in split[picture.decision]
        assert picture.score == pool.rows.index(picture.row)


def test_a_label_wins_over_a_score_in_the_pages_too(server: Served, store: Store, pool: Pool) -> None:
    add_round(store, pool)
    store.labels.hold("car", [Label(pool.rows[0], Says.YES, Source.OWNER, Purpose.LEARN, 1, 1)])
    first = server.console.pictures("car", limit=1).pictures[0]
    assert (first.decision, first.label, first.source) == (Decision.YES, Says.YES, "owner")
    assert first.row in [picture.row for picture in all_pictures(server, Decision.YES, 50)]


def test_before_a_round_everything_without_a_label_is_unknown(server: Served) -> None:
    page = server.console.pictures("car", limit=5)
    assert {picture.score for picture in page.pictures} == {None}
    assert len(all_pictures(server, Decision.UNKNOWN, 7)) == 32


def test_a_picture_is_named_by_its_file_and_shown_small(server: Served, pool: Pool, store: Store) -> None:
    picture = server.console.pictures("car", limit=1).pictures[0]
    assert (picture.file, picture.width, picture.height) == ("car/0000.jpg", 64, 48)
    assert picture.sha256 == store.images.get(pool.rows[0]).sha256
    answer = server.http.get(picture.thumbnail)  # no token: the address is the permission
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (64, 48)
    assert server.console.pictures("car", limit=1).pictures[0].thumbnail == picture.thumbnail


def test_a_thumbnails_address_ends_and_cannot_be_made_up(
    server: Served, worker: WorkerClient, clock: Clock, store: Store
) -> None:
    address = server.console.pictures("car", limit=1).pictures[0].thumbnail
    work = worker.deal("car")
    assert work is not None
    workers_key = work.pictures[0].rpartition("/")[2]
    for wrong in (workers_key, "0.9999999999999", "x", "..%2f..%2fcatalog.sqlite", "%2e%2e"):
        assert server.http.get(f"/api/console/thumbnails/{wrong}").status_code in (401, 404)
    beyond = Links(store.secret()).thumbnail(10**6, 2**50)
    assert server.http.get(f"/api/console/thumbnails/{beyond}").status_code == 404
    clock.pass_minutes(60 * 24 * 2)
    assert server.http.get(address).status_code == 410


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=-1", "after=1e30", "decision=maybe"])
def test_a_page_that_cannot_be_is_refused(server: Served, query: str) -> None:
    answer = server.http.get(
        f"/api/console/categories/car/pictures?{query}",
        headers={"Authorization": f"Bearer {server.token}"},
    )
    assert answer.status_code == 422
    assert answer.json()["where"] == f"query: {query.partition('=')[0]}"


def test_a_page_beyond_the_last_is_empty(server: Served) -> None:
    assert server.console.pictures("car", after=2**53 - 1).pictures == []
    assert server.console.tasks("car", after=2**53 - 1) == []
    assert server.console.refusals("car", after=2**53 - 1).refusals == []


def test_refusals_are_counted_and_listed_page_by_page(server: Served, store: Store) -> None:
    store.categories.refuse(
        "car", [Refusal(f"{number}.jpg", "empty" if number % 2 else "no picture", "why", 7) for number in range(5)]
    )
    first = server.console.refusals("car", limit=3)
    assert first.counts == {"empty": 2, "no picture": 3}
    assert first.after is not None
    second = server.console.refusals("car", after=first.after, limit=3)
    assert [refusal.name for refusal in first.refusals + second.refusals] == [f"{number}.jpg" for number in range(5)]
    assert second.after is None


def test_a_worker_is_shown_with_gold_and_tempo(server: Served, worker: WorkerClient, store: Store, pool: Pool) -> None:
    work = worker.deal("car")
    assert work is not None
    (before,) = server.console.workers()
    assert (before.assignments, before.seconds, before.name) == (0, None, "Ada")
    answer(worker, work, store, pool)
    (after,) = server.console.workers("car")
    assert (after.assignments, after.accepted, after.rejected, after.answers) == (1, 1, 0, 18)
    assert (after.gold_right, after.gold_shown, after.seconds) == (8, 8, 1.5)
    assert server.console.workers() == [after]


def test_a_worker_is_shown_only_where_they_worked(server: Served, worker: WorkerClient, store: Store) -> None:
    add_category(store, "dog")
    worker.deal("car")
    assert server.console.workers("dog") == []
    assert len(server.console.workers("car")) == 1


def test_an_invite_carries_its_note_and_a_link_that_works(server: Served) -> None:
    made = server.console.add_invite("car", "for the students")
    assert (made.category, made.note, made.revoked) == ("car", "for the students", False)
    assert made.link.startswith(f"{server.url}/join/")
    assert server.console.invites() == [made]
    assert WorkerClient.join(made.link).me().offers[0].category == "car"


def test_a_public_address_stands_in_every_link(store: Store, small: Settings, pool: Pool) -> None:
    from tests.serving import serving

    with serving(store, small.but(public_url="https://labels.example.org/")) as served:
        assert served.console.add_invite().link.startswith("https://labels.example.org/join/")
        assert served.console.owner_link("car").startswith("https://labels.example.org/work#t=")


def test_the_owners_first_task_mines_gold_where_there_is_none(server: Served, store: Store) -> None:
    add_category(store, "dog")
    add_pictures(store, "dog", 12, first_seed=300)
    owner = WorkerClient.from_link(server.console.owner_link("dog"))
    assert server.console.category("dog").waits_for.endswith("open the owner's task")
    work = owner.deal("dog")
    assert work is not None
    assert [task.owner_only for task in server.console.tasks("dog")] == [True]
    owner.send(work.token, entries(work, lambda position: Says.YES if position % 2 else Says.NO))
    category = server.console.category("dog")
    assert category.gold_yes + category.gold_no == len(work.pictures)
    assert category.owner_answers == len(work.pictures)


def test_nobody_but_the_owner_is_dealt_the_owners_task(server: Served, worker: WorkerClient, store: Store) -> None:
    add_category(store, "dog")
    add_pictures(store, "dog", 12, first_seed=300)
    server.console.owner_link("dog")
    assert worker.deal("dog") is None
    assert "dog" not in [offer.category for offer in worker.me().offers]


def test_a_list_of_pictures_becomes_a_named_task_and_what_nobody_has_is_told(
    server: Served, store: Store, pool: Pool
) -> None:
    add_category(store, "dog")
    (elsewhere,) = add_pictures(store, "dog", 1, first_seed=700)
    by_sha256 = store.images.get(pool.rows[0]).sha256
    other_pool = store.images.get(elsewhere).sha256
    made = server.console.upload_task(
        "car", "look again", [by_sha256, "car/0001.jpg", "car/0001.jpg", "car/0002.jpg", "nobody.jpg", other_pool]
    )
    assert (made.images, made.unknown, made.unknown_names) == (3, 2, ["nobody.jpg", other_pool])
    task = next(task for task in server.console.tasks("car") if task.number in made.tasks)
    assert task.name.startswith("look again")
    assert (task.images, task.taken, task.owner_only) == (3, 0, False)


def test_a_longer_list_becomes_several_tasks(server: Served, pool: Pool) -> None:
    made = server.console.upload_task("car", "all of them", [f"car/{seed:04}.jpg" for seed in range(25)])
    assert made.images == 25
    assert [task.images for task in server.console.tasks("car") if task.number in made.tasks] == [10, 10, 5]


def test_jobs_are_shown_and_can_be_asked_to_stop(server: Served, store: Store) -> None:
    store.jobs.start(Job("j1", "loop", "car", {}, "running", "here", 1, 5, 5))
    store.jobs.beat("j1", 6, done=3, total=9, message="embedding")
    (job,) = server.console.jobs()
    assert (job.id, job.state, job.done, job.total, job.message) == ("j1", "running", 3, 9, "embedding")
    assert server.console.cancel_job("j1").id == "j1"
    assert store.jobs.get("j1").cancel
    with pytest.raises(NotFound):
        server.console.cancel_job("nobody")
