"""From a decided category to a release: what is decided now, with the claim that can be made about it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from thresher.errors import NotReady
from thresher.evidence import Ask, Refused
from thresher.loop.decision import Decision, stands_for
from thresher.loop.next_step import can_be_released
from thresher.loop.proof import certificate_of, files_of, logged_decision, must_be_counted
from thresher.loop.sound import must_be_sound, scores_must_be_sound
from thresher.loop.versions import wordings_of
from thresher.loop.ways import way_of
from thresher.records import Release
from thresher.release import FORMATS, Chosen
from thresher.release import release as write_release
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
        chosen(name, store=store, now_ms=now_ms),
        to,
        store=store,
        now_ms=now_ms,
        formats=tuple(formats) or tuple(FORMATS),
        report=report,
        stop=stop,
    )


def chosen(name: str, *, store: Store, now_ms: int, version: int | None = None) -> Chosen:
    """The contents of a release of this category now: the certified set if there is one, else what is decided.

    By the question in force, or another `version` of it. Raises NotReady if nothing is decided, NotFound for an unknown
    version.
    """
    must_be_sound(name, store=store)
    decided = logged_decision(name, version=version, store=store, now_ms=now_ms)
    scores_must_be_sound(decided, store=store)
    if not can_be_released(decided):
        raise NotReady(f"nothing of {name} is decided yet.", next="thresher status, which tells what it waits for")
    category, snapshot, step = decided.basis.category, decided.basis.snapshot, decided.basis.certified
    certificate, evidence = no_certificate(decided), {}
    if snapshot is not None and step is not None:
        must_be_counted(decided, step)
        certificate = certificate_of(decided, snapshot, step)
        evidence = files_of(decided, snapshot, step, store=store)
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
        held=decided.basis.held,
    )


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
