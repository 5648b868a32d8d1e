"""Gold: labels good enough to check workers by. Where it comes from, and when it is no good any more.

It starts with the owner, from a file or a first task of their own; every further answer of the owner adds to it. What
people disagreed about before the owner decided is not used to check anybody: it would be gold that honest workers miss.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from thresher.label.asks import fill_tasks, fresh, wish
from thresher.label.table import read_answers
from thresher.records import Ask, Assignment, Given, Gold, Label, Purpose, Review, Says, Source, Stage, Task, Vote
from thresher.settings import Settings
from thresher.store.contract import Rows, Store

MISSED_LEAST = 3  # misses by good workers before gold is doubted
MISSED_SHARE = 0.4  # of their answers on it
WHY_MISSED = "good workers missed it in {0} of {1} answers"
WHY_CONTESTED = "workers disagreed about it: {0} of {1} said otherwise before the owner decided"

# answers drawn for a certificate never check workers: gold is seen again and again, a draw must stay untouched
AUDITS = frozenset({Purpose.AUDIT_PRECISION, Purpose.AUDIT_RECALL})


def enough(gold: Iterable[Gold], settings: Settings) -> bool:
    """Whether there is gold enough of both answers for the gate to reject by."""
    says = [piece.says for piece in gold if not piece.retired]
    least: int = settings.gold_least
    return min(says.count(Says.YES), says.count(Says.NO)) >= least


# --- the owner's answers ----------------------------------------------------------------------------------------------


def take_owners_answers(assignment: Assignment, *, store: Store, now_ms: int) -> list[Label]:
    """Make labels and gold of an assignment that the owner sent; the same again changes nothing.

    An adjudication keeps the purpose, epoch and draw for which the image was first asked about.
    """
    category, version = assignment.category, assignment.version
    asks = {ask.id: ask for ask in store.asks.of_task(assignment.task)}
    answered = [(asks[ask], given) for ask, given in _asked(assignment)]
    rows = [ask.row for ask, _ in answered]
    votes: dict[int, list[Vote]] = {row: [] for row in rows}
    for vote in store.labels.votes(category, version, rows):
        if vote.worker != assignment.worker:
            votes[vote.row].append(vote)
    own = store.categories.get(category).targets.truth == "owner"
    labels = [_label_of(ask, given, votes[ask.row], version, now_ms, own=own) for ask, given in answered]
    store.labels.hold(category, labels)
    known = {piece.row: piece for piece in store.labels.gold(category, version, retired=True)}
    gold = [_gold_of(label, votes[label.row], known.get(label.row)) for label in labels]
    store.labels.gild(category, [piece for piece in gold if piece is not None])
    return labels


def _asked(assignment: Assignment) -> list[tuple[int, Given]]:
    places = [(assignment.dealt[given.position].ask, given) for given in assignment.answers]
    return [(ask, given) for ask, given in places if ask is not None]


def _label_of(ask: Ask, given: Given, votes: Sequence[Vote], version: int, now_ms: int, *, own: bool) -> Label:
    """What the owner said: an adjudication among people, unless it is their `own` word that is the truth."""
    adjudicated = ask.purpose is Purpose.ADJUDICATE
    first_asked_for = [vote.purpose for vote in votes if (vote.epoch, vote.draw) == (ask.epoch, ask.draw)]
    return Label(
        row=ask.row,
        says=given.says,
        source=Source.ADJUDICATED if adjudicated and not own else Source.OWNER,
        purpose=first_asked_for[-1] if adjudicated and first_asked_for else ask.purpose,
        version=version,
        at_ms=now_ms,
        votes=len(votes),
        epoch=ask.epoch,
        draw=ask.draw,
    )


def _gold_of(label: Label, votes: Sequence[Vote], known: Gold | None) -> Gold | None:
    """The gold that an owner's answer makes, or None; gold that says the same already stays as it is."""
    if label.says is Says.UNSURE or (known is None and _drawn(label)) or (known and known.says is label.says):
        return None
    missed = sum(vote.says is not label.says for vote in votes)
    # gold that the owner contradicts, though an audit drew it, must not go on to mark people wrong
    retired = WHY_CONTESTED.format(missed, len(votes)) if missed or _drawn(label) else ""
    return Gold(label.row, label.says, label.version, label.source, len(votes), missed, retired)


def _drawn(label: Label) -> bool:
    """Whether an audit drew the image, though the owner was asked alone."""
    return label.purpose in AUDITS or (label.epoch > 0 and label.draw >= 0)


def gild_audits(category: str, *, store: Store) -> int:
    """Make gold of what the audits of ended epochs adjudicated: nothing resembles audited images more. How many pieces.

    Call it when no epoch is in force: a draw must stay untouched until then. What many people missed is gold that is
    retired from the start, as it would be later.
    """
    kept = store.categories.get(category)
    version = kept.question.version
    known = {piece.row for piece in store.labels.gold(category, version, retired=True)}
    trusted = (Source.OWNER,) if kept.targets.truth == "owner" else (Source.OWNER, Source.ADJUDICATED)
    audited = [
        label
        for label in store.labels.held(category, version)
        if label.epoch > 0 and _drawn(label) and label.row not in known and label.says is not Says.UNSURE
        if label.source in trusted
    ]
    votes: dict[int, list[Vote]] = {label.row: [] for label in audited}
    for vote in store.labels.votes(category, version, list(votes)) if audited else []:
        votes[vote.row].append(vote)
    gold = []
    for label in audited:
        shown = len(votes[label.row])
        missed = sum(vote.says is not label.says for vote in votes[label.row])
        retired = WHY_CONTESTED.format(missed, shown) if _doubtful(missed, shown) else ""
        gold.append(Gold(label.row, label.says, version, label.source, shown, missed, retired))
    store.labels.gild(category, gold)
    return len(gold)


# --- gold that is no good ---------------------------------------------------------------------------------------------


def retire_missed(assignment: Assignment, review: Review, gold: Sequence[Gold], *, store: Store) -> list[int]:
    """Count a good worker's answers on gold, and retire what good workers miss often; the rows retired."""
    if review.verdict is not Stage.ACCEPTED:
        return []
    known = {piece.row: piece for piece in gold}
    places = [(assignment.dealt[given.position], given.says) for given in assignment.answers]
    shown = [(known[place.row], says) for place, says in places if place.ask is None and place.row in known]
    right = [piece.row for piece, says in shown if says is piece.says]
    wrong = [piece for piece, says in shown if says is not piece.says]
    store.labels.score_gold(assignment.category, assignment.version, right, [piece.row for piece in wrong])
    doubted = [piece for piece in wrong if _doubtful(piece.missed + 1, piece.shown + 1)]
    for piece in doubted:
        why = WHY_MISSED.format(piece.missed + 1, piece.shown + 1)
        store.labels.retire_gold(assignment.category, assignment.version, piece.row, why)
    return [piece.row for piece in doubted]


def _doubtful(missed: int, shown: int) -> bool:
    return missed >= MISSED_LEAST and missed >= MISSED_SHARE * shown


# --- a first task that finds gold -------------------------------------------------------------------------------------


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
    """Make a task for the owner alone that looks for gold; none while there is enough, or one is open already.

    `ranked` are rows, the likeliest yes first (nearest to the examples); without it the newest scores rank, and before
    the first round nothing does. Half of the task is the top of that ranking and half is random, so that a rare yes
    and an ordinary no are both found. `size` is one task's images unless given.
    """
    version = store.categories.get(category).question.version
    open_counts = store.asks.open_counts(category, version)
    if enough(store.labels.gold(category, version), settings) or open_counts.get(Purpose.MINE_GOLD.value):
        return []
    wanted = settings.task_images if size is None else size
    known = np.array([label.row for label in store.labels.held(category, version)], np.int64)
    pool = np.setdiff1d(store.categories.pool(category), known)
    spread = np.random.default_rng(seed if seed is not None else settings.seed or None).permutation(pool)
    top = _by_score(category, version, pool, store) if ranked is None else np.asarray(ranked, np.int64)
    half = fresh(category, top[np.isin(top, pool)], store=store)[: wanted // 2]
    rows = fresh(category, np.concatenate([half, spread]), store=store)[:wanted]
    asks = [(row, float(wanted - place)) for place, row in enumerate(rows.tolist())]
    wish(category, asks, Purpose.MINE_GOLD, store=store, settings=settings)
    return fill_tasks(category, store=store, settings=settings, now_ms=now_ms)


def _by_score(category: str, version: int, pool: Rows, store: Store) -> Rows:
    """The rows of the pool that the newest round scored, the highest first; none before a round."""
    newest = store.rounds.latest(category, version)
    if newest is None:
        return np.empty(0, np.int64)
    scores, present = store.columns.view(newest.column)
    there = pool[pool < len(present)]
    scored = there[present[there]]
    return scored[np.argsort(-scores[scored, 0], kind="stable")]


# --- from a file ------------------------------------------------------------------------------------------------------


def import_gold(category: str, path: Path, *, store: Store, now_ms: int) -> int:
    """Take the owner's known answers from a CSV file as labels and gold; how many images it names.

    Columns `image`, `file` or `url`, and `answer` (yes or no). Nothing is kept of a file that has a wrong line. Raises
    BadInput, BadLine.
    """
    labels = _labels(category, path, Source.OWNER, ("yes", "no"), store=store, now_ms=now_ms)
    version = store.categories.get(category).question.version
    known = {piece.row: piece for piece in store.labels.gold(category, version, retired=True)}
    gold = [_gold_of(label, (), known.get(label.row)) for label in labels]
    store.labels.hold(category, labels)
    store.labels.gild(category, [piece for piece in gold if piece is not None])
    return len(labels)


def import_labels(category: str, path: Path, *, store: Store, now_ms: int) -> int:
    """Take labels from a CSV file to learn from, which check nobody; how many images it names.

    Columns as for `import_gold`; "unsure" is an answer too.
    """
    labels = _labels(category, path, Source.IMPORTED, ("yes", "no", "unsure"), store=store, now_ms=now_ms)
    store.labels.hold(category, labels)
    return len(labels)


def _labels(
    category: str, path: Path, source: Source, allowed: Sequence[str], *, store: Store, now_ms: int
) -> list[Label]:
    version = store.categories.get(category).question.version
    found = read_answers(path, category, allowed, store=store)
    return [Label(row, says, source, Purpose.IMPORT, version, now_ms) for row, says in found.items()]
