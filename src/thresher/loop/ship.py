"""From a decided category to a release: what is decided now, with the claim that can be made of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import NotReady
from thresher.evidence import Ask, Certified, Refused
from thresher.learn.decide import NO, UNKNOWN, YES, Decided, decide
from thresher.loop.certified import step_of
from thresher.loop.snapshot import Snapshot, holds, latest
from thresher.records import Category, Label, Release, Says
from thresher.release import FORMATS, Chosen
from thresher.release import release as write_release
from thresher.release.evidence import Piece, evidence_table
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
    snapshot = latest(category, store=store) if category.targets.method == "certified" else None
    step = step_of(category, snapshot, store=store) if snapshot else None
    codes, certificate, evidence = decided.codes, no_certificate(category, decided, step), {}
    if snapshot is not None and isinstance(step, Certified):
        labels = {label.row: label for label in store.labels.held(name, snapshot.version) if holds(label)}
        codes = certified_codes(decided, snapshot, step, labels)
        certificate = certificate_of(category, snapshot, step)
        evidence = {
            "frozen.json": snapshot.frozen.to_bytes(),
            "evidence.parquet": evidence_table(pieces(snapshot, labels), store=store),
        }
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


def certified_codes(
    decided: Decided, snapshot: Snapshot, step: Certified, labels: dict[int, Label]
) -> NDArray[np.int8]:
    """Yes, no or unknown [n] as the certificate has it: accepted ranks and every yes people gave; the rest no.

    Members of a similar group follow the one that represents them. What came after the freeze is unknown.
    """
    yes = set(snapshot.ranking[: step.accepted].tolist())
    for row, label in labels.items():
        (yes.add if label.says is Says.YES else yes.discard)(row)
    spoken_of = set(snapshot.ranking.tolist()) | set(labels)
    by_group: dict[int, int] = {}
    for row, group in zip(decided.rows.tolist(), decided.similar.tolist(), strict=True):
        if row in spoken_of:
            by_group[group] = max(by_group.get(group, NO), YES if row in yes else NO)
    return np.array([by_group.get(group, UNKNOWN) for group in decided.similar.tolist()], np.int8)


def pieces(snapshot: Snapshot, labels: dict[int, Label]) -> list[Piece]:
    """Every label the certificate used: those known at the freeze, then by rank."""
    rank_of = dict(zip(snapshot.ranking.tolist(), range(len(snapshot.ranking)), strict=True))
    known = set(snapshot.known.tolist())
    used = [
        Piece(row, rank_of.get(row, -1), "known" if row in known else label.purpose.value, label)
        for row, label in labels.items()
        if row in known or row in rank_of
    ]
    return sorted(used, key=lambda piece: (piece.rank, piece.row))


def certificate_of(category: Category, snapshot: Snapshot, step: Certified) -> dict[str, Any]:
    """The claim in words and numbers, and all that a stranger needs to compute it again."""
    return {
        "certified": True,
        "method": snapshot.frozen.method,
        "words": step.claim,
        "of": "this pool as it was frozen, one image of each similar group, against adjudicated answers",
        "question_version": snapshot.version,
        "epoch": snapshot.epoch,
        "round": snapshot.round,
        "precision": step.precision,
        "recall": step.recall,
        "delta": category.targets.delta,
        "delta_of_epoch": step.delta,
        "accepted_ranks": step.accepted,
        "rejected_from_rank": step.rejected,
        "delivered": step.delivered,
        "answers_of_epoch": step.asked,
        "seed": snapshot.frozen.seed,
        "ranking_sha256": snapshot.frozen.ranking,
        "ranks": snapshot.frozen.ranks,
        "known_yes": snapshot.frozen.known_yes,
        "counts": dict(step.counts),
    }


def no_certificate(category: Category, decided: Decided, step: Ask | Certified | Refused | None) -> dict[str, Any]:
    """What is said of a set that nothing is proven of: how it was decided, and why there is no certificate."""
    assert decided.round is not None  # noqa: S101 -- chosen() has refused this
    words = PROVES_NOTHING
    if isinstance(step, Ask):
        words = f"No certificate yet: the audit still asks for about {step.ahead:,} pictures."
    if isinstance(step, Refused):
        words = f"Not certified: {step.why}. It would take {step.take}."
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
