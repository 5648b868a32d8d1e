"""A workspace is copied between stores, both ways and whole; what was cut short goes on."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.contract import things
from tests.contract.conftest import BACKENDS, MARKS
from tests.contract.things import (
    answers,
    append_review,
    category,
    deal,
    finish,
    images,
    new_image,
    publish,
    take,
    wishes,
)
from tests.mongo_for_tests import replica_set

from thresher.errors import Conflict, StoreDamaged
from thresher.records import (
    Alias,
    Counts,
    Given,
    Gold,
    Invite,
    Job,
    Label,
    NewAsk,
    NewTask,
    Origin,
    Purpose,
    Refusal,
    Release,
    Review,
    Round,
    Says,
    Source,
    Stage,
    Targets,
    TaskKind,
    Thresholds,
    Worker,
)
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.claims import (
    AUDITED,
    ClaimedLabels,
    claim_of,
    claims_in_force,
    claims_of,
    keep_words,
    store_claim,
    words_of,
)
from thresher.store.contract import Store
from thresher.store.copy import copy_store

__all__ = ["replica_set"]

Opener = Callable[[str], Store]
HOUR_MS = things.HOUR_MS
DIRECTIONS = [
    pytest.param((here, there), marks=[*MARKS.get(here, []), *MARKS.get(there, [])], id=f"{here} to {there}")
    for here in BACKENDS
    for there in BACKENDS
]


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> Iterator[Opener]:
    """Makes an empty workspace of a kind."""
    made: list[Store] = []

    def make(kind: str) -> Store:
        path = tmp_path / f"{kind}{len(made)}"
        path.mkdir()
        made.append(open_store(BACKENDS[kind](request, path), settings.but(cache=str(path / "cache")), create=True))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture(params=DIRECTIONS)
def stores(request: pytest.FixtureRequest, fresh: Opener) -> tuple[Store, Store]:
    """A workspace in which everything has happened, and an empty one."""
    here, there = request.param
    source = fresh(here)
    fill(source)
    return source, fresh(there)


def fill(store: Store) -> None:
    """A little of everything that a workspace can hold."""
    rows = images(store, 24)
    alike = new_image(50, fingerprint="alike")
    store.images.put([alike, new_image(51, fingerprint="alike", similar=alike.sha256)])
    named = (Alias("url", "http://a/é"), Alias("file", "folder/3.jpg"))
    (namesake,) = store.images.put([new_image(60, data=None, bytes=9, aliases=named)])
    for name in ("car", "dog"):
        category(store, name=name)
        store.categories.pool_add(name, rows, Origin("folder", "cars", "CC0", 6), [f"q{row % 3}" for row in rows])
    store.categories.pool_add("dog", [namesake], Origin("tar", "", "", 4))
    store.categories.reword("dog", "Is it a dog, really?", "Look twice.", 8)
    store.categories.aim("car", Targets(0.9, 0.8, 0.1, 500, "cascade"))
    store.categories.aim("dog", Targets(0.9, 0.8, 0.1, method="certified", chosen="the cheapest: about 90 answers"))
    store.categories.refuse("car", [Refusal("a", "too small", "3 px", 5), Refusal("b", "no picture", "", 5)])
    publish(store, rows[:4], places=2)
    publish(store, rows[4:8], places=1)
    publish(store, rows[8:10], purpose=Purpose.MINE_GOLD)
    store.asks.wish("car", 1, wishes(rows[12:16], epoch=2, draw=7))
    asks = [ask.id for ask in store.asks.waiting("car", 1, 2)]
    assert store.asks.publish("car", 1, NewTask("swept", asks, 5, kind=TaskKind.SWEEP))
    store.asks.wish("dog", 2, [NewAsk(rows[3], Purpose.AUDIT_RECALL, 3, 1 / 3)])
    store.labels.gild("car", [Gold(row, Says.YES, 1, Source.OWNER, 3, 1, "old" * (row == 17)) for row in rows[16:18]])
    finish(store, "w1", gold=rows[16:17], yes_right=1, yes_shown=1, weight=0.5, verdict=Stage.WEIGHTED)
    finish(store, "w2", verdict=Stage.REJECTED, provisional=True)
    (decided,) = store.work.of_worker("w1")
    append_review(store, decided.id, Review(Stage.ACCEPTED, "looked again", 900, 1, 1, 0, 0, 1, False))
    held = deal(store, "w3", gold=rows[17:18])
    store.work.draft(held.id, answers(held)[:3], sequence=4, now_ms=300, lease_ms=HOUR_MS)
    store.work.give_back(deal(store, "w4").id, 400)
    sent = deal(store, "owner", owner=True)
    store.work.send(sent.id, [Given(place, Says.UNSURE, 0.25, 1, 2, 3, 4.5, ready=False) for place in range(2)], 500)
    store.labels.hold("car", [Label(rows[0], Says.YES, Source.CONSENSUS, Purpose.LEARN, 1, 9, 0.97, 2)])
    store.labels.hold("car", [Label(rows[0], Says.NO, Source.OWNER, Purpose.ADJUDICATE, 1, 10, epoch=1, draw=3)])
    store.people.add(Worker("w1", "Ann", False, "i1", 5))
    store.people.add(Worker("owner", "Me", True, "", 5))
    store.people.invite(Invite("i1", "car", "for Ann", 5))
    store.people.revoke("i1", 9)
    for name, dtype in (("features/x", "float16"), ("scores/car/1", "float32")):
        store.columns.create(name, 3, dtype)
        store.columns.write(name, np.array(rows[::2]), np.random.default_rng(1).random((12, 3)))
    measures = {"average_precision": 0.5}
    store.rounds.add(
        Round(1, "car", 1, "x", "scores/car/1", Thresholds(-1.5, 2.5), Counts(1, 2, 3), 4, 5, measures, "head", 9, 0.5),
        b"\0head",
    )
    store.rounds.keep_evidence("car", 1, "ranking", b"\1" * 70_000)
    store.rounds.keep_evidence("car", 2, "ranking", b"\2")
    store.rounds.add_release(Release("r1", "car", 1, 1, "out", 3, {"precision": 0.9}, 99))
    for name, yes, scores in ((AUDITED, 2, None), (AUDITED, 3, None), ("theirs", 1, [0.5, np.nan, -1.0, 0.25])):
        given = None if scores is None else np.array(scores, np.float32)
        claimed = ClaimedLabels(name, np.array(rows[:4]), np.arange(4) < yes, given, "aa" * 32, "csv", 9)
        store_claim("car", claimed, store=store)
    for text in ("a car", "a red car at night"):
        keep_words("dog", text, store=store, now_ms=9)
    store.jobs.start(Job("j1", "harvest", "car", {"a.b": [1, None], "$c": 2}, "done", "h", 1, 5, 6, 7, 8, True, "x"))


def seen(store: Store) -> dict[str, object]:
    """What the contract says of a workspace."""
    told: dict[str, object] = {
        "secret": store.secret(),
        "images": store.images.page(-1, 1000),
        "aliases": {row: set(them) for row, them in store.images.aliases(range(store.images.top())).items()},
        "found": store.images.find(["http://a/é", "folder/3.jpg", new_image(50).sha256]),
        "categories": store.categories.all(),
        "workers": store.people.all(),
        "invites": store.people.invites(),
        "jobs": store.jobs.all(),
        "columns": {
            name: [part[store.columns.view(name)[1]].tobytes() for part in store.columns.view(name)]
            for name in store.columns.names()
        },
    }
    for name in ("car", "dog"):
        rows = store.categories.pool(name).tolist()
        told[name] = [
            store.categories.questions(name), store.categories.find(name, ["folder/3.jpg", "http://a/e\u0301"]),
            rows, store.categories.origins(name, rows),
            store.categories.refusals(name, 0, 99), store.categories.refusal_counts(name), store.categories.tally(name),
            *([f(name, version) for f in (store.labels.all_of, store.labels.votes, store.labels.gold_answers,
               store.asks.open_counts)] for version in (1, 2)),
            store.labels.gold(name, 1, retired=True), store.asks.open_rows(name, 1).tolist(),
            [store.asks.waiting(name, version, 99, owner_only=owner) for version in (1, 2) for owner in (True, False)],
            [(task, store.asks.of_task(task.number)) for task in store.asks.tasks(name, 0, 99)],
            [(one, store.work.drafts(one.id), store.work.reviews(one.id)) for one in store.work.page(name, "", 99)],
            [(store.work.asked(name, w).tolist(), store.work.seen_gold(name, w).tolist(), store.work.of_worker(w),
              store.labels.gold_record(name, 1, w)) for w in ("w1", "w2", "w3", "w4", "owner")],
            [(one, store.rounds.head(name, one.number)) for one in store.rounds.all(name)], store.rounds.releases(name),
            [store.rounds.evidence(name, epoch, "ranking") for epoch in store.rounds.epochs(name)],
            claims_in_force(name, store=store), [claimed(name, one, store) for one in claims_of(name, store=store)],
            words_of(name, store=store),
        ]  # fmt: skip
    return told


def claimed(category: str, name: str, store: Store) -> tuple[object, ...]:
    """All that the store says of the labels in force under a name."""
    found = claim_of(category, name, store=store)
    assert found is not None
    scores = None if found.scores is None else found.scores.tobytes()
    return found.rows.tolist(), found.yes.tolist(), scores, found.source, found.kind, found.at_ms, found.number


def test_everything_is_the_same_in_the_copy(stores: tuple[Store, Store]) -> None:
    source, target = stores
    copied = copy_store(source, target)
    assert copied is not None
    for what, there in seen(source).items():
        assert seen(target)[what] == there, what
    full = [image for image in source.images.page(-1, 1000) if not image.reference]
    for image, found in zip(full, target.images.read_many([image.row for image in full]), strict=True):
        assert hashlib.sha256(found).hexdigest() == image.sha256
    report = target.check(mend=False)
    assert report.sound, report.found
    assert (copied.counts["image"], copied.counts["task car"], copied.counts["review car"]) == (27, 4, 3)
    assert (copied.counts["claim car"], copied.counts["words dog"]) == (2, 2)  # the newest of each name
    assert claims_of("car", store=target) == [AUDITED, "theirs"]
    assert words_of("dog", store=target) == "a red car at night"
    assert target.categories.get("dog").targets.chosen


def test_work_goes_on_in_the_copy_as_it_would_have_in_the_source(stores: tuple[Store, Store]) -> None:
    source, target = stores
    assert copy_store(source, target) is not None
    for store in stores:
        assert [image.row for image in store.images.alike(["alike"])[0]] == [24]
        later = new_image(70, fingerprint="alike", similar=new_image(51).sha256)
        assert store.images.put([new_image(3), later]) == [3, 27]
        assert store.images.similar(np.array([27])).tolist() == [24]
        store.categories.pool_add("car", [27], Origin("folder"))
        assert store.asks.wish("car", 1, wishes([12, 27], epoch=2)) == 1
        store.categories.refuse("car", [Refusal("a", "too small", "", 5), Refusal("c", "too small", "", 5)])
        publish(store, [20, 21])
        again = take(store, "w3", now_ms=600)
        assert again is not None
        store.work.send(again.id, answers(again), 700)
        assert take(store, "w3", now_ms=800) is not None
        assert store.check(mend=False).sound
    assert source.categories.tally("car") == target.categories.tally("car")
    assert [key for key, _ in source.categories.refusals("car", 0, 9)][:2] == [
        key for key, _ in target.categories.refusals("car", 0, 9)
    ][:2]


def test_a_copy_moves_every_part_of_the_marks_for_whoever_has_the_target_open(stores: tuple[Store, Store]) -> None:
    source, target = stores
    assert copy_store(source, target) is not None
    for mark in target.categories.marks().values():
        assert min(mark.page) > 0
        assert mark.page != source.categories.mark("car").page


def test_a_copy_that_was_cut_short_goes_on(stores: tuple[Store, Store]) -> None:
    source, target = stores
    asked = 0

    def after(turns: int) -> Callable[[], bool]:
        nonlocal asked
        asked = 0

        def stop() -> bool:
            nonlocal asked
            asked += 1
            return asked > turns

        return stop

    for turns in (0, 1, 3, 8, 15):
        assert copy_store(source, target, stop=after(turns)) is None
    images_there = target.images.top()
    assert copy_store(source, target) is not None
    assert images_there == target.images.count() == 27
    assert seen(target) == seen(source)


def test_what_the_source_dropped_since_an_earlier_try_is_not_in_the_copy(stores: tuple[Store, Store]) -> None:
    source, target = stores
    source.columns.create("scores/car/0", 1, "float32")  # of a round before the newest
    assert copy_store(source, target) is not None
    waiting = [ask.id for ask in source.asks.waiting("car", 1, 99)]
    assert source.asks.publish("car", 1, NewTask("late", waiting, 9, places=1))  # it holds them instead
    source.labels.drop("car", 1, Source.OWNER.value, [0])
    source.columns.drop("features/x")
    source.columns.create("features/x", 3)
    source.columns.write("features/x", np.array([1]), np.ones((1, 3)))
    source.columns.drop("scores/car/0")
    expired = source.work.expire(10 * HOUR_MS)
    assert expired == 1
    finish(source, "w9", now_ms=10 * HOUR_MS)
    assert copy_store(source, target) is not None
    assert seen(target) == seen(source)
    assert target.check(mend=False).sound


@pytest.mark.parametrize("how", ["a worker", "a sent assignment", "a release"])
def test_a_copy_that_was_worked_in_is_never_written_over(how: str, stores: tuple[Store, Store]) -> None:
    source, target = stores
    held = next(one for one in source.work.page("car", "", 99) if one.stage is Stage.LEASED and one.dealt)
    assert copy_store(source, target) is not None
    if how == "a worker":
        target.people.add(Worker("w99", "Eve", False, "", 1))
    elif how == "a sent assignment":
        target.work.send(held.id, things.answers(held), held.dealt_ms + 1)
    else:
        target.rounds.add_release(Release("r99", "car", 1, 1, "out", 3, {}, 99))
    with pytest.raises(Conflict, match="worked in since it was copied") as told:
        copy_store(source, target)
    assert "copy to a new place" in told.value.next
    if how == "a sent assignment":
        assert target.work.get(held.id).answers == tuple(things.answers(held))
    assert copy_store(target, source) is not None  # in the other direction nothing is lost


def test_another_workspace_is_never_written_over(stores: tuple[Store, Store]) -> None:
    source, target = stores
    category(target, 1, name="own")
    with pytest.raises(Conflict, match="another workspace"):
        copy_store(source, target)
    assert [one.name for one in target.categories.all()] == ["own"]


def test_a_picture_that_is_not_what_its_name_says_ends_the_copy(stores: tuple[Store, Store]) -> None:
    source, target = stores
    source.images.put([new_image(80, sha256=new_image(82).sha256)])
    with pytest.raises(StoreDamaged, match="do not match their hash"):
        copy_store(source, target)


def test_a_copy_tells_how_far_it_is(stores: tuple[Store, Store]) -> None:
    told: list[str] = []
    copy_store(*stores, report=lambda progress: told.append(progress.stage))
    assert {"copy images", "copy labels", "copy features/x", "compare", "compare images"} <= set(told)
