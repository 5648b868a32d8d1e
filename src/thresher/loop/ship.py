"""From a decided category to a release: what is decided now, with the claim that can be made about it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from thresher.errors import NotReady
from thresher.evidence import Ask, Certified, Refused
from thresher.evidence.log import NONE, Row, log_of
from thresher.evidence.log import certificate_of as proof_of
from thresher.loop.decision import Decision, claim_of, decision, stands_for
from thresher.loop.next_step import can_be_released
from thresher.loop.snapshot import Snapshot
from thresher.loop.sound import must_be_sound, scores_must_be_sound
from thresher.loop.versions import wordings_of
from thresher.loop.ways import way_of
from thresher.records import Label, Release
from thresher.release import FORMATS, Chosen
from thresher.release import release as write_release
from thresher.release.evidence import NOT_RANKED, Piece, evidence_table
from thresher.store.contract import Report, Store

NO_CLASSIFIER = (
    "No certificate: no classifier was trained, so every decision is an answer that people or the owner gave. "
    "A classifier needs a few images of each answer."
)
PROVES_NOTHING = "No certificate: the thresholds were chosen on held-out labels, which proves nothing about the pool."


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
    """Release a category as it is decided now, by the question in force. Raises NotReady if nothing is decided."""
    return write_release(
        chosen(name, store=store),
        to,
        store=store,
        now_ms=now_ms,
        formats=tuple(formats) or tuple(FORMATS),
        report=report,
        stop=stop,
    )


def chosen(name: str, *, store: Store, version: int | None = None) -> Chosen:
    """The contents of a release of this category now: the certified set if there is one, else what is decided.

    By the question in force, or another `version` of it. Raises NotReady if nothing is decided, NotFound for an unknown
    version.
    """
    must_be_sound(name, store=store)
    decided = decision(name, store=store, version=version)
    scores_must_be_sound(decided, store=store)
    if not can_be_released(decided):
        raise NotReady(f"nothing of {name} is decided yet.", next="thresher status, which tells what it waits for")
    category, snapshot, step = decided.basis.category, decided.basis.snapshot, decided.basis.certified
    certificate, evidence = no_certificate(decided), {}
    if snapshot is not None and step is not None:
        certificate = certificate_of(decided, snapshot, step)
        evidence = {"evidence.parquet": evidence_table(pieces(snapshot, step, decided.basis.trusted), store=store)}
    return Chosen(
        category=name,
        version=category.question.version,
        question=category.question.text,
        round=decided.round.number if decided.round else 0,
        rows=decided.rows,
        codes=decided.codes,
        scores=decided.scores,
        similar=stands_for(decided),
        inherited=decided.inherited,
        yes_by=decided.yes_by,
        certificate=certificate,
        evidence=evidence,
        wordings=wordings_of(name, category.question.version, store=store),
    )


def pieces(snapshot: Snapshot, step: Certified, labels: Mapping[int, Label]) -> list[Piece]:
    """Every label and vote that the certificate used: those known at the freeze, then by rank with their draws."""
    known = [Piece(row, Row(NOT_RANKED, NONE), labels[row]) for row in snapshot.known.tolist() if row in labels]
    ranked = log_of(snapshot.state(labels), step)
    return known + [
        Piece(int(snapshot.ranking[row.rank]), row, labels.get(int(snapshot.ranking[row.rank]))) for row in ranked
    ]


def certificate_of(decided: Decision, snapshot: Snapshot, step: Certified) -> dict[str, Any]:
    """The claim in words and numbers, with what was frozen (docs/certificate-format.md)."""
    return {
        **proof_of(snapshot.frozen, step),
        "certified": True,
        "words": claim_of(decided),
        "method": snapshot.frozen.method,
        "truth": snapshot.truth,
        "category": decided.basis.category.name,
        "question": decided.basis.category.question.text,
        "question_version": snapshot.version,
        "epoch": snapshot.epoch,
        "round": snapshot.round,
    }


def no_certificate(decided: Decision) -> dict[str, Any]:
    """The contents of certificate.json without a certificate: how the set was decided, and why nothing is proven."""
    targets, step = decided.basis.category.targets, decided.basis.step
    words, measured = PROVES_NOTHING, {}
    if decided.round is None:
        words = NO_CLASSIFIER
    else:
        thresholds = {name: _finite(value) for name, value in asdict(decided.round.thresholds).items()}
        measured = {"thresholds": thresholds, "held_out": dict(decided.round.measures)}
    if isinstance(step, Ask):
        words = f"No certificate yet: the audits need about {step.ahead:,} more images labelled."
    if isinstance(step, Refused):
        words = f"Not certified: {step.why}. It would take {step.take}."
    if step is None and way_of(targets.method).proves and decided.round is not None:
        words = "No certificate yet: the audits of this pool and these targets have not begun. Next: thresher run"
    return {
        "certified": False,
        "method": targets.method,
        "words": words,
        "targets": {name: asdict(targets)[name] for name in ("precision", "recall", "delta")},
        **measured,
        "counts": asdict(decided.counts),
    }


def _finite(value: float) -> float | None:
    """A number for JSON; None for an infinite threshold."""
    return value if math.isfinite(value) else None
