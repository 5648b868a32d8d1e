"""Snapshots: the pool and its ranking, frozen before the first audit draw, and the labels by rank.

The ranking is stored as a column, the rest as one piece of evidence with the ranking's digest, by which it is compared
whenever it is read. That piece is the commit point: if a freeze is killed before it, the next freeze overwrites the
ranking; after it nothing of this freeze (epoch) ever changes. A copy of the ranking follows, to make the column anew,
and the audit log (audit_log.py), which has every label that the certificate may use as evidence.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from thresher.errors import Conflict, StoreDamaged
from thresher.evidence import Code, Draws, Frozen, State, Step, next_step
from thresher.evidence.audit_log import ACCEPTED, ANSWERS, CLOSED, FREEZE, WORDS, Log
from thresher.evidence.corrections import corrections_of, evidence_of
from thresher.evidence.state import FORMAT, Begun, OwnersCheck
from thresher.learn.decide import Decided, look_up
from thresher.loop.audit_log import append, read_on
from thresher.loop.promises import Purse, frozen_of, pool_of, promise_of
from thresher.loop.ranking import rank, rank_claim
from thresher.loop.units import copies_digest, copies_of, known_digest, pack, unpack
from thresher.loop.ways import way_of
from thresher.loop.words import CODES, words_by_row
from thresher.records import TRUSTED, Category, Label, Says, Source
from thresher.store.claims import ClaimedLabels, number_of
from thresher.store.contract import Rows, Store
from thresher.store.findings import MEND
from thresher.store.frozen import digest_of, hash_of, keep_copy, ranking_column, read_ranking
from thresher.store.rounds import FROZEN

DESCRIPTION = FROZEN


@dataclass(frozen=True)
class Snapshot:
    """One freeze (epoch) of a category: the frozen description, the rows by rank, and the rows known before.

    `known_says` gives what was held true of the rows of the pool that had a trusted label, and `copies` [c, 2] each row
    of the pool for which another one of its similar group counts, and that one (units.py). `question` is its text at
    that time, and `answers` the category's budget; `words_of` says how many votes decide an image of the middle. `log`
    is what was logged so far. `closed`: the budget of today was spent while this freeze was in force; its audits end
    with what they have proven. `claim` is the number of the labels that are audited (store/claims.py), 0 without any.
    """

    epoch: int
    version: int
    round: int
    frozen: Frozen
    ranking: Rows
    known_says: Mapping[int, Says]
    copies: Rows
    question: str
    pool: int
    answers: int | None = None
    words_of: int = 1
    log: Log = field(default_factory=Log)
    closed: bool = False
    known_yes: tuple[int, ...] = ()
    claim: int = 0

    @property
    def is_checked(self) -> bool:
        """Whether the owner checks what is released."""
        return self.frozen.check_delta > 0.0

    @cached_property
    def known(self) -> Rows:
        """The rows known at the freeze, ascending."""
        return np.array(sorted(self.known_says), np.int64)

    @cached_property
    def known_units(self) -> dict[int, int]:
        """What was held true of each known row that counts for its group, as a code."""
        copies = set(self.copies[:, 0].tolist())
        return {row: int(CODES[says]) for row, says in self.known_says.items() if row not in copies}

    @property
    def truth(self) -> str:
        """Whose answers are the ground truth."""
        return self.frozen.truth

    @property
    def said(self) -> Mapping[int, int]:
        """People's unadjudicated votes (words) by rank, as they were logged."""
        return self.log.words

    def step(self, labels: Mapping[int, Label]) -> Step:
        """The state of its audits: what is still asked, or how they ended."""
        return next_step(self.state(labels))

    def state(self, labels: Mapping[int, Label]) -> State:
        """The logged labels and votes by rank as evidence, and the trusted labels of today."""
        held = {row: int(CODES[label.says]) for row, label in labels.items() if holds(label, self.truth)}
        rank_of, first = self.ranks_of(held), self.log.first
        now = {rank: held[row] for row, rank in rank_of.items()}
        known = held | dict.fromkeys(self.held_back(labels), int(Code.UNANSWERABLE))
        lost = frozenset(number for number, row in enumerate(self.known_yes) if held.get(row) != Code.YES)
        return State(
            self.frozen,
            evidence_of(first, now),
            self.said,
            now,
            corrections_of((first, now), (self.known_units, known)),
            self.log.accepted,
            closed=self.closed,
            owners=frozenset(rank for row, rank in rank_of.items() if labels[row].source is Source.OWNER),
            check=OwnersCheck(lost, tuple(self.log.checks.values()), self.log.checked),
        )

    def held_back(self, labels: Mapping[int, Label]) -> set[int]:
        """The known units that annotators made yes since the freeze, where the owner checks what is released.

        The check does not draw from them, as they were not yes at the freeze: only the owner's own yes is released.
        """
        if not self.is_checked:
            return set()
        found = (row for row, code in self.known_units.items() if code != Code.YES and row in labels)
        return {row for row in found if labels[row].says is Says.YES and labels[row].source is not Source.OWNER}

    def places_of(self, rows: Iterable[int]) -> dict[int, int]:
        """The place in the owner's check of each of these rows that has one: its rank, or beyond the known ones."""
        beyond = {row: self.frozen.ranks + number for number, row in enumerate(self.known_yes)}
        wanted = list(rows)
        return {**{row: beyond[row] for row in wanted if row in beyond}, **self.ranks_of(wanted)}

    def rows_of(self, places: Sequence[int]) -> list[int]:
        """The rows at these places."""
        ranks = self.frozen.ranks
        return [int(self.ranking[one]) if one < ranks else self.known_yes[one - ranks] for one in places]

    def ranks_of(self, rows: Iterable[int]) -> dict[int, int]:
        """The rank of each of these rows that has one. Only for few rows: a pool has millions."""
        at = np.flatnonzero(np.isin(self.ranking, np.fromiter(rows, np.int64)))
        return dict(zip(self.ranking[at].tolist(), at.tolist(), strict=True))


def holds(label: Label, truth: str) -> bool:
    """Whether a certificate may depend on a label: the owner's, or an adjudicated one if that is the ground truth."""
    return label.source in TRUSTED[truth]


def latest(category: Category, *, store: Store, before: Snapshot | None = None) -> Snapshot | None:
    """The newest freeze of the question's version, or None; a freeze of an earlier format does not count.

    If it was read `before`, only what was logged since is read; the same object is returned if there is nothing.
    """
    for epoch in reversed(store.rounds.epochs(category.name)):
        if before is not None and (before.epoch, before.version) == (epoch, category.question.version):
            return with_log(category.name, before, store)
        data = store.rounds.evidence(category.name, epoch, DESCRIPTION)
        kept: dict[str, Any] = json.loads(data) if data else {}
        if kept.get("version") == category.question.version and kept["frozen"].get("format") == FORMAT:
            frozen = Frozen.from_bytes(json.dumps(kept["frozen"]).encode())
            bare = Snapshot(
                epoch,
                kept["version"],
                kept["round"],
                frozen,
                _ranking(category.name, epoch, frozen, kept["ranking_digest"], store),
                {int(row): Says(says) for row, says in kept["known"].items()},
                unpack(kept["copies"]),
                kept["question"],
                kept["pool"],
                kept["answers"],
                kept["words_of"],
                known_yes=tuple(kept["known_yes"]),
                claim=kept.get("claim", 0),
            )
            return with_log(category.name, bare, store)
    return None


def of_another_format(category: Category, *, store: Store) -> bool:
    """Whether the question's version was frozen by a version of thresher with another format."""
    for epoch in store.rounds.epochs(category.name):
        data = store.rounds.evidence(category.name, epoch, DESCRIPTION)
        kept: dict[str, Any] = json.loads(data) if data else {}
        if kept.get("version") == category.question.version and kept["frozen"].get("format") != FORMAT:
            return True
    return False


def _ranking(name: str, epoch: int, frozen: Frozen, digest: str, store: Store) -> Rows:
    """The ranking of a freeze. Raises StoreDamaged if it is not as it was frozen."""
    found = read_ranking(name, epoch, frozen.ranks, store.columns)
    if found is None or digest_of(found) != digest:
        raise StoreDamaged(f"the frozen ranking of epoch {epoch} has changed.", where=name, next=MEND)
    return found


def in_force(category: Category, images: int, *, store: Store, before: Snapshot | None = None) -> Snapshot | None:
    """The newest freeze, if it was not ended, and pool and targets have not changed since; `before` as above.

    While there is one nothing may be trained, because its ranking is what the audits test.
    """
    snapshot, targets = latest(category, store=store, before=before), category.targets
    if snapshot is None or snapshot.pool != images or not _serves(snapshot.frozen.method, targets.method):
        return None
    if snapshot.truth != targets.truth or snapshot.log.ended:
        return None
    way = way_of(targets.method)
    if way.given and snapshot.claim != number_of(category.name, store=store):
        return None
    can_be_checked = way.precision and not way.whole and not way.given
    if targets.check is not None and can_be_checked and targets.check != snapshot.is_checked:
        return None
    same_budget = snapshot.answers == targets.answers or not way.budgeted
    if snapshot.frozen.promise != promise_of(targets) or not same_budget:
        return None
    closed = targets.answers is not None and targets.answers <= snapshot.log.closed
    return snapshot if snapshot.closed is closed else replace(snapshot, closed=closed)


def is_frozen(category: Category, *, store: Store) -> bool:
    """Whether a freeze is in force: its ranking and votes are audited, so nothing is trained before the next one."""
    if not way_of(category.targets.method).proves or not store.rounds.epochs(category.name):
        return False
    return in_force(category, len(store.categories.pool(category.name)), store=store) is not None


def _serves(frozen: str, wanted: str) -> bool:
    """Whether a freeze by one method is one for another: labelling every image proves precision and recall too."""
    way = way_of(wanted)
    return frozen == wanted or (way_of(frozen).whole and way.planned and way.precision and way.recall)


def audited(name: str, snapshot: Snapshot, *, store: Store) -> int:
    """How many answers the audits of a freeze have."""
    return sum(vote.epoch == snapshot.epoch for vote in store.labels.votes(name, snapshot.version))


def with_log(name: str, snapshot: Snapshot, store: Store) -> Snapshot:
    """The snapshot with what was logged since it was read. Raises StoreDamaged for a log of something else."""
    log = read_on(name, snapshot.epoch, snapshot.log, store=store)
    if log is snapshot.log:
        return snapshot
    if log.frozen != json.loads(snapshot.frozen.to_bytes()):
        what = f"the audit log of epoch {snapshot.epoch} begins with another description than the frozen one."
        raise StoreDamaged(what, where=name, next=MEND)
    return replace(snapshot, log=log)


def begin_log(name: str, snapshot: Snapshot, *, store: Store) -> Snapshot:
    """The snapshot with the first line of its log, which says what is frozen; made anew after a kill before it."""

    def said(log: Log) -> dict[str, object]:
        if log.lines:
            return {}
        asked = {"category": name, "question": snapshot.question, "question_version": snapshot.version}
        return {"frozen": json.loads(snapshot.frozen.to_bytes()), **asked}

    append(name, snapshot.epoch, snapshot.log, FREEZE, said, store=store, at_ms=snapshot.frozen.at_ms)
    return with_log(name, snapshot, store)


def record_answers(
    name: str, snapshot: Snapshot, labels: Mapping[int, Label], *, store: Store, now_ms: int
) -> Snapshot:
    """Log the trusted labels of ranks that have none in the log yet: the evidence. Once logged they never change."""
    snapshot = begin_log(name, snapshot, store=store)
    now = snapshot.state(labels).today

    def said(log: Log) -> dict[str, object]:
        codes = {str(rank): code for rank, code in now.items() if rank not in log.first}
        return {"codes": codes} if codes else {}

    append(name, snapshot.epoch, snapshot.log, ANSWERS, said, store=store, at_ms=now_ms)
    return with_log(name, snapshot, store)


def record_accepted(name: str, snapshot: Snapshot, begun: Begun, *, store: Store, now_ms: int) -> Snapshot:
    """Log a set before the first draw of its audit, unless one is logged for this attempt already."""

    def said(log: Log) -> dict[str, object]:
        fields = {"attempt": begun.attempt, "cut": begun.cut, "size": len(begun.ranks), "sha256": begun.sha256}
        return {} if begun.attempt in log.accepted else fields

    append(name, snapshot.epoch, snapshot.log, ACCEPTED, said, store=store, at_ms=now_ms)
    return with_log(name, snapshot, store)


def record_closed(category: Category, snapshot: Snapshot, *, store: Store, now_ms: int) -> Snapshot:
    """Log that the budget of today is spent: until it is raised, the audits end with what they have proven."""
    answers = category.targets.answers
    assert answers is not None  # noqa: S101 -- without a budget there is none to spend

    def said(log: Log) -> dict[str, object]:
        return {} if answers <= log.closed else {"answers": answers}

    append(category.name, snapshot.epoch, snapshot.log, CLOSED, said, store=store, at_ms=now_ms)
    return replace(with_log(category.name, snapshot, store), closed=True)


def record_words(category: Category, snapshot: Snapshot, *, store: Store, now_ms: int) -> Snapshot:
    """Log the words by rank that people gave since the last time (words.py); once recorded they never change."""
    name = category.name
    snapshot = begin_log(name, snapshot, store=store)
    labelled = {label.row for label in store.labels.held(name, snapshot.version) if holds(label, snapshot.truth)}
    words = words_by_row(
        name, snapshot.version, epoch=snapshot.epoch, count=snapshot.words_of, labelled=labelled, store=store
    )
    fresh = {str(rank): int(words[row]) for row, rank in snapshot.ranks_of(words).items()}

    def said(log: Log) -> dict[str, object]:
        there = {*log.words, *log.first}  # a word counts only if it came before the label
        codes = {rank: code for rank, code in fresh.items() if int(rank) not in there}
        return {"codes": codes} if codes else {}

    append(name, snapshot.epoch, snapshot.log, WORDS, said, store=store, at_ms=now_ms)
    return with_log(name, snapshot, store)


def freeze(
    category: Category,
    decided: Decided,
    purse: Purse,
    *,
    store: Store,
    now_ms: int,
    seed: str = "",
    claim: ClaimedLabels | None = None,
) -> Snapshot:
    """Freeze the pool and its ranking as the next epoch; a random `seed` is drawn here unless a test passes one.

    One image of each similar group is ranked. Groups with a trusted label are known and never random evidence. A
    consensus label is not trusted: it only moves its image to an end of the ranking. With a `claim`, the labels that it
    gives are the ranking, whatever a classifier says. Raises Conflict, and freezes nothing, if question or targets have
    changed since the category was read.
    """
    name, version, targets = category.name, category.question.version, category.targets
    epoch = max(store.rounds.epochs(name), default=0) + 1
    labels = {label.row: label for label in store.labels.held(name, version)}
    _, there = look_up(decided.rows, np.fromiter(labels, np.int64))
    labels = {row: label for (row, label), inside in zip(labels.items(), there, strict=True) if inside}
    known = {row: label for row, label in sorted(labels.items()) if holds(label, targets.truth)}
    ranking, probability = rank(decided, labels, known) if claim is None else rank_claim(decided, known, claim)
    claimed = 0 if claim is None else int(np.isin(ranking, claim.claimed).sum())
    store.columns.create(ranking_column(name, epoch), 1, "int64")
    store.columns.write(ranking_column(name, epoch), np.arange(len(ranking), dtype=np.int64), ranking[:, None])
    ends = np.array([row for row, label in labels.items() if label.says is Says.NO], np.int64)
    copies = copies_of(decided, known, ranking)
    counted = [label for row, label in known.items() if row not in set(copies[:, 0].tolist())]
    pool = pool_of(probability, counted, said_no=int(np.isin(ranking, ends).sum()), claimed=claimed)
    draws = Draws(seed or secrets.token_hex(32), epoch=epoch - 1, ranking=hash_of(ranking, store.images))
    frozen = replace(
        frozen_of(targets, pool, purse, draws),
        known=known_digest({row: label.says for row, label in known.items()}, store=store),
        copies=copies_digest(copies, store=store),
        units=len(ranking) + len(counted),
        truth=targets.truth,
        at_ms=now_ms,
    )
    kept = {
        "version": version,
        "round": decided.round.number if decided.round and claim is None else 0,
        "claim": 0 if claim is None else claim.number,
        "known": {str(row): label.says.value for row, label in known.items()},
        "copies": pack(copies),
        "question": category.question.text,
        "pool": len(decided.rows),
        "answers": targets.answers,
        "words_of": purse.words_of,
        "known_yes": _yes_by_id([label.row for label in counted if label.says is Says.YES], store),
        "ranking_digest": digest_of(ranking),
        "frozen": json.loads(frozen.to_bytes()),
    }
    _must_be_as_read(category, store=store)  # the last step before the commit: what comes above takes seconds
    store.rounds.keep_evidence(name, epoch, DESCRIPTION, json.dumps(kept, sort_keys=True).encode())
    keep_copy(name, epoch, ranking, store.rounds)
    made = latest(category, store=store)
    assert made is not None  # noqa: S101 -- it was kept just now
    return begin_log(name, made, store=store)


def _must_be_as_read(category: Category, *, store: Store) -> None:
    now, method = store.categories.get(category.name), category.targets.method
    same = replace(now, targets=replace(now.targets, method=method)) == category
    if not same or not _serves(method, now.targets.method):
        what = "the question or the targets changed while the pool was being frozen."
        raise Conflict(what, where=category.name, next="run it again")


def _yes_by_id(rows: Sequence[int], store: Store) -> list[int]:
    """These rows in the order of their ids: the order in which the owner's check numbers them."""
    ids = {row: image.sha256 for row, image in zip(rows, store.images.many(np.array(rows, np.int64)), strict=True)}
    return sorted(rows, key=lambda row: ids[row])
