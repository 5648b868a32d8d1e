"""The limit on a category's answers (its budget): how many are left, and tasks cut to what is left.

The store keeps the limit: a take reserves the most answers that its assignment can bring (store/contract/work.py), and
passes over a task that does not fit. Here the tasks that are left over then are cut, so that the last answers are used.
"""

from collections.abc import Sequence

import numpy as np

from thresher.label.asks import TASKS_LOOKED_AT, cut
from thresher.records import OWNER_ONLY, Category, Purpose, Task, Worker
from thresher.settings import Settings
from thresher.store.contract import Bounds, Rows, Store, Tally
from thresher.store.rules import MOST_IMAGES, most_asked


def answers_left(category: Category, *, store: Store) -> int | None:
    """How many answers are neither sent nor reserved by open assignments; None where they are not limited."""
    most = category.targets.answers
    if most is None:
        return None
    tally = store.categories.tally(category.name)
    return most - tally.answered - tally.reserved


def owners_asks(tally: Tally) -> int:
    """The open asks that wait for the owner alone, without those for gold: it serves people, who have to answer too."""
    alone = OWNER_ONLY - {Purpose.MINE_GOLD}
    return sum(count for purpose, count in tally.asks_open.items() if purpose in alone)


def spent_says(most: int, tally: Tally) -> str:
    """That a budget of `most` answers is spent, and on what, as a phrase."""
    said = f"the budget of {most:,} answers is spent: {tally.answered:,} answered"
    if tally.reserved:
        said = f"{said}, {tally.reserved:,} reserved by open assignments"
    left = most - tally.answered - tally.reserved
    return f"{said}, {left:,} left, too few for a task" if left > 0 else said


def nearly_spent(category: str, bounds: Bounds, *, store: Store) -> bool:
    """Whether too few answers are left for a task of any size."""
    return most_asked(answers_left(store.categories.get(category), store=store), bounds) < MOST_IMAGES


def cut_to_fit(category: str, worker: Worker, *, bounds: Bounds, store: Store, settings: Settings, now_ms: int) -> bool:
    """Cut a task that is larger than the answers left into the images that fit, and the rest.

    It does so only if none fits. The images that fit are those of the highest priority that the worker may be asked
    about; the owner's own tasks come first. A task with votes on it is not cut: if it is too large, or the worker has
    seen some of its images and nobody else has come for `settings.patience_seconds`, it ends with the votes it has, and
    the next settling asks for more where they do not suffice. Returns whether there is work now.
    """
    there = store.categories.get(category)
    most = most_asked(answers_left(there, store=store), bounds)
    if not 0 < most < MOST_IMAGES:
        return False
    version = there.question.version
    asked = store.work.asked(category, worker.id, *bounds.alike)
    for owner_only in (True, False) if worker.owner else (False,):
        free = store.asks.untaken(category, version, TASKS_LOOKED_AT, owner_only=owner_only)
        if any(len(task.rows) == len(_new(task, asked)) <= most for task in free):
            return True
        if found := _best(free, asked, most):
            return _cut(found, asked, most, store=store)
        for task in store.asks.untaken(category, version, TASKS_LOOKED_AT, owner_only=owner_only, partly=True):
            new, waits = len(_new(task, asked)), task.published_ms <= now_ms - settings.patience_seconds * 1000
            gives_way = len(task.rows) > most or (new < len(task.rows) and waits)
            if task.taken and new and gives_way:
                store.asks.close(task.number)
    return False


def _new(task: Task, asked: Rows) -> Rows:
    """The images of a task that were not asked about before."""
    rows = np.array(task.rows, np.int64)
    return rows[~np.isin(rows, asked)]


def _best(tasks: Sequence[Task], asked: Rows, most: int) -> Task | None:
    """The first of the tasks that are too large and have the most images that may be asked about, up to `most`."""
    fits = [(min(len(_new(task, asked)), most), task) for task in tasks if len(task.rows) > most]
    count, task = max(fits, key=lambda one: one[0], default=(0, None))
    return task if count else None


def _cut(task: Task, asked: Rows, most: int, *, store: Store) -> bool:
    """Publish the images of a task that fit apart from the others. True also if somebody took it just now."""
    seen = set(asked.tolist())
    carried = sorted(store.asks.of_task(task.number), key=lambda ask: (-ask.priority, ask.draw, ask.id))
    fit = {ask.id for ask in [ask for ask in carried if ask.row not in seen][:most]}
    return cut(task, lambda ask: ask.id in fit, store=store)
