"""Before the audit of labels with scores: the most doubtful ones, shown to the owner to mend errors, not as evidence.

They are not drawn at random, so they prove nothing. What the owner says of them is known at the freeze: the audit draws
from the others, and the wrong ones are in the claim no more.
"""

from collections.abc import Sequence

import numpy as np

from thresher.label.asks import fill_tasks, wish
from thresher.loop.turn import CHANGED, Turn, listen
from thresher.records import Category, Purpose
from thresher.settings import Settings
from thresher.store.claims import claim_of
from thresher.store.contract import Rows, Store


def doubtful(category: str, count: int, *, store: Store) -> Rows:
    """The `count` claimed rows with the lowest scores, the lowest first.

    None where scores order nothing, as they are all equal, or where nothing else would be left to audit.
    """
    claim = claim_of(category, store=store)
    none = np.empty(0, np.int64)
    if claim is None or claim.scores is None:
        return none
    rows, scores = claim.claimed, claim.scores[claim.yes]
    known = ~np.isnan(scores)
    if not known.any() or scores[known].min() == scores[known].max() or count >= len(rows):
        return none
    order = np.argsort(scores[known], kind="stable")[:count]
    found: Rows = rows[known][order]
    return found


def mend_first(
    category: Category, rows: Sequence[int], *, store: Store, settings: Settings, now_ms: int
) -> Turn | None:
    """Ask the owner about these rows, as far as they have no label; None when nothing is left to ask."""
    name, version = category.name, category.question.version
    if not listen(category, store=store, settings=settings, now_ms=now_ms):
        return Turn("asking", CHANGED)
    held = store.labels.of(name, version, list(rows))
    wanted = [(row, float(len(rows) - place)) for place, row in enumerate(rows) if row not in held]
    wish(name, wanted, Purpose.MINE_GOLD, store=store, settings=settings)
    fill_tasks(name, store=store, settings=settings, now_ms=now_ms, last=True)
    left = len(store.asks.open_rows(name, version, [Purpose.MINE_GOLD]))
    if not left:
        return None
    return Turn("asking", f"shows the {len(rows):,} most doubtful labels first; {left:,} wait for an answer.")
