"""From a decided category to a release: what is decided now, with the claim that can be made of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import NotReady
from thresher.evidence import Ask, Certified, Refused, released, spend
from thresher.evidence.log import NONE, Row, log_of
from thresher.evidence.log import certificate_of as proof_of
from thresher.learn.decide import NO, UNKNOWN, YES, Decided, decide
from thresher.loop.certified import step_of
from thresher.loop.snapshot import Snapshot, holds, in_force
from thresher.loop.ways import way_of
from thresher.records import Category, Label, Release, Says
from thresher.release import FORMATS, Chosen
from thresher.release import release as write_release
from thresher.release.evidence import NOT_RANKED, Piece, evidence_table
from thresher.store.contract import Report, Store

PROVES_NOTHING = "No certificate: the thresholds were chosen on held-out answers, which proves nothing of the pool."


def ship(
    name: str,
    to: Path,
    *,
    store: Store,
    now_ms: int,
    formats: Sequence[str] = (),
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Release:
    """Release a category as it is decided now. Raises NotReady before its first round."""
    return write_release(
        chosen(name, store=store),
        to,
        store=store,
        now_ms=now_ms,
        formats=tuple(formats) or tuple(FORMATS),
        report=report,
        stop=stop,
    )


def chosen(name: str, *, store: Store) -> Chosen:
    """What a release of this category would hold now: the certified set where there is one, else what is decided."""
    category = store.categories.get(name)
    decided = decide(name, store=store)
    if decided.round is None:
        raise NotReady(f"{name} has no round yet.", next=f"thresher run {name}")
    snapshot = in_force(category, len(decided.rows), store=store) if _proven(category) else None
    step = step_of(category, snapshot, store=store) if snapshot else None
    codes, certificate, evidence = decided.codes, no_certificate(category, decided, step), {}
    if snapshot is not None and isinstance(step, Certified):
        labels = {
            label.row: label for label in store.labels.held(name, snapshot.version) if holds(label, snapshot.truth)
        }
        codes = certified_codes(decided, snapshot, step, labels)
        certificate = certificate_of(snapshot, step)
        evidence = {"evidence.parquet": evidence_table(pieces(snapshot, step, labels), store=store)}
    return Chosen(
        category=name,
        version=category.question.version,
        question=category.question.text,
        round=decided.round.number,
        rows=decided.rows,
        codes=codes,
        scores=decided.scores,
        certificate=certificate,
        evidence=evidence,
    )


def _proven(category: Category) -> bool:
    return way_of(category.targets.method).proves


def certified_codes(
    decided: Decided, snapshot: Snapshot, step: Certified, labels: dict[int, Label]
) -> NDArray[np.int8]:
    """Yes, no or unknown [n] as the certificate has it: the released set, and of the rest what is rejected or known.

    Members of a similar group follow the one that represents them. What came after the freeze is unknown; so is what a
    certificate of precision alone says nothing of, and a yes that is left out because adjudication may have slipped.
    """
    state = snapshot.state(labels)
    called_yes = np.array([row for row, label in labels.items() if label.says is Says.YES], np.int64)
    known = snapshot.known[np.isin(snapshot.known, called_yes)]
    yes = np.isin(decided.rows, np.concatenate([snapshot.ranking[released(step, state)], known]))
    spoken_of = np.isin(decided.rows, np.fromiter(labels, np.int64))
    if step.recall is not None:
        spoken_of |= np.isin(decided.rows, snapshot.ranking)
    spoken_of &= yes | ~np.isin(decided.rows, called_yes)
    codes = np.full(len(decided.rows), UNKNOWN, np.int8)
    codes[np.isin(decided.similar, decided.similar[spoken_of])] = NO
    codes[np.isin(decided.similar, decided.similar[yes])] = YES
    return codes


def pieces(snapshot: Snapshot, step: Certified, labels: dict[int, Label]) -> list[Piece]:
    """Every label and word the certificate used: those known at the freeze, then by rank with their draws."""
    known = [Piece(row, Row(NOT_RANKED, NONE), labels[row]) for row in snapshot.known.tolist() if row in labels]
    ranked = log_of(snapshot.state(labels), step)
    return known + [
        Piece(int(snapshot.ranking[row.rank]), row, labels.get(int(snapshot.ranking[row.rank]))) for row in ranked
    ]


def certificate_of(snapshot: Snapshot, step: Certified) -> dict[str, Any]:
    """The claim in words and numbers, and all that a stranger needs to compute it again."""
    frozen, promise = snapshot.frozen, snapshot.frozen.promise
    word = "the owner's" if snapshot.truth == "owner" else "adjudicated"
    of = f"this pool as it was frozen, one image of each similar group, against {word} answers"
    gold = "" if frozen.gold is None else "; what adjudication itself may miss, as gold has shown, is in the bounds"
    return {
        "certified": True,
        "method": frozen.method,
        "words": step.claim,
        "of": of + gold,
        "truth": snapshot.truth,
        "question_version": snapshot.version,
        "epoch": snapshot.epoch,
        "round": snapshot.round,
        "precision": step.precision,
        "recall": step.recall,
        "delta": promise.delta,
        "delta_of_epoch": spend(promise.delta, frozen.epoch),
        "accepted_ranks": step.accepted,
        "rejected_from_rank": step.rejected,
        "delivered": step.delivered,
        "answers_of_epoch": step.asked,
        "seed": frozen.seed,
        "ranking_sha256": frozen.ranking,
        "ranks": frozen.ranks,
        "known_yes": frozen.known_yes,
        "counts": dict(step.counts),
        "proof": proof_of(frozen, step),
    }


def no_certificate(category: Category, decided: Decided, step: Ask | Certified | Refused | None) -> dict[str, Any]:
    """What is said of a set that nothing is proven of: how it was decided, and why there is no certificate."""
    assert decided.round is not None  # noqa: S101 -- chosen() has refused this
    words = PROVES_NOTHING
    if isinstance(step, Ask):
        words = f"No certificate yet: the audit still asks for about {step.ahead:,} pictures."
    if isinstance(step, Refused):
        words = f"Not certified: {step.why}. It would take {step.take}."
    if step is None and _proven(category):
        words = "No certificate yet: nothing is frozen of this pool and its targets. Next: thresher run goes on to it."
    return {
        "certified": False,
        "method": category.targets.method,
        "words": words,
        "targets": {name: asdict(category.targets)[name] for name in ("precision", "recall", "delta")},
        "thresholds": {name: _finite(value) for name, value in asdict(decided.round.thresholds).items()},
        "held_out": dict(decided.round.measures),
        "counts": {
            "yes": int((decided.codes == YES).sum()),
            "no": int((decided.codes == NO).sum()),
            "unknown": int((decided.codes == UNKNOWN).sum()),
        },
    }


def _finite(value: float) -> float | None:
    """A number JSON can carry; a threshold that nothing passes is none."""
    return value if math.isfinite(value) else None
