"""What a certificate speaks of: the pool and its ranking, frozen before the first audit draw, and the labels by rank.

The ranking is kept as a column, the rest as one canonical description. That description is the commit point: a freeze
that was killed before it leaves a ranking that the next freeze writes anew; after it nothing of the epoch ever changes.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thresher.evidence import Code, Frozen, Promise, State
from thresher.evidence import freeze as freeze_evidence
from thresher.learn.decide import Decided
from thresher.records import Category, Label, Says, Source
from thresher.store.contract import Rows, Store, chunks

DESCRIPTION, ABOUT = "frozen", "about"
HOLD = (Source.OWNER, Source.ADJUDICATED)  # labels that a certificate takes for the truth
CODES = {Says.YES: Code.YES, Says.NO: Code.NO, Says.UNSURE: Code.UNANSWERABLE}
# a consensus orders before any score: cheap answers are a better classifier, and no more than that
SAID = 1e6
HASH_CHUNK = 5_000


@dataclass(frozen=True)
class Snapshot:
    """An epoch of a category: the frozen description, the rows by rank, and the known rows it rests on."""

    epoch: int
    version: int
    round: int
    frozen: Frozen
    ranking: Rows
    known: Rows
    pool: int

    def state(self, labels: dict[int, Label], cap: int | None = None) -> State:
        """The labels that hold, by rank; whatever they were asked for."""
        rank_of = dict(zip(self.ranking.tolist(), range(len(self.ranking)), strict=True))
        answers = {
            rank_of[row]: int(CODES[label.says]) for row, label in labels.items() if row in rank_of and holds(label)
        }
        return State(self.frozen, answers, cap=cap)


def holds(label: Label) -> bool:
    """Whether a certificate may rest on a label: the owner's word, or an adjudication."""
    return label.source in HOLD


def latest(category: Category, *, store: Store) -> Snapshot | None:
    """The newest epoch of the question's version, or None."""
    for epoch in reversed(store.rounds.epochs(category.name)):
        data = store.rounds.evidence(category.name, epoch, DESCRIPTION)
        about = json.loads(store.rounds.evidence(category.name, epoch, ABOUT) or b"{}")
        if data and about.get("version") == category.question.version:
            frozen = Frozen.from_bytes(data)
            matrix, _ = store.columns.view(column(category.name, epoch))
            ranking = np.array(matrix[: frozen.ranks, 0], np.int64)
            known = np.array(about["known"], np.int64)
            return Snapshot(epoch, about["version"], about["round"], frozen, ranking, known, about["pool"])
    return None


def column(name: str, epoch: int) -> str:
    """The column that holds the ranking of an epoch: the row at each rank."""
    return f"ranking/{name}/{epoch}"


def freeze(category: Category, decided: Decided, *, store: Store, seed: str = "") -> Snapshot:
    """Freeze the pool and its ranking as the next epoch; `seed` is drawn here unless a test gives its own.

    One of each similar group is ranked. Groups with a label that holds are known and never random evidence; a consensus
    is no such label: it only moves its image to an end of the ranking.
    """
    name, version = category.name, category.question.version
    epoch = max(store.rounds.epochs(name), default=0) + 1
    labels = {label.row: label for label in store.labels.held(name, version)}
    known = {row: label for row, label in labels.items() if holds(label)}
    ranking, probability = rank(decided, labels, known)
    store.columns.create(column(name, epoch), 1, "int64")
    store.columns.write(column(name, epoch), np.arange(len(ranking), dtype=np.int64), ranking[:, None])
    says = [label.says for label in _one_a_group(decided, known)]
    frozen = freeze_evidence(
        Promise(category.targets.precision, category.targets.recall, category.targets.delta),
        probability,
        known_yes=says.count(Says.YES),
        known_unanswerable=says.count(Says.UNSURE),
        seed=seed or secrets.token_hex(32),
        epoch=epoch - 1,
        ranking=hash_of(ranking, store),
    )
    assert decided.round is not None  # noqa: S101 -- the method freezes after a round only
    number, pool = decided.round.number, len(decided.rows)
    about = {"version": version, "round": number, "known": sorted(known), "pool": pool}
    store.rounds.keep_evidence(name, epoch, ABOUT, json.dumps(about).encode())
    store.rounds.keep_evidence(name, epoch, DESCRIPTION, frozen.to_bytes())
    return Snapshot(epoch, version, number, frozen, ranking, np.array(sorted(known), np.int64), pool)


def rank(decided: Decided, labels: dict[int, Label], known: dict[int, Label]) -> tuple[Rows, NDArray[np.float64]]:
    """Rows by rank, best score first, ties by row, and their probabilities of being a yes (for planning only)."""
    rows, first = np.unique(decided.similar, return_index=True)
    scores = np.nan_to_num(decided.scores[first].astype(np.float64), nan=-50.0)
    representatives = decided.rows[first]
    groups_known = set(decided.similar[np.isin(decided.rows, list(known))].tolist())
    free = np.array([group not in groups_known for group in rows.tolist()], bool)
    representatives, scores = representatives[free], scores[free]
    probability = 1.0 / (1.0 + np.exp(-np.clip(scores, -40.0, 40.0)))
    for place, row in enumerate(representatives.tolist()):
        label = labels.get(row)
        if label is not None and label.says is not Says.UNSURE:
            yes = label.says is Says.YES
            probability[place] = label.posterior if yes else 1.0 - label.posterior
            scores[place] += SAID if yes else -SAID
    order = np.lexsort((representatives, -scores))
    return representatives[order], probability[order]


def _one_a_group(decided: Decided, known: dict[int, Label]) -> list[Label]:
    """One label of each known group of the pool; the most trusted says what the group is."""
    group_of = dict(zip(decided.rows.tolist(), decided.similar.tolist(), strict=True))
    found: dict[int, Label] = {}
    for row, label in sorted(known.items(), key=lambda one: (HOLD.index(one[1].source), one[0])):
        if row in group_of:
            found.setdefault(group_of[row], label)
    return list(found.values())


def hash_of(ranking: Rows, store: Store) -> str:
    """SHA-256 over the images' own SHA-256 in the order of the ranking."""
    digest = hashlib.sha256()
    for rows in chunks(ranking, HASH_CHUNK):
        for image in store.images.many(rows):
            digest.update(bytes.fromhex(image.sha256))
    return digest.hexdigest()
