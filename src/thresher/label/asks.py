"""Asks and tasks: which images people are asked about, how many people each, and which images form a task.

A task mixes purposes, so that nobody can tell from it why an image is asked about. One image of a similar group stands
for all of it, and no group contains both a gold and an asked image. Where there is a task's worth of images, each vote
wanted on them goes into a task of another composition, so that asked images recur between people as gold does, and
nobody can copy a whole task.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from thresher.errors import BadInput
from thresher.label.compose import Before, alternating, compose, together
from thresher.label.standing import annotators
from thresher.records import OWNER_ONLY, Ask, Category, Gold, NewAsk, NewTask, Purpose, Task, Worker
from thresher.settings import Settings
from thresher.store.contract import Rows, Store, as_category, chunks
from thresher.store.groups import Labelled, groups_of, labelled_groups

# asked about even if the image is gold or was asked about before: the draw or the owner named exactly this image
NAMED = frozenset({Purpose.AUDIT_RECALL, Purpose.AUDIT_PRECISION, Purpose.ADJUDICATE, Purpose.UPLOAD})
MOST_ASKS = 100_000
PAGE = 1000
BEGINNERS = 9  # people who are counted on, as far as they have joined: three for a draw of which six have seen others
TASKS_LOOKED_AT = 200  # tasks that wait in vain, of which the one that suits somebody best is cut
ROWS_LOOKED_AT = 10_000  # rows at once, where one is sought that may be asked about


def unsettled(category: str, version: int, *, store: Store) -> Rows:
    """Rows with votes, but neither a label nor an open ask: `settle` (votes.py) gives them the one or the other."""
    # in this order: what is answered or settled in between is found in one place at least
    waiting, voted = store.asks.open_rows(category, version), store.labels.voted(category, version)
    labelled = store.labels.held(category, version).rows
    return np.setdiff1d(voted, np.concatenate([waiting, labelled]), assume_unique=True)


def fresh(category: Category | str, rows: Rows, *, store: Store) -> Rows:
    """Those of the rows, in order, that may be asked about: one per similar group, none like gold or an open ask.

    Nor is one like an image whose votes are not settled yet. Each image of a group whose labels contradict each other
    stands for itself.
    """
    wanted = np.asarray(rows, np.int64)
    labelled, taken = _taken(as_category(category, store=store), store)
    groups = labelled.apart(wanted, store.images.similar(wanted))
    _, first = np.unique(groups, return_index=True)
    one_each = np.zeros(len(groups), np.bool_)
    one_each[first] = True
    return wanted[one_each & ~np.isin(groups, taken)]


def askable(category: Category | str, rows: Rows, *, store: Store) -> bool:
    """Whether any of the rows may be asked about; it looks at no more of them than it takes to find one."""
    labelled, taken = _taken(as_category(category, store=store), store)
    groups = (labelled.apart(some, store.images.similar(some)) for some in chunks(rows, ROWS_LOOKED_AT))
    return any(not np.isin(some, taken).all() for some in groups)


def _taken(category: Category, store: Store) -> tuple[Labelled, Rows]:
    """The groups with a label, and the similar groups with gold, an open ask, or votes that are not settled yet."""
    name, version = category.name, category.question.version
    labelled = labelled_groups(store.labels.held(name, version), store=store)
    gold = np.array([piece.row for piece in store.labels.gold(name, version)], np.int64)
    # open asks first: an image whose last vote comes in between is found among the unsettled, or among these
    known = (gold, store.asks.open_rows(name, version), unsettled(name, version, store=store))
    rows = np.concatenate(known)
    return labelled, np.unique(labelled.apart(rows, store.images.similar(rows)))


def wish_first(
    category: Category | str,
    *,
    store: Store,
    settings: Settings,
    seed: int,
    now_ms: int,  # noqa: ARG001 -- every stage is handed the time
    size: int | None = None,
) -> int:
    """Ask about random images of the pool, `settings.first_images` unless given; returns how many asks are new.

    Images with a label are left out, so it may be called again when all first answers were the same.
    """
    category = as_category(category, store=store)
    known = store.labels.held(category.name, category.question.version).rows
    pool = np.setdiff1d(store.categories.pool(category.name), known)
    drawn = fresh(category, np.random.default_rng(seed).permutation(pool), store=store)
    asks = [(int(row), 0.0) for row in drawn[: size or settings.first_images]]
    return wish(category, asks, Purpose.LEARN, store=store, settings=settings)


def wish(
    category: Category | str,
    rows_with_priority: Sequence[tuple[int, float]],
    purpose: Purpose,
    *,
    store: Store,
    settings: Settings,
    votes_wanted: int | None = None,
) -> int:
    """Ask for answers on rows; returns how many asks are new.

    Rows like gold or like an open ask are left out, and those with votes, unless the purpose requires exactly these
    images. Asks `settings.votes` people per image, or the owner alone, unless `votes_wanted` is given. A task's worth
    of images or more gets an ask for each vote.
    """
    category = as_category(category, store=store)
    rows = np.array([row for row, _ in rows_with_priority], np.int64)
    allowed = set((rows if purpose in NAMED else fresh(category, rows, store=store)).tolist())
    # one answer is enough where the owner gives it
    votes = votes_wanted or (1 if purpose in OWNER_ONLY else settings.votes)
    seen = None if purpose in NAMED else 0
    asks = [
        NewAsk(row, purpose, votes, priority, votes_seen=seen) for row, priority in rows_with_priority if row in allowed
    ]
    return wish_apart(category.name, category.question.version, asks, store=store, settings=settings)


def wish_apart(category: str, version: int, asks: Sequence[NewAsk], *, store: Store, settings: Settings) -> int:
    """Add asks, those of several votes as an ask for each vote where they fill a task; how many images are new."""
    apart = [ask for ask in asks if ask.votes_wanted > 1]
    if len(apart) < settings.task_images:
        return store.asks.wish(category, version, asks)
    new = store.asks.wish(category, version, [replace(ask, votes_wanted=1) for ask in asks])
    for part in range(1, max(ask.votes_wanted for ask in apart)):
        further = [replace(ask, votes_wanted=1, part=part) for ask in apart if ask.votes_wanted > part]
        store.asks.wish(category, version, further)
    return new


def upload(
    category: str, name: str, rows: Sequence[int], *, store: Store, settings: Settings, now_ms: int
) -> list[Task]:
    """Make a named task of the owner's list (several of a long one), asking about one of each similar group.

    Rows that an earlier upload asks about already are left out. Gold stays gold: it is not asked about, but shown as
    gold in these tasks, as far as a task hides any (`known_of` says what is known). Raises BadInput for a row outside
    the pool.
    """
    version = store.categories.get(category).question.version
    outside = [row for row, held in zip(rows, store.categories.pool_holds(category, rows), strict=True) if not held]
    if outside:
        raise BadInput(
            f"{len(outside)} of {len(rows)} images are not in the pool of {category}.",
            where=name,
            next=f"thresher harvest {category} --folder ...",
        )
    known = known_of(category, rows, store=store)
    unknown = [row for row in rows if row not in known]
    held = store.labels.held(category, version)
    groups = groups_of(np.array(unknown, np.int64), held, store=store).tolist()
    first: dict[int, int] = {}
    for group, row in zip(groups, unknown, strict=True):
        first.setdefault(group, row)
    chosen = set(first.values())
    wish(category, [(row, 0.0) for row in first.values()], Purpose.UPLOAD, store=store, settings=settings)
    waiting = store.asks.waiting(category, version, MOST_ASKS)
    mine = [ask for ask in waiting if ask.purpose is Purpose.UPLOAD and ask.row in chosen]
    gold = sorted({piece.row for piece in known.values()})
    batches = alternating(compose(mine, settings.task_images, Before(), store.secret()))
    return _publish(category, version, name, batches, store=store, now_ms=now_ms, gold=gold)


def known_of(category: str, rows: Sequence[int], *, store: Store) -> dict[int, Gold]:
    """The gold in use that each of the rows is, or is similar to; rows that are not gold are left out."""
    version = store.categories.get(category).question.version
    gold = store.labels.gold(category, version)
    held = store.labels.held(category, version)
    groups = groups_of(np.array([piece.row for piece in gold], np.int64), held, store=store).tolist()
    of_group = dict(zip(groups, gold, strict=True))
    similar = groups_of(np.array(rows, np.int64), held, store=store).tolist()
    return {row: of_group[group] for row, group in zip(rows, similar, strict=True) if group in of_group}


def fill_tasks(
    category: Category | str,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    flush: bool = True,
    last: bool = False,
) -> list[Task]:
    """Put waiting asks into tasks of `settings.task_images` at most: purposes mixed, one number of votes per task.

    A task that is not full is published only with `flush`, and only when people have nothing else to do: every task
    costs its annotators the gold in it. So a few asks wait for more, at most `settings.patience_seconds` once no task
    is free. The `last` tasks that a budget pays wait for nothing: those that are free may be too large for anybody.
    """
    category = as_category(category, store=store)
    name, version = category.name, category.question.version
    made = []
    for owner_only in (False, True):
        waiting = store.asks.waiting(name, version, MOST_ASKS, owner_only=owner_only)
        # an uploaded list is published by upload() under its own name
        waiting = [ask for ask in waiting if ask.purpose is not Purpose.UPLOAD]
        if not waiting:
            continue
        wanting = 0.0 if last else 1.0
        if flush and not last:
            wanting = _wanting(name, version, owner_only, store=store, settings=settings, now_ms=now_ms)
        least = max(1, math.ceil(wanting * settings.task_images))
        if len(waiting) < least:
            continue
        before = _before(name, version, waiting, store)
        batches = alternating(compose(together(waiting), settings.task_images, before, store.secret()))
        full = [batch for batch in batches if len(batch) == settings.task_images]
        part = [] if full and not last else [batch for batch in batches if least <= len(batch) < settings.task_images]
        made += _publish(name, version, name, full + part, store=store, now_ms=now_ms)
    return made


def recompose_for(
    category: str, worker: Worker, *, partly: bool, store: Store, settings: Settings, now_ms: int
) -> bool:
    """Cut a task that waits in vain into the images that this worker may be asked about, and the rest.

    For one who finds no task: they, or somebody at their device, have seen some images of each, because those who took
    tasks of the same part have left, or because their answers were rejected. Only tasks are cut that nobody has taken
    for `settings.patience_seconds`; `partly`, also the free places of those that others have finished. Returns whether
    there is work now.
    """
    version = store.categories.get(category).question.version
    before_ms = now_ms - settings.patience_seconds * 1000
    waiting = store.asks.untaken(category, version, TASKS_LOOKED_AT, partly=partly)
    waiting = [task for task in waiting if task.published_ms <= before_ms and task.taken == task.done]
    if not waiting:
        return False
    asked = store.work.asked(category, worker.id, *store.people.alike(worker.id))
    stale = [(int((~np.isin(task.rows, asked)).sum()), task) for task in waiting]
    # where they have seen nothing, the budget keeps them from it; cut for nothing, it would wait anew for others too
    stale = [(new, task) for new, task in stale if new < len(task.rows)]
    fits, task = max(stale, key=lambda one: (one[0], -one[1].number), default=(0, None))
    if task is None or not fits:
        return False
    seen = set(asked.tolist())
    return cut(task, lambda ask: ask.row not in seen, store=store)


def cut(task: Task, wanted: Callable[[Ask], bool], *, store: Store) -> bool:
    """Cut a task that nobody holds in two: the asks that are wanted, and the others. Returns whether it was there.

    Of one that somebody has finished, the free places are cut. True also if somebody took it just now: the next look
    will tell. The parts have waited as long as the task: who is not known may take a small one as soon as it has waited
    in vain (deal.py).
    """
    carried = store.asks.of_task(task.number)
    if task.taken:
        carried = _asked_anew(task, carried, store=store)
    elif not store.asks.withdraw(task.number):
        return True
    parts = [[ask for ask in carried if wanted(ask)], [ask for ask in carried if not wanted(ask)]]
    made = [
        _publish(task.category, task.version, task.name, [some], store=store, now_ms=task.published_ms, gold=task.gold)
        for some in parts
        if some
    ]
    return bool(made)


def _asked_anew(task: Task, carried: Sequence[Ask], *, store: Store) -> list[Ask]:
    """Close the free places of a task, and ask for the votes that it lacks anew; returns these asks.

    None if somebody took a place just now. Killed in between, the next settling asks about what the votes leave open.
    """
    if any(ask.purpose is Purpose.UPLOAD for ask in carried) or not store.asks.close(task.number):
        return []
    lacking = task.places - task.taken
    anew = [NewAsk(ask.row, ask.purpose, lacking, ask.priority, ask.epoch, ask.draw, part=ask.part) for ask in carried]
    store.asks.wish(task.category, task.version, anew)
    waiting = store.asks.waiting(task.category, task.version, MOST_ASKS)
    alike = {(ask.row, ask.purpose, ask.epoch, ask.part) for ask in anew}
    return [ask for ask in waiting if (ask.row, ask.purpose, ask.epoch, ask.part) in alike]


def _before(category: str, version: int, asks: Sequence[Ask], store: Store) -> Before:
    voters: dict[int, set[str]] = defaultdict(set)
    for vote in store.labels.votes(category, version, sorted({ask.row for ask in asks})):
        voters[vote.row].add(vote.worker)
    if not voters:
        return Before()
    # those who work here, not everybody who once opened a link; but while these are few, others begin
    people = len(store.labels.voters(category, version))
    people = max(people, min(len(annotators(store=store)), BEGINNERS))
    return Before({row: frozenset(some) for row, some in voters.items()}, people)


def _publish(
    category: str,
    version: int,
    name: str,
    batches: Sequence[Sequence[Ask]],
    *,
    store: Store,
    now_ms: int,
    gold: Sequence[int] = (),
) -> list[Task]:
    """Publish batches as tasks; if another process took an ask of a batch, the batch is left to the next call."""
    made = []
    for number, batch in enumerate(batches, 1):
        wanted = NewTask(
            name if len(batches) == 1 or name == category else f"{name} ({number} of {len(batches)})",
            [ask.id for ask in batch],
            now_ms,
            places=batch[0].votes_wanted,
            owner_only=batch[0].purpose in OWNER_ONLY,
            gold=gold,
        )
        task = store.asks.publish(category, version, wanted)
        if task is not None:
            made.append(task)
    return made


def tasks_of(category: str, version: int, store: Store) -> Iterator[Task]:
    """Every task of a version of the question, but for those that were withdrawn."""
    after = -1
    while page := store.asks.tasks(category, after, PAGE):
        after = page[-1].number
        yield from (task for task in page if task.version == version and task.places)


def still_wanted(category: str, version: int, *, store: Store) -> int:
    """The votes that open asks are still going to get, without those of assignments that somebody holds."""
    tasks = sum(len(task.rows) * (task.places - task.taken) for task in tasks_of(category, version, store))
    waiting = (store.asks.waiting(category, version, MOST_ASKS, owner_only=owner_only) for owner_only in (False, True))
    return tasks + sum(ask.votes_wanted for some in waiting for ask in some)


def _wanting(category: str, version: int, owner_only: bool, *, store: Store, settings: Settings, now_ms: int) -> float:
    """How full a task must be to be published: 1 while tasks are free, 0.5 soon after the last one, later 0."""
    if store.asks.untaken(category, version, 1, owner_only=owner_only, partly=True):
        return 1.0
    unfinished, newest = False, -math.inf
    for task in tasks_of(category, version, store):
        if task.owner_only is owner_only:
            unfinished |= task.done < task.places
            newest = max(newest, task.published_ms)
    patience_ms = settings.patience_seconds * 1000
    return 0.0 if not unfinished or now_ms - newest >= patience_ms else 0.5
