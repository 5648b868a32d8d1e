"""Tasks that nobody may take: everybody who gets work was asked about each of their images before.

So it is where few people work: the gate rejected somebody's answers, or the owner excluded somebody, after the votes
were asked for. A task for further votes ends with the votes it has then, and the next settling leaves its images to the
owner. (A task of which somebody may answer a part is cut for them when they come: label/asks.py.)
"""

import math
from collections import Counter

from thresher.label.adjudicate import LEAD
from thresher.label.asks import TASKS_LOOKED_AT, cut
from thresher.label.independent import were_shown
from thresher.label.standing import annotators
from thresher.records import Ask, Category, Stage, Task
from thresher.settings import Settings
from thresher.store.contract import Store


def out_of_people(category: Category, *, store: Store, before_ms: float = math.inf) -> list[Task]:
    """The tasks, published before a time, that no annotator who has joined may take; none while assignments are open.

    None either if nobody has joined.
    """
    name, version = category.name, category.question.version
    tally = store.categories.tally(name)
    if not tally.tasks_open or tally.assignments.get(Stage.LEASED.value, 0):
        return []
    tasks = store.asks.untaken(name, version, TASKS_LOOKED_AT, partly=True)
    tasks = [task for task in tasks if task.published_ms <= before_ms]
    people = annotators(store=store) if tasks else set()
    for person in people:
        if tasks:  # else reading what the others were shown is for nothing
            shown = were_shown(name, person, store=store)
            tasks = [task for task in tasks if shown.issuperset(task.rows)]
    return tasks if people else []


def end_out_of_people(category: Category, *, store: Store, settings: Settings, now_ms: int) -> int:
    """End the tasks for further votes that no annotator may take; returns how many.

    Only tasks that have waited for `settings.patience_seconds` end, as somebody may join. Images that lack some of
    their first votes stay, however long: the owner invites others, or answers.
    """
    before_ms = now_ms - settings.patience_seconds * 1000
    in_vain = out_of_people(category, store=store, before_ms=before_ms)
    return sum(_end(task, settings.votes, store=store) for task in in_vain)


def _end(task: Task, first_votes: int, *, store: Store) -> bool:
    """End a task, or cut off first the images that lack some of their first votes."""
    votes = store.labels.votes(task.category, task.version, task.rows)
    counted, in_audits = Counter(vote.row for vote in votes), Counter(vote.row for vote in votes if vote.epoch > 0)

    def has_first_votes(ask: Ask) -> bool:
        return in_audits[ask.row] >= LEAD if ask.epoch > 0 else counted[ask.row] >= first_votes

    having = [has_first_votes(ask) for ask in store.asks.of_task(task.number)]
    if all(having):
        return store.asks.close(task.number)
    if any(having):
        cut(task, has_first_votes, store=store)
    return False
