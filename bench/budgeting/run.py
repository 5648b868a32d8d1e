"""One run of the product's own loop on a real store, with people who answer in simulated time. No server, no waiting.

People take an assignment when they are free (deal.py), and send it when the seconds of their answers are over; the gate
reviews it and the loop takes a turn, as beside a server. Every answer sent is counted here, whatever the store counts.
"""

import heapq
import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from budgeting.crowds import CROWDS, people_of
from budgeting.pools import NAME, Drawn, drawn, filled
from thresher.label.deal import deal, offer
from thresher.label.gate import review_all
from thresher.learn.decide import YES
from thresher.loop.decision import decision
from thresher.loop.forecast import plan
from thresher.loop.snapshot import in_force
from thresher.loop.turn import Turn, turn
from thresher.loop.ways import PROVEN
from thresher.records import OWNER, Assignment, Given, Stage, Targets, Worker
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.workforce.crowd import READING_SECONDS, SENDING_SECONDS, ModelCrowd, Person

PRECISION, RECALL, DELTA = 0.95, 0.90, 0.05
PEOPLE = 20
FINAL = ("done", "spent", "refused", "empty")
LATER = 400  # labels after the first round, at which it is planned once more
WAITS_MS = (1_000, 30_000, 60_000, 3_600_000, 3_600_000)  # looked at so long after each other where nobody works
MOST_TURNS = 5_000


@dataclass(frozen=True)
class Task:
    """One cell of the grid and its seed; `answers` None is no budget."""

    kind: str
    size: int
    method: str
    answers: int | None
    crowd: str
    seed: int

    @property
    def key(self) -> str:
        return f"{self.kind} {self.size} {self.method} {self.answers} {self.crowd} {self.seed}"


@dataclass
class Planned:
    """What was planned at a moment: the range of answers from there on, and those that had been given by then."""

    moment: str
    before: int
    low: float
    expected: float
    high: float
    says: str


@dataclass
class Outcome:
    """How a run ended.

    `answers` counts all of people and owner, `before_freeze` those of them before it, `gold` those on gold, `rejected`
    what the gate took out. `asked` has for each purpose the images that were asked about, and the answers that counted.
    """

    state: str = ""
    says: str = ""
    certified: bool = False
    answers: int = 0
    gold: int = 0
    owner: int = 0
    rejected: int = 0
    assignments: int = 0
    delivered: int = 0
    precision: float = 1.0
    recall: float = 0.0
    rounds: int = 0
    before_freeze: int = 0
    turns: int = 0
    hours: float = 0.0
    seconds: float = 0.0
    plans: list[Planned] = field(default_factory=list)
    asked: dict[str, tuple[int, int]] = field(default_factory=dict)


def one(task: Task, data: Path | None, work: Path) -> dict[str, object]:
    """One run, to be kept as JSON."""
    began = time.monotonic()
    pool = drawn(task.kind, task.size, task.seed, data, work)
    targets = Targets(PRECISION, RECALL, DELTA, task.answers, task.method)
    with tempfile.TemporaryDirectory() as place:
        store, settings = filled(Path(place), pool, task.seed, targets)
        run = _Run(task, pool, store, settings)
        run.to_the_end()
        store.close()
    run.done.seconds = time.monotonic() - began
    return asdict(run.done)


class _Run:
    """The clock, the people at work, and what is counted."""

    def __init__(self, task: Task, pool: Drawn, store: Store, settings: Settings) -> None:
        self.task, self.pool, self.store, self.settings = task, pool, store, settings
        self.now_ms = 1_000_000
        self.done = Outcome()
        self.order = itertools.count()
        made = CROWDS[task.crowd]
        crowd = ModelCrowd({str(row): bool(yes) for row, yes in enumerate(pool.yes)}, task.seed, errors=made.errors)
        self.people = {f"person {at}": one for at, one in enumerate(people_of(made, crowd, PEOPLE))}
        self.people[OWNER] = crowd.owner()
        self.workers = {name: Worker(name, name, name == OWNER, "", 1) for name in self.people}
        for worker in self.workers.values():
            store.people.add(worker)
        self.free = dict.fromkeys(self.people)
        self.at_work: list[tuple[int, int, str, Assignment, list[Given]]] = []
        self.moments = list(MOMENTS)
        self.labels_first: int | None = None

    def to_the_end(self) -> None:
        """Turns and answers until the loop ends, or nobody can go on."""
        waited = 0
        self._plan()
        came_to = Turn("asking", "")
        while self.done.turns < MOST_TURNS:
            came_to = self._turn()
            if came_to.state in FINAL:
                break
            self._plan()
            if not self.done.before_freeze and self.frozen():
                self.done.before_freeze = self.done.answers
            self._take()
            if self.at_work:
                waited = 0
                self._send()
            elif came_to.state == "learned":
                self.now_ms += 500
            elif waited == len(WAITS_MS):
                came_to = Turn("starved", came_to.says)
                break
            else:
                self.now_ms += WAITS_MS[waited]
                waited += 1
        while self.at_work:  # who is at work when the loop ends sends too: these answers are paid as well
            self._send()
        self._judge(came_to)

    def _turn(self) -> Turn:
        self.done.turns += 1
        return turn(
            NAME, store=self.store, settings=self.settings, now_ms=self.now_ms, seed=self.task.seed + self.done.turns
        )

    def _take(self) -> None:
        """Everybody who is free takes what there is for them; the owner only what waits for the owner alone."""
        for name in list(self.free):
            if name == OWNER and not self._waits_for_owner():
                continue
            work = deal(
                NAME, self.workers[name], store=self.store, settings=self.settings, now_ms=self.now_ms, seed=None
            )
            if work is not None:
                del self.free[name]
                self._begin(name, self.people[name], work)

    def _begin(self, name: str, person: Person, work: Assignment) -> None:
        looks = person.answer([str(place.row) for place in work.dealt])
        if person.leaves_after(len(looks)) is not None:
            return  # for good: the lease will end
        given = [Given(at, look.says, look.first_seconds, look.seconds, look.changes) for at, look in enumerate(looks)]
        seconds = READING_SECONDS + SENDING_SECONDS + sum(look.seconds for look in looks)
        self.done.hours += seconds / 3600
        heapq.heappush(self.at_work, (self.now_ms + int(1000 * seconds), next(self.order), name, work, given))

    def _waits_for_owner(self) -> bool:
        owner = self.workers[OWNER]
        task = offer(NAME, owner, store=self.store, settings=self.settings, now_ms=self.now_ms)
        return task is not None and task.owner_only

    def _send(self) -> None:
        """The next assignment that is finished is sent and reviewed."""
        self.now_ms, _, name, work, given = heapq.heappop(self.at_work)
        self.free[name] = None
        self.store.work.send(work.id, given, self.now_ms)
        reviewed = review_all(NAME, store=self.store, settings=self.settings, now_ms=self.now_ms)
        self.done.answers += len(given)
        self.done.assignments += 1
        self.done.owner += len(given) * (name == OWNER)
        self.done.gold += sum(place.ask is None for place in work.dealt)
        self.done.rejected += len(given) * any(one.verdict is Stage.REJECTED for one in reviewed)

    def _plan(self) -> None:
        """Plan at each moment that has come, where nothing but the promise ends the run."""
        if self.task.method not in PROVEN or self.task.answers is not None:
            return
        for moment in [name for name in self.moments if MOMENTS[name](self)]:
            self.moments.remove(moment)
            category = self.store.categories.get(NAME)
            made = plan(category, category.targets, store=self.store, settings=self.settings)
            span = made.answers
            self.done.plans.append(Planned(moment, self.done.answers, span.low, span.expected, span.high, made.from_))

    def rounds(self) -> int:
        newest = self.store.rounds.latest(NAME, 1)
        return newest.number if newest else 0

    def labels(self) -> int:
        return sum(self.store.categories.tally(NAME).labels.values())

    def frozen(self) -> bool:
        return in_force(self.store.categories.get(NAME), self.task.size, store=self.store) is not None

    def _judge(self, came_to: Turn) -> None:
        done, yes = self.done, self.pool.yes
        done.state, done.says, done.rounds = came_to.state, came_to.says, self.rounds()
        votes = self.store.labels.votes(NAME, 1)
        for purpose in sorted({vote.purpose.value for vote in votes}):
            of = [vote.row for vote in votes if vote.purpose.value == purpose]
            done.asked[purpose] = (len(set(of)), len(of))
        decided = decision(NAME, store=self.store)
        done.certified = decided.basis.certified is not None
        out = np.zeros(len(yes), np.bool_)
        out[decided.rows[decided.codes == YES]] = True
        done.delivered = int(out.sum())
        done.precision = float((out & yes).sum() / max(out.sum(), 1))
        done.recall = float((out & yes).sum() / max(yes.sum(), 1))


def _later(run: _Run) -> bool:
    if run.labels_first is None or run.frozen():
        return False
    return run.labels() >= run.labels_first + LATER


def _after_a_round(run: _Run) -> bool:
    if not run.rounds():
        return False
    run.labels_first = run.labels()
    return True


MOMENTS: dict[str, Callable[[_Run], bool]] = {
    "before any answer": lambda _: True,
    "after a round": _after_a_round,
    f"{LATER} labels later": _later,
    "at the freeze": _Run.frozen,
}
