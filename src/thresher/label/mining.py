"""Mining gold: a first task for the owner alone, whose answers become gold."""

from collections.abc import Sequence

import numpy as np

from thresher.label.asks import fill_tasks, fresh, wish
from thresher.label.gold import enough
from thresher.records import OWNER, Purpose, Task, Worker
from thresher.settings import Settings
from thresher.store.claims import TEXT, claim_of
from thresher.store.contract import Rows, Store


def have_owner(*, store: Store, now_ms: int) -> None:
    """Have the owner among the people, so that their personal link opens a page."""
    store.people.add(Worker(id=OWNER, name="", owner=True, invite="", created_ms=now_ms))


def let_owner_answer(category: str, *, store: Store, settings: Settings, now_ms: int) -> None:
    """Let the owner answer by a personal link; where gold is scarce, a task that finds some is made first."""
    have_owner(store=store, now_ms=now_ms)
    mine(category, store=store, settings=settings, now_ms=now_ms)


def mine(
    category: str,
    ranked: Sequence[int] | Rows | None = None,
    *,
    store: Store,
    settings: Settings,
    now_ms: int,
    size: int | None = None,
    seed: int | None = None,
) -> list[Task]:
    """Make a task for the owner alone that looks for gold; none if there is enough, or if one is open already.

    `ranked` are rows, the likeliest yes first (nearest to the examples). Without it the newest scores and those of the
    category's words rank the images, in turn; where there are neither, all are random. Half of the task is the top of
    the ranking and half is random, so that both a rare yes and an ordinary no are found. `size` is one task's images
    unless given.
    """
    version = store.categories.get(category).question.version
    open_counts = store.asks.open_counts(category, version)
    if enough(store.labels.gold(category, version), settings) or open_counts.get(Purpose.MINE_GOLD.value):
        return []
    wanted = settings.task_images if size is None else size
    known = store.labels.held(category, version).rows
    pool = np.setdiff1d(store.categories.pool(category), known)
    spread = np.random.default_rng(seed if seed is not None else settings.seed or None).permutation(pool)
    top = _ranked(category, version, pool, store) if ranked is None else np.asarray(ranked, np.int64)
    half = fresh(category, top[np.isin(top, pool)], store=store)[: wanted // 2]
    rows = fresh(category, np.concatenate([half, spread]), store=store)[:wanted]
    asks = [(row, float(wanted - place)) for place, row in enumerate(rows.tolist())]
    wish(category, asks, Purpose.MINE_GOLD, store=store, settings=settings)
    return fill_tasks(category, store=store, settings=settings, now_ms=now_ms)


def _ranked(category: str, version: int, pool: Rows, store: Store) -> Rows:
    """The rows that are scored, by turns the best of each ranking: either may be the one that finds a rare class."""
    rankings = [_by_score(category, version, pool, store), _by_text(category, pool, store)]
    both = [ranking for ranking in rankings if len(ranking)]
    if not both:
        return np.empty(0, np.int64)
    rank = np.concatenate([np.arange(len(ranking)) for ranking in both])
    rows = np.concatenate(both)[np.argsort(rank, kind="stable")]
    return rows[np.sort(np.unique(rows, return_index=True)[1])]


def _by_text(category: str, pool: Rows, store: Store) -> Rows:
    """The rows of the pool that the category's words scored, the best first; none without words."""
    claim = claim_of(category, TEXT, store=store)
    if claim is None or claim.scores is None:
        return np.empty(0, np.int64)
    scored = np.isfinite(claim.scores) & np.isin(claim.rows, pool)
    rows, scores = claim.rows[scored], claim.scores[scored]
    return rows[np.argsort(-scores, kind="stable")]


def _by_score(category: str, version: int, pool: Rows, store: Store) -> Rows:
    """The rows of the pool that the newest round scored, the highest first; none before a round."""
    newest = store.rounds.latest(category, version)
    if newest is None:
        return np.empty(0, np.int64)
    scores, present = store.columns.view(newest.column)
    there = pool[pool < len(present)]
    scored = there[present[there]]
    return scored[np.argsort(-scores[scored, 0], kind="stable")]
