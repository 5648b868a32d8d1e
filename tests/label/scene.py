"""A category with images, gold and workers in a real store, and what people do with it."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from thresher.harvest.similar import put_in_groups
from thresher.label.deal import deal
from thresher.label.gate import review_all
from thresher.records import (
    Assignment,
    Category,
    Given,
    Gold,
    NewAsk,
    NewImage,
    NewTask,
    Origin,
    Purpose,
    Question,
    Review,
    Says,
    Source,
    Task,
    Worker,
)
from thresher.settings import Settings
from thresher.store.contract import Store

NAME = "car"
SECONDS = 1.0


def truth(row: int) -> bool:
    """What every image of a scene is: a third are yes."""
    return row % 3 == 0


def says(yes: bool) -> Says:
    return Says.YES if yes else Says.NO


@dataclass
class Scene:
    """Everything a test of this room acts on; the clock moves a second with each act."""

    store: Store
    settings: Settings
    now_ms: int = 1_000_000
    people: dict[str, Worker] = field(default_factory=dict)

    def tick(self, milliseconds: int = 1000) -> int:
        self.now_ms += milliseconds
        return self.now_ms

    def images(self, count: int, *, fingerprint: Callable[[int], str] = lambda _: "") -> list[int]:
        """Put images into the pool; those with one fingerprint become one similar group."""
        before = self.store.images.count()
        batch = []
        for number in range(before, before + count):
            data = f"picture {number}".encode()
            sha256 = hashlib.sha256(data).hexdigest()
            batch.append(NewImage(sha256, data, 64, 48, "JPEG", fingerprint=fingerprint(number), bytes=len(data)))
        rows = put_in_groups(batch, store=self.store, same=lambda *_: True)
        self.store.categories.pool_add(NAME, rows, Origin("test"))
        return rows

    def gild(self, rows: Iterable[int]) -> None:
        gold = [Gold(row, says(truth(row)), 1, Source.OWNER) for row in rows]
        self.store.labels.gild(NAME, gold)

    def publish(self, rows: Iterable[int], *, places: int) -> Task:
        """One task of these images for several people."""
        wanted = [NewAsk(row, Purpose.LEARN, places) for row in rows]
        self.store.asks.wish(NAME, 1, wanted)
        of_rows = {ask.row for ask in wanted}
        asks = [ask.id for ask in self.store.asks.waiting(NAME, 1, 1000) if ask.row in of_rows]
        task = self.store.asks.publish(NAME, 1, NewTask(NAME, asks, self.now_ms, places=places))
        assert task is not None
        return task

    def worker(self, name: str, *, owner: bool = False) -> Worker:
        if name not in self.people:
            self.people[name] = Worker(name, name, owner, "", self.now_ms)
            self.store.people.add(self.people[name])
        return self.people[name]

    def deal(self, name: str, *, owner: bool = False) -> Assignment | None:
        return deal(NAME, self.worker(name, owner=owner), store=self.store, settings=self.settings, now_ms=self.tick())

    def must_deal(self, name: str, *, owner: bool = False) -> Assignment:
        assignment = self.deal(name, owner=owner)
        assert assignment is not None
        return assignment

    def send(self, assignment: Assignment, answer: Callable[[int], Says] = lambda row: says(truth(row))) -> Assignment:
        given = answers(assignment, answer)
        return self.store.work.send(assignment.id, given, self.tick())

    def review(self) -> list[Review]:
        return review_all(NAME, store=self.store, settings=self.settings, now_ms=self.tick())

    def work(self, name: str, answer: Callable[[int], Says] = lambda row: says(truth(row))) -> Review:
        """Deal, answer, send, review."""
        sent = self.send(self.must_deal(name), answer)
        self.review()
        review = self.store.work.get(sent.id).review
        assert review is not None
        return review


def answers(assignment: Assignment, answer: Callable[[int], Says]) -> list[Given]:
    return [Given(place, answer(dealt.row), SECONDS, SECONDS) for place, dealt in enumerate(assignment.dealt)]


def scene(store: Store, settings: Settings, *, images: int = 0, gold: Iterable[int] = ()) -> Scene:
    store.categories.create(Category(NAME, Question(1, "Is there a car?")))
    made = Scene(store, settings)
    if images:
        made.images(images)
    made.gild(gold)
    return made
