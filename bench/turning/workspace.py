"""A directory store with a large pool, and the votes of a simulated crowd on some of its images, written in bulk.

The images have no bytes. Each image that was asked about has three votes; the labels and the further asks that follow
from them are made by the real settling, the tasks for these by the real `fill_tasks`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thresher.label.asks import fill_tasks
from thresher.label.votes import settle
from thresher.records import (
    Alias,
    Assignment,
    Category,
    Dealt,
    Given,
    Gold,
    NewImage,
    Origin,
    Purpose,
    Question,
    Review,
    Says,
    Source,
    Stage,
    Targets,
    Worker,
)
from thresher.settings import read_settings
from thresher.store import open_store
from thresher.store.contract import Store, chunks
from thresher.store.conversions import review_line, sent_line
from thresher.store.kinds import ASSIGNMENT, GOLD_ANSWER, RECHECK, REVIEW, TASK, VOTE
from thresher.store.shapes import Kind

NAME = "bench"
VOTES_EACH = 3
TASK_IMAGES = 110
GOLD_EACH = 9  # of each answer in an assignment, as annotators with a good record get
GOLD = 60  # of each answer
YES = 0.1
RIGHT = (0.90, 0.99)  # how often people are right, drawn for each and for yes and no apart
PEOPLE = 100
IMAGES_AT_ONCE, LINES_AT_ONCE = 50_000, 2_000
BEGAN_MS, MINUTE_MS = 1_700_000_000_000, 60_000
WAITING = 50  # assignments, the last ones, that the gate will look at again


@dataclass(frozen=True)
class Crowd:
    """What the people of a workspace are like: the truth of every row, and how often each is right on yes and on no."""

    truth: np.ndarray
    names: Sequence[str]
    right: np.ndarray  # [people, 2]: on no, on yes

    def says(self, person: int, rows: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        """Whether a person says yes to each of the rows."""
        truth = self.truth[rows]
        correct = chance.random(len(rows)) < self.right[person, truth.astype(int)]
        return truth == correct


def build(
    folder: Path, images: int, votes: int, *, seed: int = 1, targets: Targets | None = None, settled: bool = True
) -> tuple[Store, Crowd]:
    """Make the workspace; returns it open, and its crowd. A million images and 200,000 votes take about a minute.

    The asked images are the first rows of the pool after the gold: about a third as many as `votes`. Unless `settled`,
    the votes have no labels yet.
    """
    settings = read_settings(folder, {})
    store = open_store(folder, settings, create=True)
    targets = targets or Targets(method="uncertainty")
    store.categories.create(Category(NAME, Question(1, "Is it?", at_ms=BEGAN_MS), targets, created_ms=BEGAN_MS))
    _put_images(store, images)
    chance = np.random.default_rng(seed)
    people = [f"person-{number:03}" for number in range(PEOPLE)]
    crowd = Crowd(chance.random(images) < YES, people, chance.uniform(*RIGHT, (PEOPLE, 2)))
    for name in people:
        store.people.add(Worker(name, name, False, "", BEGAN_MS))
    gold = _gild(store, crowd)
    asked = np.setdiff1d(np.arange(images), gold)[: votes // VOTES_EACH]
    written = _Written(store)
    for sent in _assignments(crowd, asked, gold, chance):
        written.keep(sent)
    written.end()
    store.transfer.settle()
    if settled:
        now_ms = BEGAN_MS + 10**9
        settle(NAME, store=store, settings=settings, now_ms=now_ms)
        fill_tasks(NAME, store=store, settings=settings, now_ms=now_ms)
    return store, crowd


def _put_images(store: Store, images: int) -> None:
    hashes = np.random.default_rng(0)
    for some in chunks(range(images), IMAGES_AT_ONCE):
        names = hashes.bytes(32 * len(some)).hex()
        batch = [
            NewImage(
                names[64 * place : 64 * (place + 1)],
                None,
                640,
                480,
                "JPEG",
                bytes=100_000,
                aliases=(Alias("url", f"https://images.example.org/{row}.jpg"),),
            )
            for place, row in enumerate(some)
        ]
        store.categories.pool_add(NAME, store.images.put(batch), Origin("bench", at_ms=BEGAN_MS))


def _gild(store: Store, crowd: Crowd) -> np.ndarray:
    rows = np.concatenate([np.flatnonzero(crowd.truth == yes)[:GOLD] for yes in (True, False)])
    store.labels.gild(NAME, [Gold(int(row), _says(crowd.truth[row]), 1, Source.OWNER) for row in rows])
    return np.sort(rows)


def _says(yes: bool) -> Says:
    return Says.YES if yes else Says.NO


def _assignments(
    crowd: Crowd, asked: np.ndarray, gold: np.ndarray, chance: np.random.Generator
) -> Iterator[Assignment]:
    """Every assignment as it was sent: tasks of 110 images in order, each of three people."""
    number = 0
    for task, rows in enumerate(np.split(asked, range(TASK_IMAGES, len(asked), TASK_IMAGES)), 1):
        first = 1 + (task - 1) * TASK_IMAGES
        for person in chance.choice(PEOPLE, VOTES_EACH, replace=False):
            hidden = np.concatenate(
                [chance.choice(gold[crowd.truth[gold] == yes], GOLD_EACH, replace=False) for yes in (True, False)]
            )
            shown = np.concatenate([rows, hidden])
            said = crowd.says(person, shown, chance)
            order = chance.permutation(len(shown)).tolist()
            dealt = [Dealt(int(shown[one]), first + one if one < len(rows) else None) for one in order]
            given = [Given(place, _says(said[one]), 0.8, 1.2) for place, one in enumerate(order)]
            at_ms = BEGAN_MS + number * MINUTE_MS
            yield Assignment(
                f"{number:08}-bench", task, NAME, 1, crowd.names[person], Stage.ACCEPTED, tuple(dealt), at_ms,
                at_ms + MINUTE_MS, at_ms + MINUTE_MS, tuple(given),
            )  # fmt: skip
            number += 1


class _Written:
    """The lines of sent assignments, with their tasks, reviews and votes, on their way into a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lines: dict[Kind, list[tuple[object, ...]]] = {}
        self.tasks = 0
        self.last: list[str] = []

    def keep(self, sent: Assignment) -> None:
        asked = {place.ask: (place.row, given.says) for place, given in zip(sent.dealt, sent.answers, strict=True)}
        asked.pop(None, None)
        if sent.task > self.tasks:
            self.tasks = sent.task
            asks = [[ask, row, Purpose.LEARN.value, 1, 0.0, 0, -1, 0] for ask, (row, _) in sorted(asked.items())]
            places = VOTES_EACH
            self._line(TASK, (sent.task, 1, NAME, places, places, places, False, sent.dealt_ms, asks, "single", "[]"))
        line = sent_line(sent, sent.answers, sent.sent_ms)
        dealt = [[place.row, place.ask] for place in sent.dealt]
        stage = Stage.ACCEPTED.value
        self._line(
            ASSIGNMENT,
            (
                sent.id, sent.task, 1, sent.worker, False, stage, dealt, sent.dealt_ms, sent.lease_until_ms,
                sent.sent_ms, line["answers"], 0, 0, [], 0, line["seal"],
            ),
        )  # fmt: skip
        review = Review(
            Stage.ACCEPTED, "Accepted, thank you.", sent.sent_ms, GOLD_EACH, GOLD_EACH, GOLD_EACH, GOLD_EACH
        )
        reviewed = review_line(sent, 1, review)
        self._line(REVIEW, tuple(reviewed[name] for name in REVIEW.names))
        purpose = Purpose.LEARN.value
        for row, says in asked.values():
            self._line(VOTE, (1, row, sent.sent_ms, sent.id, sent.worker, says.value, purpose, 1.0, 0, -1))
        for place, given in zip(sent.dealt, sent.answers, strict=True):
            if place.ask is None:
                self._line(GOLD_ANSWER, (1, place.row, sent.worker, sent.id, given.says.value))
        self.last = [*self.last[1 - WAITING :], sent.id]

    def _line(self, kind: Kind, line: tuple[object, ...]) -> None:
        self.lines.setdefault(kind, []).append(line)

    def end(self) -> None:
        for kind in (TASK, ASSIGNMENT, REVIEW, VOTE, GOLD_ANSWER):
            for some in chunks(self.lines.get(kind, []), LINES_AT_ONCE):
                self.store.transfer.restore(kind, NAME, some)
        self.store.lines.add(RECHECK, [{"assignment": one, "mark": ""} for one in self.last], NAME)
