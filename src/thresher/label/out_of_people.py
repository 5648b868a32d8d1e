"""Tasks for further votes that nobody may take: everybody who gets work was asked about their images before.

So it is where few people work: the gate rejected somebody's answers, or the owner excluded somebody, after the further
votes were asked for. Such a task ends with the votes it has, and the next settling leaves its images to the owner.
"""

from collections import Counter

from thresher.label.adjudicate import LEAD
from thresher.label.asks import cut, tasks_of
from thresher.label.independent import were_shown
from thresher.label.standing import annotators
from thresher.records import Ask, Category, Stage, Task
from thresher.settings import Settings
from thresher.store.contract import Store


def end_out_of_people(category: Category, *, store: Store, settings: Settings, now_ms: int) -> int:
    """End the tasks for further votes that no annotator may take; returns how many.

    Only tasks that have waited for `settings.patience_seconds` end, as somebody may join, and none while an assignment
    is open. Images that lack some of their first votes stay, however long: the owner invites others, or answers.
    """
    name, version = category.name, category.question.version
    tally = store.categories.tally(name)
    if not tally.tasks_open or tally.assignments.get(Stage.LEASED.value, 0):
        return 0
    before_ms = now_ms - settings.patience_seconds * 1000
    free = [task for task in tasks_of(name, version, store) if task.taken < task.places and not task.owner_only]
    free = [task for task in free if task.published_ms <= before_ms]
    people = annotators(store=store) if free else set()
    shown = [were_shown(name, person, store=store) for person in people]
    in_vain = [task for task in free if shown and all(seen.issuperset(task.rows) for seen in shown)]
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
    if any(having) and not task.taken:
        cut(task, has_first_votes, store=store)
    return False
