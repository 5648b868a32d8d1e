"""What the audit of labels from elsewhere has found so far: counts, intervals, and the labels found wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thresher.evidence.labels import Audit, Audited, audited, audits_of, limits
from thresher.evidence.martingale import at_most, most
from thresher.label.gold import drawn
from thresher.loop.decision import Decision, decision
from thresher.records import Label, Says
from thresher.store.claims import claim_of
from thresher.store.contract import Store


@dataclass(frozen=True)
class Figures:
    """The audit of one category so far.

    `claimed` images carry the label. Of `first`, those of them whose label was known at the freeze, `mended` were
    wrong. `precision` and `recall` are what the draws have found, None before the freeze, and where recall is no
    target. `wrong` are the claimed rows that an answer contradicts, ascending, with that answer; `missed` the rows
    without the label that are a yes by an answer. `beside` images were known to be a yes at the freeze and do not carry
    the label: they are released too.
    """

    decided: Decision
    claimed: int
    first: int
    mended: int
    precision: Audited | None
    recall: Audited | None
    wrong: Mapping[int, Label]
    missed: Sequence[int] = ()
    beside: int = 0

    @property
    def is_precise(self) -> bool:
        """Whether the labels keep the promised precision by themselves, without the images beside them.

        With p promised, b images beside and `base` released, they do if no more than (1-p) (base - b) are wrong.
        """
        snapshot, found = self.decided.basis.snapshot, self.precision
        if snapshot is None or found is None:
            return False
        bound = found.bound - (1.0 - snapshot.frozen.promise.precision) * self.beside
        prior, delta = snapshot.frozen.accept_prior, snapshot.frozen.ladder[0].accept_delta
        return bool(at_most(found.size, found.drawn, found.bad, bound, prior, delta))

    @property
    def holds_of_labels(self) -> bool:
        """Whether the whole promise is kept by the labels alone, without the images beside them.

        If they are precise, at least p (base - b) of them are right. With r promised they keep the recall then if F
        missed yes, u unanswerable and the b themselves are no more than (1-r)/r p (base - b).
        """
        snapshot, recall = self.decided.basis.snapshot, self.recall
        if snapshot is None or not self.is_precise:
            return False
        if recall is None:
            return True
        promise, prior = snapshot.frozen.promise, snapshot.frozen.reject_prior
        bound = recall.bound - (1.0 + promise.precision * (1.0 - promise.recall) / promise.recall) * self.beside
        delta = snapshot.frozen.ladder[0].reject_delta
        return bool(at_most(recall.size, recall.drawn, recall.bad, bound, prior, delta))

    @property
    def interval(self) -> tuple[float, float]:
        """The lowest and the highest share of right labels among those that the audit draws from."""
        if self.precision is None:
            return 0.0, 1.0
        size = max(self.precision.size, 1)
        return (size - self.precision.most) / size, (size - self.precision.fewest) / size


def figures(name: str, *, store: Store, decided: Decision | None = None) -> Figures:
    """What is known of the labels of a category now, or by what was `decided`."""
    decided = decided or decision(name, store=store)
    claim = claim_of(name, store=store)
    claimed = set() if claim is None else set(claim.claimed.tolist())
    snapshot = decided.basis.snapshot
    precision, recall = (None, None) if snapshot is None else audited(snapshot.state(decided.basis.trusted))
    answered = {row: label for row, label in decided.basis.trusted.items() if row in claimed}
    first = {row: label for row, label in answered.items() if not drawn(label)}
    wrong = {row: label for row, label in sorted(answered.items()) if label.says is not Says.YES}
    others = decided.basis.trusted.items()
    missed = sorted(row for row, label in others if row not in claimed and label.says is Says.YES)
    beside = 0 if snapshot is None else len(set(snapshot.known_yes) - claimed)
    mended = len(first.keys() & wrong.keys())
    return Figures(decided, len(claimed), len(first), mended, precision, recall, wrong, missed, beside)


def told(name: str, *, store: Store) -> str:
    """The progress of an audit as a sentence; empty before the first answer.

    Without a wrong label, and once it accepts, it gives the lower bound by which it does.
    """
    found = figures(name, store=store)
    target, snapshot, one = store.categories.get(name).targets, found.decided.basis.snapshot, found.precision
    if snapshot is None or one is None or not one.drawn:
        return f"{found.first:,} doubtful labels answered, {found.mended:,} wrong." if found.first else ""
    low, high = found.interval
    between = f"{low:.1%} to {high:.1%}"
    if one.holds or not one.bad:
        frozen = snapshot.frozen
        wrong = most(one.size, one.drawn, one.bad, frozen.accept_prior, frozen.ladder[0].accept_delta)
        between = f"at least {(one.size - wrong) / one.size:.1%}"
    says = f"{one.drawn:,} answers, {one.bad:,} wrong: {between} are right so far (target {target.precision:.1%})."
    if found.recall is None or not found.recall.drawn:
        return says
    return f"{says} Of {found.recall.drawn:,} images without the label {found.recall.bad:,} should have it."


def course(found: Figures, *, accepts: bool) -> Sequence[tuple[int, float, float]]:
    """The bounds on the share of right labels after each answer, (answers, lowest, highest); none before the freeze.

    With `accepts` the lower one is that by which the audit accepts, so that it meets the target at the answer that
    certifies; else it is that of the interval. Each holds at whatever answer one looks.
    """
    snapshot = found.decided.basis.snapshot
    if snapshot is None or found.precision is None or not found.precision.drawn:
        return []
    state = snapshot.state(found.decided.basis.trusted)
    audit, _ = audits_of(state.corrected)
    size = max(audit.urn.size, 1)
    path = [(0, 0.0, 1.0)]
    for number in range(1, found.precision.drawn + 1):
        audit.take(np.array([state.answers[int(audit.urn.next(1)[0])]], np.int8))
        fewest, largest = limits(audit)
        path.append((number, _accepted(audit) if accepts else (size - largest) / size, (size - fewest) / size))
    return path


def _accepted(audit: Audit) -> float:
    """The highest share of right labels that the audit would accept now as a target."""
    urn = audit.urn
    return (urn.size - most(urn.size, urn.drawn, len(urn.bad), urn.prior, audit.delta)) / max(urn.size, 1)
