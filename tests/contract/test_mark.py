"""The change mark of a category: every write of the contract that a turn or a page reads moves its part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, get_type_hints

import numpy as np
import pytest
from tests.contract.test_jobs import job
from tests.contract.test_rounds import a_round
from tests.contract.things import HOUR_MS, answers, category, given, images, new_image, publish, take, wishes
from tests.counting import PARTS as PARTS_OF_A_STORE

from thresher.errors import NotFound
from thresher.records import (
    Dealt,
    Gold,
    Invite,
    Label,
    NewImage,
    Origin,
    Purpose,
    Refusal,
    Release,
    Rendering,
    Review,
    RunningServer,
    Says,
    Source,
    Stage,
    Targets,
    Worker,
)
from thresher.store.contract import PARTS, Mark, Store
from thresher.store.kinds import CLAIM, GOLD, IMAGE, INVITE, JOB, KINDS, WORDS
from thresher.store.shapes import Kind, Line

REJECTED: Final = Review(Stage.REJECTED, "no", 900, weight=0.0)
ACCEPTED: Final = Review(Stage.ACCEPTED, "yes", 400)
WORKER: Final = Worker("w1", "Ada", owner=False, invite="i1", created_ms=1)
SERVER: Final = RunningServer("s1", "http://here", "here", 7, 1, 1)
WORD: Final = {"number": 1, "text": "a red car", "at_ms": 1}
CLAIMED: Final = {
    "name": "labels", "number": 1, "kind": "csv", "source": "", "rows": 1, "yes": 1, "scored": False, "at_ms": 1,
    "data": b"x", "seal": "",
}  # fmt: skip
LATE: Final = 10 * HOUR_MS
ALL: Final = " ".join(PARTS)
ALL_OF_ALL: Final = " ".join(f"{part}*" for part in PARTS)


@dataclass
class Scene:
    """A store with the categories car and dog, and the assignment that the steps are about."""

    store: Store
    held: str = ""

    def lease(self, worker: str) -> object:
        taken = take(self.store, worker)
        assert taken is not None
        self.held = taken.id
        return taken

    def deal(self) -> object:
        asked = self.store.asks.of_task(self.store.work.get(self.held).task)
        return self.store.work.set_dealt(self.held, [*(Dealt(ask.row, ask.id) for ask in asked), Dealt(4, None)])

    def draft(self) -> object:
        return self.store.work.draft(self.held, [given(0, Says.YES)], sequence=1, now_ms=150, lease_ms=HOUR_MS)

    def send(self) -> object:
        return self.store.work.send(self.held, answers(self.store.work.get(self.held)), 300)

    def lines(self, kind: Kind) -> list[Line]:
        return self.store.transfer.lines(kind, "car" if kind.of_category else "", None, 100)

    def free(self) -> int:
        return self.store.asks.untaken("car", 1, 1)[0].number


def by_reference(seed: int) -> NewImage:
    return replace(new_image(seed), data=None)


def gold(row: int = 4) -> Gold:
    return Gold(row, Says.YES, 1, Source.OWNER)


def label(row: int = 0) -> Label:
    return Label(row, Says.YES, Source.OWNER, Purpose.LEARN, 1, 9)


def matrix(scene: Scene) -> Callable[..., None]:
    scene.store.columns.create("features/tiny", 2)
    return scene.store.columns.write


def scores(scene: Scene) -> Callable[..., None]:
    scene.store.columns.create("scores/car/1", 1)
    return scene.store.columns.write


Step = Callable[[Scene], object]
# each write of the contract in an order in which all can be made, and what it moves: a part with * in every category,
# and nothing where nothing changes
WRITES: Final[tuple[tuple[str, str, Step], ...]] = (
    ("images.put", "", lambda s: images(s.store, 3, start=100)),
    ("images.put", "", lambda s: s.store.images.put([by_reference(7)])),
    ("images.put", "pool*", lambda s: s.store.images.put([new_image(7)])),  # it was known without its bytes
    ("renderings.keep", "", lambda s: s.store.renderings.keep(0, "600", Rendering(b"x", 0.1))),
    ("categories.create", "", lambda s: category(s.store, name="cat")),
    ("categories.pool_add", "pool", lambda s: s.store.categories.pool_add("car", [5], Origin("folder"))),
    ("categories.pool_add", "", lambda s: s.store.categories.pool_add("car", [5], Origin("folder"))),
    ("categories.refuse", "drafts", lambda s: s.store.categories.refuse("car", [Refusal("a", "small", "", 1)])),
    ("categories.refuse", "", lambda s: s.store.categories.refuse("car", [Refusal("a", "small", "", 1)])),
    ("categories.aim", "question", lambda s: s.store.categories.aim("car", Targets(precision=0.9))),
    ("categories.reword", "question", lambda s: s.store.categories.reword("car", "A car?", "", 8, version=1)),
    ("labels.hold", "labels", lambda s: s.store.labels.hold("car", [label(), label(1)])),
    ("labels.drop", "labels", lambda s: s.store.labels.drop("car", 1, "owner", [0])),
    ("labels.drop", "", lambda s: s.store.labels.drop("car", 1, "owner", [0])),
    ("labels.gild", "gold", lambda s: s.store.labels.gild("car", [gold(3), gold(4)])),
    ("labels.score_gold", "gold", lambda s: s.store.labels.score_gold("car", 1, [4], [3])),
    ("labels.retire_gold", "gold", lambda s: s.store.labels.retire_gold("car", 1, 3, "missed")),
    ("asks.wish", "asks", lambda s: s.store.asks.wish("car", 1, wishes([0]))),
    ("asks.wish", "", lambda s: s.store.asks.wish("car", 1, wishes([0]))),
    ("asks.publish", "asks", lambda s: publish(s.store, [0, 1])),
    ("asks.withdraw", "asks", lambda s: s.store.asks.withdraw(s.free())),
    ("asks.withdraw", "", lambda s: s.store.asks.withdraw(1)),
    ("asks.publish", "asks", lambda s: publish(s.store, [0, 1], places=4)),
    ("work.take", "asks", lambda s: s.lease("w1")),
    ("work.take", "", lambda s: s.lease("w1")),
    ("work.set_dealt", "asks", lambda s: s.deal()),
    ("work.set_dealt", "", lambda s: s.deal()),
    ("work.draft", "drafts", lambda s: s.draft()),
    ("work.give_back", "asks drafts", lambda s: s.store.work.give_back(s.held, 160)),
    ("work.give_back", "", lambda s: s.store.work.give_back(s.held, 160)),
    ("work.take", "asks", lambda s: s.lease("w1")),
    ("work.expire", "", lambda s: s.store.work.expire(200)),
    ("work.expire", "asks drafts", lambda s: s.store.work.expire(LATE)),
    ("work.take", "asks", lambda s: s.lease("w1")),
    ("work.set_dealt", "asks", lambda s: s.deal()),
    ("work.send", "asks drafts", lambda s: s.send()),
    ("work.send", "", lambda s: s.send()),
    ("work.review", "asks votes", lambda s: s.store.work.review(s.held, ACCEPTED)),
    ("work.review", "", lambda s: s.store.work.review(s.held, ACCEPTED)),
    ("work.judge_again", "asks votes", lambda s: s.store.work.judge_again(s.held, REJECTED, after=1, votes=True)),
    ("work.judge_again", "", lambda s: s.store.work.judge_again(s.held, REJECTED, after=1, votes=True)),
    ("asks.close", "asks", lambda s: s.store.asks.close(s.free())),
    ("work.take", "", lambda s: take(s.store, "w9")),  # nothing is left; how far the search went is no change
    ("people.invite", "people*", lambda s: s.store.people.invite(Invite("i1", "car", "", 1))),
    ("people.revoke", "people*", lambda s: s.store.people.revoke("i1", 2)),
    ("people.add", "people*", lambda s: s.store.people.add(WORKER)),
    ("people.add", "", lambda s: s.store.people.add(WORKER)),
    ("people.wait", "people*", lambda s: s.store.people.wait(WORKER, 3)),
    ("people.exclude", "people*", lambda s: s.store.people.exclude("w1", "why", 4)),
    ("people.admit", "people*", lambda s: s.store.people.admit("w1", 5)),
    ("people.seen", "people*", lambda s: s.store.people.seen("w1", "d1", 6)),
    ("people.seen", "", lambda s: s.store.people.seen("w1", "d1", 7)),
    ("columns.create", "", lambda s: matrix(s)),
    ("columns.write", "columns*", lambda s: matrix(s)("features/tiny", np.array([0, 1]), np.ones((2, 2)))),
    ("columns.drop", "columns*", lambda s: s.store.columns.drop("features/tiny")),
    ("columns.create", "", lambda s: scores(s)),
    ("columns.write", "columns", lambda s: scores(s)("scores/car/1", np.array([0]), np.ones((1, 1)))),
    ("rounds.add", "rounds", lambda s: s.store.rounds.add(a_round(1), b"head")),
    ("rounds.keep_evidence", "rounds", lambda s: s.store.rounds.keep_evidence("car", 1, "log", b"x")),
    ("rounds.keep_evidence", "", lambda s: s.store.rounds.keep_evidence("car", 1, "log", b"x")),
    ("rounds.add_release", "rounds", lambda s: s.store.rounds.add_release(Release("r1", "car", 1, 1, "out", 1, {}, 9))),
    ("lines.add", "question", lambda s: s.store.lines.add(CLAIM, [CLAIMED], "car")),
    ("lines.add", "question", lambda s: s.store.lines.add(WORDS, [WORD], "car")),
    ("lines.change", "question", lambda s: s.store.lines.change(WORDS, [1], {"text": "a car"}, "car")),
    ("lines.change", "", lambda s: s.store.lines.change(WORDS, [2], {"text": "a car"}, "car")),
    ("lines.drop", "question", lambda s: s.store.lines.drop(WORDS, [1], "car")),
    ("lines.drop", "", lambda s: s.store.lines.drop(WORDS, [1], "car")),
    # jobs, leases of processes and servers are nothing that a turn reads
    ("jobs.start", "", lambda s: s.store.jobs.start(job("j1"))),
    ("jobs.beat", "", lambda s: s.store.jobs.beat("j1", 20, done=1, total=2, message="")),
    ("jobs.began", "", lambda s: s.store.jobs.began("j1", "p", 21)),
    ("jobs.finish", "", lambda s: s.store.jobs.finish("j1", "done", "", 22)),
    ("jobs.cancel", "", lambda s: s.store.jobs.cancel("j1")),
    ("jobs.lease", "", lambda s: s.store.jobs.lease("loop", "me", 1, 100)),
    ("jobs.release", "", lambda s: s.store.jobs.release("loop", "me")),
    ("servers.keep", "", lambda s: s.store.servers.keep(SERVER)),
    ("servers.drop", "", lambda s: s.store.servers.drop("s1")),
    # repairs and copies
    ("transfer.restore", ALL, lambda s: s.store.transfer.restore(GOLD, "car", s.lines(GOLD))),
    ("transfer.restore", ALL_OF_ALL, lambda s: s.store.transfer.restore(INVITE, "", s.lines(INVITE))),
    ("transfer.restore_images", ALL_OF_ALL, lambda s: s.store.transfer.restore_images(s.lines(IMAGE)[:1], {})),
    ("transfer.amend", ALL, lambda s: s.store.transfer.amend(GOLD, "car", [1, 4], {"retired": "no"})),
    ("transfer.forget", ALL, lambda s: s.store.transfer.forget(GOLD, "car", [(1, 4)])),
    ("transfer.clear", ALL, lambda s: s.store.transfer.clear(GOLD, "car")),
    ("transfer.adopt", "", lambda s: s.store.transfer.adopt(s.store.secret())),
    ("transfer.settle", ALL_OF_ALL, lambda s: s.store.transfer.settle()),
)  # fmt: skip
READS: Final[Mapping[str, Step]] = {
    "images.alike": lambda s: s.store.images.alike(["f"]),
    "images.get": lambda s: s.store.images.get(0),
    "images.many": lambda s: s.store.images.many([0]),
    "images.find": lambda s: s.store.images.find(["folder/0.jpg"]),
    "images.aliases": lambda s: s.store.images.aliases([0]),
    "images.read": lambda s: s.store.images.read(0),
    "images.read_many": lambda s: list(s.store.images.read_many([0])),
    "images.page": lambda s: s.store.images.page(-1, 5),
    "images.count": lambda s: s.store.images.count(),
    "images.top": lambda s: s.store.images.top(),
    "images.similar": lambda s: s.store.images.similar(np.array([0])),
    "renderings.get": lambda s: s.store.renderings.get(0, "600"),
    "categories.get": lambda s: s.store.categories.get("car"),
    "categories.all": lambda s: s.store.categories.all(),
    "categories.questions": lambda s: s.store.categories.questions("car"),
    "categories.pool": lambda s: s.store.categories.pool("car"),
    "categories.pool_page": lambda s: s.store.categories.pool_page("car", -1, 5),
    "categories.pool_holds": lambda s: s.store.categories.pool_holds("car", [0]),
    "categories.find": lambda s: s.store.categories.find("car", ["folder/0.jpg"]),
    "categories.origins": lambda s: s.store.categories.origins("car", [0]),
    "categories.refusals": lambda s: s.store.categories.refusals("car", 0, 5),
    "categories.refusal_counts": lambda s: s.store.categories.refusal_counts("car"),
    "categories.tally": lambda s: s.store.categories.tally("car"),
    "categories.mark": lambda s: s.store.categories.mark("car"),
    "categories.marks": lambda s: s.store.categories.marks(),
    "labels.held": lambda s: s.store.labels.held("car", 1),
    "labels.all_of": lambda s: s.store.labels.all_of("car", 1),
    "labels.of": lambda s: s.store.labels.of("car", 1, [0]),
    "labels.gold": lambda s: s.store.labels.gold("car", 1),
    "labels.votes": lambda s: s.store.labels.votes("car", 1),
    "labels.voted": lambda s: s.store.labels.voted("car", 1),
    "labels.voters": lambda s: s.store.labels.voters("car", 1),
    "labels.gold_record": lambda s: s.store.labels.gold_record("car", 1, "w1"),
    "labels.gold_answers": lambda s: s.store.labels.gold_answers("car", 1),
    "asks.waiting": lambda s: s.store.asks.waiting("car", 1, 5),
    "asks.open_counts": lambda s: s.store.asks.open_counts("car", 1),
    "asks.open_rows": lambda s: s.store.asks.open_rows("car", 1),
    "asks.task": lambda s: s.store.asks.task(1),
    "asks.tasks": lambda s: s.store.asks.tasks("car", 0, 5),
    "asks.untaken": lambda s: s.store.asks.untaken("car", 1, 5),
    "asks.of_task": lambda s: s.store.asks.of_task(2),
    "work.offer": lambda s: s.store.work.offer("car", 1, "w5", owner=False),
    "work.get": lambda s: s.store.work.get(s.held),
    "work.seen_gold": lambda s: s.store.work.seen_gold("car", "w1"),
    "work.asked": lambda s: s.store.work.asked("car", "w1"),
    "work.drafts": lambda s: s.store.work.drafts(s.held),
    "work.unreviewed": lambda s: s.store.work.unreviewed("car"),
    "work.reviews": lambda s: s.store.work.reviews(s.held),
    "work.page": lambda s: s.store.work.page("car", "", 5),
    "work.of_worker": lambda s: s.store.work.of_worker("w1"),
    "people.invites": lambda s: s.store.people.invites(),
    "people.get_invite": lambda s: s.store.people.get_invite("i1"),
    "people.get": lambda s: s.store.people.get("w1"),
    "people.all": lambda s: s.store.people.all(),
    "people.joined": lambda s: s.store.people.joined("i1"),
    "people.came": lambda s: s.store.people.came(5),
    "people.devices": lambda s: s.store.people.devices(),
    "people.alike": lambda s: s.store.people.alike("w1"),
    "columns.missing": lambda s: (matrix(s), s.store.columns.missing("features/tiny", np.array([0]))),
    "columns.damaged": lambda s: (matrix(s), s.store.columns.damaged("features/tiny", np.array([0]))),
    "columns.view": lambda s: (matrix(s), s.store.columns.view("features/tiny")),
    "columns.names": lambda s: s.store.columns.names(),
    "rounds.head": lambda s: s.store.rounds.head("car", 1),
    "rounds.latest": lambda s: s.store.rounds.latest("car", 1),
    "rounds.all": lambda s: s.store.rounds.all("car"),
    "rounds.evidence": lambda s: s.store.rounds.evidence("car", 1, "log"),
    "rounds.epochs": lambda s: s.store.rounds.epochs("car"),
    "rounds.releases": lambda s: s.store.rounds.releases("car"),
    "jobs.get": lambda s: s.store.jobs.get("j1"),
    "jobs.all": lambda s: s.store.jobs.all(),
    "jobs.holder": lambda s: s.store.jobs.holder("loop", 1),
    "servers.all": lambda s: s.store.servers.all(),
    "lines.get": lambda s: s.store.lines.get(WORDS, [1], "car"),
    "lines.many": lambda s: s.store.lines.many(WORDS, [[1]], "car"),
    "lines.page": lambda s: s.store.lines.page(WORDS, "car"),
    "lines.count": lambda s: s.store.lines.count(WORDS, "car"),
    "lines.counted": lambda s: s.store.lines.counted(JOB),
    "transfer.lines": lambda s: s.lines(GOLD),
    "transfer.holding": lambda s: s.store.transfer.holding([s.store.images.get(0).sha256]),
}


def moved(before: Mark, after: Mark) -> set[str]:
    """The parts that moved, each only upwards."""
    steps = {part: getattr(after, part) - getattr(before, part) for part in PARTS}
    assert min(steps.values()) >= 0
    return {part for part, by in steps.items() if by}


def test_every_call_of_a_store_is_a_read_or_a_write_here() -> None:
    named = {f"{part}.{name}" for part, kind in get_type_hints(Store).items() if part in PARTS_OF_A_STORE
             for name, made in vars(kind).items() if callable(made) and not name.startswith("_")}  # fmt: skip
    assert {name for name, _, _ in WRITES} | READS.keys() == named


def test_every_write_moves_its_part_of_the_mark_for_everybody_and_no_read_does(store: Store, another: Store) -> None:
    category(store, 5)
    category(store, name="dog")
    scene = Scene(store)
    for name, parts, step in WRITES:
        before, of_dog = another.categories.mark("car"), another.categories.mark("dog")
        step(scene)
        assert moved(before, another.categories.mark("car")) == set(parts.replace("*", "").split()), name
        elsewhere = {part.rstrip("*") for part in parts.split() if part.endswith("*")}
        assert moved(of_dog, another.categories.mark("dog")) == elsewhere, name
    before = another.categories.mark("car")
    for name, read in READS.items():
        read(scene)
        assert moved(before, another.categories.mark("car")) == set(), name


def test_the_parts_of_a_turn_are_all_but_the_drafts() -> None:
    mark = Mark(**dict(zip(PARTS, range(1, len(PARTS) + 1), strict=True)), wakes_ms=99)
    assert mark.turn == tuple(range(1, len(PARTS)))
    assert mark.page == tuple(range(1, len(PARTS) + 1))
    assert replace(mark, drafts=77, wakes_ms=5).turn == mark.turn
    assert PARTS[-1] == "drafts"


def test_the_kinds_of_lines_name_parts_of_the_mark() -> None:
    assert {kind.mark for kind in KINDS if kind.mark} <= set(PARTS)
    unread = {"seen_file", "same_answer", "job", "lease", "server"}
    assert {kind.name for kind in KINDS if kind.generic and not kind.mark} == unread


def test_the_mark_tells_when_the_first_lease_of_the_category_ends(store: Store) -> None:
    category(store, 5)
    assert store.categories.mark("car").wakes_ms == 0
    publish(store, [0, 1], places=2)
    first, second = take(store, "w1", now_ms=100), take(store, "w2", now_ms=50)
    assert first is not None
    assert second is not None
    assert store.categories.mark("car").wakes_ms == second.lease_until_ms == HOUR_MS + 50
    store.work.give_back(second.id, 60)
    assert store.categories.mark("car").wakes_ms == first.lease_until_ms
    category(store, name="dog")
    assert store.categories.mark("dog").wakes_ms == 0
    assert store.categories.marks() == {name: store.categories.mark(name) for name in ("car", "dog")}
    assert list(store.categories.marks()) == ["car", "dog"]


def test_an_unknown_category_has_no_mark(store: Store) -> None:
    with pytest.raises(NotFound):
        store.categories.mark("car")


def test_a_mark_counts_nothing_that_a_check_compares(store: Store) -> None:
    category(store, 5)
    store.labels.hold("car", [label()])
    assert store.check(mend=False).found == ()
    before = store.categories.mark("car")
    store.transfer.settle()
    assert moved(before, store.categories.mark("car")) == set(PARTS)
    assert store.categories.tally("car").labels == {"yes": 1}


def test_a_write_that_fails_moves_nothing(store: Store) -> None:
    category(store, 5)
    before: Any = store.categories.mark("car")
    with pytest.raises(NotFound):
        store.labels.hold("car", [label(0), label(4711)])
    with pytest.raises(NotFound):
        store.categories.pool_add("car", [4711], Origin("folder"))
    assert store.categories.mark("car") == before
