"""What is decided of a category now: the only place that computes yes, no and unknown, and how many there are of each.

If a certificate is in force, it is the certified set; otherwise it follows from thresholds and labels
(learn/decide.py). Release, console, gallery, status and the loop all read it here, so their numbers cannot differ.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from thresher.errors import NotFound
from thresher.learn.decide import NO, UNKNOWN, YES, Codes, Decided, decide, look_up
from thresher.loop.versions import as_version
from thresher.loop.ways import way_of
from thresher.records import TRUSTED, Category, Counts, Grounds, Label, Round, Says
from thresher.store.contract import Held, Rows, Store

if TYPE_CHECKING:  # the mathematics of certificates is slow to import: a server that starts does without
    from thresher.evidence import Certified, Step
    from thresher.loop.snapshot import Snapshot


@dataclass(frozen=True)
class Basis:
    """Everything that a decision depends on, read from the store at one moment.

    `held` are the labels of the question's version, one per row. `snapshot` is the frozen pool in force, and `step` the
    state of its audits; both None if nothing is frozen for this pool and these targets.
    """

    category: Category
    pool: Rows
    round: Round | None
    held: Held
    snapshot: "Snapshot | None" = None
    step: "Step | None" = None

    @cached_property
    def trusted(self) -> dict[int, Label]:
        """The labels that a certificate takes as ground truth, by row."""
        sources = TRUSTED[self.category.targets.truth]
        return {label.row: label for label in self.held if label.source in sources}

    @cached_property
    def certified(self) -> "Certified | None":
        """The certificate in force, or None."""
        if self.step is None:
            return None
        from thresher.evidence import Certified  # loaded with the step

        return self.step if isinstance(self.step, Certified) else None

    def unmoved(self, before: "Basis") -> bool:
        """Whether nothing has changed since `before`; a pool only grows, so the same size means the same pool."""
        return (
            self.snapshot is before.snapshot
            and self.category == before.category
            and len(self.pool) == len(before.pool)
            and self.round == before.round
            and self.held == before.held
        )


@dataclass(frozen=True)
class Decision(Decided):
    """What is decided of a pool, or of some rows of it, and what it depends on."""

    basis: Basis

    @classmethod
    def on(cls, basis: Basis, made: Decided) -> "Decision":
        """The decision by thresholds and labels, with what it depends on."""
        return cls(made.rows, made.codes, made.scores, made.round, made.similar, made.inherited, basis)

    @cached_property
    def counts(self) -> Counts:
        """How many are yes, no and unknown."""
        return Counts(*(int((self.codes == code).sum()) for code in (YES, NO, UNKNOWN)))

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """Which have a label of their own."""
        return np.isin(self.rows, self.basis.held.rows)

    @cached_property
    def yes_by(self) -> Grounds:
        """What the yes were decided by; the rest of what `counts` says of them."""
        yes = self.codes == YES
        inherited = int((yes & self.inherited).sum())
        own = int((yes & self.labelled & ~self.inherited).sum())
        return Grounds(own, inherited, int(yes.sum()) - own - inherited)

    def of(self, rows: Rows) -> "Decision":
        """The decision on some of its rows. Raises NotFound for a row outside it."""
        at, found = look_up(self.rows, rows)
        if not found.all():
            missing = int(rows[~found][0])
            raise NotFound(f"image {missing} is not in the pool of {self.basis.category.name}.", next="thresher check")
        return replace(
            self,
            rows=rows,
            codes=self.codes[at],
            scores=self.scores[at],
            similar=self.similar[at],
            inherited=self.inherited[at],
        )


def decision(
    category: Category | str, *, store: Store, rows: Rows | None = None, version: int | None = None
) -> Decision:
    """What is decided now of a category's pool, or of some rows of it, by the question in force or another version.

    The category as the caller read it, or its name. Raises NotFound for an unknown category or version.
    """
    read = category if isinstance(category, Category) else as_version(category, version, store=store)
    return Decisions(store).on(read, rows)


class Decisions:
    """What is decided of each category, for frequent callers: computed again only when something has changed.

    The labels are read each time, and a certificate's audits are replayed if a label has changed. Asking for some rows
    costs the whole pool only once, and only after it was certified. The last decision on each whole pool is kept, 22
    bytes per image.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bases: dict[str, Basis] = {}
        self._whole: dict[str, Decision] = {}
        self._groups: dict[str, Rows] = {}
        self._locks: dict[str, threading.Lock] = {}

    def of(self, name: str, rows: Rows | None = None) -> Decision:
        """See `decision`."""
        return self.on(self._store.categories.get(name), rows)

    def on(self, category: Category, rows: Rows | None = None) -> Decision:
        """What is decided of a category that was read already, or of an earlier version of its question."""
        name = category.name
        # many ask at once when something moved: one of them works it out
        with self._locks.setdefault(name, threading.Lock()):
            basis = self._bases[name] = basis_of(category, store=self._store, before=self._bases.get(name))
            if rows is not None and basis.certified is None:
                return Decision.on(basis, decide(rows, basis.round, basis.held, store=self._store))
            whole = self._whole.get(name)
            if whole is None or whole.basis is not basis:
                whole = self._whole[name] = self._work_out(basis)
        return whole if rows is None else whole.of(rows)

    def _work_out(self, basis: Basis) -> Decision:
        """Decide on a whole pool. Looking up groups takes longest, and the stored group of an image never changes."""
        name = basis.category.name
        groups = self._groups.get(name)
        if groups is None or len(groups) != len(basis.pool):
            groups = self._groups[name] = self._store.images.similar(basis.pool)
        made = decide(basis.pool, basis.round, basis.held, store=self._store, similar=groups)
        if basis.snapshot is None or basis.certified is None:
            return Decision.on(basis, made)
        codes, inherited = certified_codes(made, basis.snapshot, basis.certified, basis.trusted)
        return Decision.on(basis, replace(made, codes=codes, inherited=inherited))


def basis_of(category: Category, *, store: Store, before: Basis | None = None) -> Basis:
    """What a decision on a category depends on now; the object `before` itself if nothing has changed since."""
    name, version = category.name, category.question.version
    pool, newest = store.categories.pool(name), store.rounds.latest(name, version)
    snapshot = None
    if way_of(category.targets.method).proves and store.rounds.epochs(name):
        from thresher.loop.snapshot import in_force  # with its mathematics, which other ways never need

        snapshot = in_force(category, len(pool), store=store, before=before.snapshot if before else None)
    basis = Basis(category, pool, newest, store.labels.held(name, version), snapshot)
    if before is not None and basis.unmoved(before):
        return before
    return basis if snapshot is None else replace(basis, step=snapshot.step(basis.trusted))


def certified_codes(
    decided: Decided, snapshot: "Snapshot", step: "Certified", labels: Mapping[int, Label]
) -> tuple[Codes, NDArray[np.bool_]]:
    """Yes, no or unknown [n] according to the certificate, and which of them are inherited from another image.

    A certificate keeps the units that it was frozen with, whatever became of their similar groups since. A unit is yes
    if it is in the released set; of the rest, those that are labelled no or rejected are no. A copy follows its unit,
    but never against a label of its own: a no is left out, and a yes is unknown where its unit is not released. Unknown
    are also units that a certificate of precision alone does not cover, and a yes that is withheld because adjudication
    may have erred, or held back because the owner's check does not cover it (Snapshot.held_back).
    """
    says_yes = np.array([row for row, label in labels.items() if label.says is Says.YES], np.int64)
    called_yes = np.isin(decided.rows, says_yes)
    labelled = np.isin(decided.rows, np.fromiter(labels, np.int64))
    no = labelled if step.recall is None else labelled | np.isin(decided.rows, snapshot.ranking)
    codes = np.where(no & ~called_yes, NO, UNKNOWN).astype(np.int8)
    codes[np.isin(decided.rows, released_units(snapshot, step, labels))] = YES
    at, there = look_up(decided.rows, snapshot.copies[:, 0])
    unit, known = look_up(decided.rows, snapshot.copies[:, 1])
    at, unit = at[there & known], unit[there & known]
    follows = ~labelled[at] | (called_yes[at] & (codes[unit] == YES))
    codes[at] = np.where(follows, codes[unit], np.where(called_yes[at], UNKNOWN, NO))
    inherited = np.zeros(len(codes), np.bool_)
    inherited[at] = ~labelled[at] & (codes[at] != UNKNOWN)
    return codes, inherited


def released_units(snapshot: "Snapshot", step: "Certified", labels: Mapping[int, Label]) -> Rows:
    """The rows of the released units: those that the certificate releases by rank, and the known ones that are yes."""
    from thresher.evidence.releasing import refuted, released  # loaded with the certificate

    state = snapshot.state(labels)
    away = {*snapshot.rows_of(refuted(state).tolist()), *snapshot.held_back(labels)}
    known = [row for row in snapshot.known_units if row in labels and labels[row].says is Says.YES and row not in away]
    return np.concatenate([snapshot.ranking[released(step, state)], np.array(known, np.int64)])


def claim_of(decided: Decision) -> str:
    """The sentences of the certificate that a decision on a whole pool follows from; "" without a certificate."""
    snapshot, step = decided.basis.snapshot, decided.basis.certified
    if snapshot is None or step is None:
        return ""
    from thresher.evidence.claim import words_of  # loaded with the certificate

    return words_of(snapshot.frozen, step, files=decided.counts.yes)


def stands_for(decided: Decision) -> Rows:
    """For each row of a whole pool the one that it is a copy of: itself if it is the one of its group that counts.

    Under a certificate the units that it was frozen with count. Otherwise one of each group in the pool counts: the
    first with a label, else the first.
    """
    rows = decided.rows
    if decided.basis.certified is not None and decided.basis.snapshot is not None:
        copies = decided.basis.snapshot.copies
        found = rows.copy()
        at, there = look_up(rows, copies[:, 0])
        found[at[there]] = copies[there, 1]
        return found
    order = np.lexsort((rows, ~decided.labelled, decided.similar))
    _, first, member = np.unique(decided.similar[order], return_index=True, return_inverse=True)
    found = np.empty_like(rows)
    found[order] = rows[order][first][member]
    return found
