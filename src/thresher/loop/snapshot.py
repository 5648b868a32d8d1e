"""Snapshots: the pool and its ranking, frozen before the first audit draw, and the labels by rank.

The ranking is stored as a column, the rest as one piece of evidence with the ranking's digest, by which it is compared
whenever it is read. That piece is the commit point: if a freeze is killed before it, the next freeze overwrites the
ranking; after it nothing of this freeze (epoch) ever changes. A copy of the ranking follows, to make the column anew.
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import StoreDamaged
from thresher.evidence import Draws, Frozen, State, Step, next_step
from thresher.learn.decide import Decided
from thresher.loop.promises import Purse, frozen_of, pool_of, promise_of
from thresher.loop.ways import way_of
from thresher.loop.words import CODES, words_by_row
from thresher.records import TRUSTED, Category, Label, Says
from thresher.store.contract import Rows, Store
from thresher.store.findings import MEND
from thresher.store.frozen import digest_of, hash_of, keep_copy, ranking_column, read_ranking, same_images
from thresher.store.rounds import FROZEN, WORDS

DESCRIPTION = FROZEN
# added to the score of an image with a consensus label: it ranks before (yes) or after (no) all scores
SAID = 1e6


@dataclass(frozen=True)
class Snapshot:
    """One freeze (epoch) of a category: the frozen description, the rows by rank, and the rows known before.

    `answers` is the category's budget at that time, `truth` its ground truth, `words_of` how many votes decide an image
    of the middle, and `said` the votes recorded so far, by rank, stored in so many `pieces`. `copies` gives for known
    rows the other known row of their group that counted for both at that time.
    """

    epoch: int
    version: int
    round: int
    frozen: Frozen
    ranking: Rows
    known: Rows
    pool: int
    answers: int | None = None
    truth: str = "people"
    words_of: int = 1
    said: Mapping[int, int] = field(default_factory=dict)
    pieces: int = 0
    copies: Mapping[int, int] = field(default_factory=dict)

    def step(self, labels: Mapping[int, Label]) -> Step:
        """The state of its audits: what is still asked, or how they ended."""
        return next_step(self.state(labels))

    def state(self, labels: Mapping[int, Label]) -> State:
        """The trusted labels by rank, whatever they were asked for; and the recorded votes."""
        held = {row: label for row, label in labels.items() if holds(label, self.truth)}
        answers = {rank: int(CODES[held[row].says]) for row, rank in self.ranks_of(held).items()}
        return State(self.frozen, answers, self.said)

    def ranks_of(self, rows: Iterable[int]) -> dict[int, int]:
        """The rank of each of these rows that has one. Only for few rows: a pool has millions."""
        at = np.flatnonzero(np.isin(self.ranking, np.fromiter(rows, np.int64)))
        return dict(zip(self.ranking[at].tolist(), at.tolist(), strict=True))


def holds(label: Label, truth: str) -> bool:
    """Whether a certificate may depend on a label: the owner's, or an adjudicated one if that is the ground truth."""
    return label.source in TRUSTED[truth]


def latest(category: Category, *, store: Store, before: Snapshot | None = None) -> Snapshot | None:
    """The newest freeze of the question's version, or None.

    If it was read `before`, only the votes recorded since are read; the same object is returned if there are none.
    """
    for epoch in reversed(store.rounds.epochs(category.name)):
        if before is not None and (before.epoch, before.version) == (epoch, category.question.version):
            return _with_words(category.name, before, store)
        data = store.rounds.evidence(category.name, epoch, DESCRIPTION)
        kept: dict[str, Any] = json.loads(data) if data else {}
        if kept.get("version") == category.question.version:
            frozen = Frozen.from_bytes(json.dumps(kept["frozen"]).encode())
            ranking = _ranking(category.name, epoch, frozen, kept.get("ranking_digest"), store)
            known = np.array(kept["known"], np.int64)
            bare = Snapshot(
                epoch,
                kept["version"],
                kept["round"],
                frozen,
                ranking,
                known,
                kept["pool"],
                kept["answers"],
                kept.get("truth", "people"),  # an epoch frozen before there was a choice
                kept["words_of"],
                copies={int(row): unit for row, unit in kept.get("copies", {}).items()},  # since there is a split
            )
            return _with_words(category.name, bare, store)
    return None


def _ranking(name: str, epoch: int, frozen: Frozen, digest: str | None, store: Store) -> Rows:
    """The ranking of a freeze. Raises StoreDamaged if it is not as it was frozen."""
    found = read_ranking(name, epoch, frozen.ranks, store.columns)
    if found is None or not (
        digest_of(found) == digest if digest else same_images(found, frozen.ranking, store.images)
    ):
        raise StoreDamaged(f"the frozen ranking of epoch {epoch} has changed.", where=name, next=MEND)
    return found


def in_force(category: Category, images: int, *, store: Store, before: Snapshot | None = None) -> Snapshot | None:
    """The newest freeze, if the pool and the targets have not changed since; `before` as above.

    While there is one nothing may be trained, because its ranking is what the audits test.
    """
    snapshot, targets = latest(category, store=store, before=before), category.targets
    if snapshot is None or snapshot.pool != images or snapshot.frozen.method != targets.method:
        return None
    if snapshot.truth != targets.truth:
        return None
    same_budget = snapshot.answers == targets.answers or not way_of(targets.method).budgeted
    return snapshot if snapshot.frozen.promise == promise_of(targets) and same_budget else None


def audited(name: str, snapshot: Snapshot, *, store: Store) -> int:
    """How many answers the audits of a freeze have."""
    return sum(vote.epoch == snapshot.epoch for vote in store.labels.votes(name, snapshot.version))


def _with_words(name: str, snapshot: Snapshot, store: Store) -> Snapshot:
    """The snapshot with the votes recorded since it was read."""
    said, pieces = dict(snapshot.said), snapshot.pieces
    while piece := store.rounds.evidence(name, snapshot.epoch, f"{WORDS} {pieces}"):
        said = {int(rank): code for rank, code in json.loads(piece).items()} | said  # the first word of a rank counts
        pieces += 1
    return snapshot if pieces == snapshot.pieces else replace(snapshot, said=said, pieces=pieces)


def record_words(category: Category, snapshot: Snapshot, *, store: Store) -> Snapshot:
    """Record the words by rank that people gave since the last time (words.py); once recorded they never change."""
    name = category.name
    snapshot = _with_words(name, snapshot, store)  # another process may have recorded some since it was read
    labelled = {label.row for label in store.labels.held(name, snapshot.version) if holds(label, snapshot.truth)}
    words = words_by_row(
        name, snapshot.version, epoch=snapshot.epoch, votes=snapshot.words_of, labelled=labelled, store=store
    )
    rank_of = snapshot.ranks_of(words)
    fresh = {str(rank_of[row]): int(code) for row, code in words.items() if row in rank_of}
    fresh = {rank: code for rank, code in fresh.items() if int(rank) not in snapshot.said}
    if not fresh:
        return snapshot
    piece = f"{WORDS} {snapshot.pieces}"
    store.rounds.keep_evidence(name, snapshot.epoch, piece, json.dumps(fresh, sort_keys=True).encode())
    return _with_words(name, snapshot, store)


def freeze(category: Category, decided: Decided, purse: Purse, *, store: Store, seed: str = "") -> Snapshot:
    """Freeze the pool and its ranking as the next epoch; a random `seed` is drawn here unless a test passes one.

    One image of each similar group is ranked. Groups with a trusted label are known and never random evidence. A
    consensus label is not trusted: it only moves its image to an end of the ranking.
    """
    name, version, targets = category.name, category.question.version, category.targets
    epoch = max(store.rounds.epochs(name), default=0) + 1
    labels = {label.row: label for label in store.labels.held(name, version)}
    known = {row: label for row, label in labels.items() if holds(label, targets.truth)}
    ranking, probability = rank(decided, labels, known)
    store.columns.create(ranking_column(name, epoch), 1, "int64")
    store.columns.write(ranking_column(name, epoch), np.arange(len(ranking), dtype=np.int64), ranking[:, None])
    ends = np.array([row for row, label in labels.items() if label.says is Says.NO], np.int64)
    units = _units(decided, known)
    pool = pool_of(probability, [known[row] for row in set(units.values())], said_no=int(np.isin(ranking, ends).sum()))
    draws = Draws(seed or secrets.token_hex(32), epoch=epoch - 1, ranking=hash_of(ranking, store.images))
    frozen = frozen_of(targets, pool, purse, draws)
    assert decided.round is not None  # noqa: S101 -- the method freezes after a round only
    kept = {
        "version": version,
        "round": decided.round.number,
        "known": sorted(known),
        "copies": {row: unit for row, unit in units.items() if row != unit},
        "pool": len(decided.rows),
        "answers": targets.answers,
        "truth": targets.truth,
        "words_of": purse.words_of,
        "ranking_digest": digest_of(ranking),
        "frozen": json.loads(frozen.to_bytes()),
    }
    store.rounds.keep_evidence(name, epoch, DESCRIPTION, json.dumps(kept, sort_keys=True).encode())
    keep_copy(name, epoch, ranking, store.rounds)
    made = latest(category, store=store)
    assert made is not None  # noqa: S101 -- it was kept just now
    return made


def rank(decided: Decided, labels: dict[int, Label], known: dict[int, Label]) -> tuple[Rows, NDArray[np.float64]]:
    """Rows by rank, best score first, ties by row, and their probabilities of being a yes (for planning only)."""
    groups_known = decided.similar[np.isin(decided.rows, np.fromiter(known, np.int64))]
    free = np.flatnonzero(~np.isin(decided.similar, groups_known))
    first = np.sort(free[np.unique(decided.similar[free], return_index=True)[1]])
    representatives = decided.rows[first]  # ascending, so that a stable sort leaves ties in the order of their rows
    scores = np.nan_to_num(decided.scores[first].astype(np.float64), nan=-50.0)
    probability = 1.0 / (1.0 + np.exp(-np.clip(scores, -40.0, 40.0)))
    said = {row: label for row, label in labels.items() if label.says is not Says.UNSURE}
    for place in np.flatnonzero(np.isin(representatives, np.fromiter(said, np.int64))).tolist():
        label = said[int(representatives[place])]
        yes = label.says is Says.YES
        probability[place] = label.posterior if yes else 1.0 - label.posterior
        scores[place] += SAID if yes else -SAID
    order = np.argsort(-scores, kind="stable")
    return representatives[order], probability[order]


def _units(decided: Decided, known: dict[int, Label]) -> dict[int, int]:
    """For each known row of the pool the row that counts for its group: the one with the most trusted label."""
    at = np.flatnonzero(np.isin(decided.rows, np.fromiter(known, np.int64)))
    group_of = dict(zip(decided.rows[at].tolist(), decided.similar[at].tolist(), strict=True))
    found: dict[int, int] = {}
    for row, _ in sorted(known.items(), key=lambda one: (TRUSTED["people"].index(one[1].source), one[0])):
        if row in group_of:
            found.setdefault(group_of[row], row)
    return {row: found[group] for row, group in group_of.items()}
