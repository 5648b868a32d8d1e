"""The sentences of a certificate, made from what was recomputed: docs/certificate-format.md, "The sentences"."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from thresher.verify.frozen import Frozen
from thresher.verify.slips import slips_of
from thresher.verify.statistics import cut4

ANSWERS = {"people": "adjudicated answers", "owner": "the owner's answers"}
TOGETHER = "an image on which most annotators make the same error is not counted as an error"


def sentences(frozen: Frozen, figures: Mapping[str, float], *, delivered: int, files: int) -> str:
    """All sentences as one text, for `delivered` units and so many released `files`."""
    plural = "file is" if files == 1 else "files are"
    similar = f"Similar images count once: {files:,} {plural} released."
    return " ".join(
        [_claim(frozen, figures, delivered), similar, _errors(frozen), *_checked(frozen, figures), *_withheld(figures)]
    )


def _claim(frozen: Frozen, figures: Mapping[str, float], delivered: int) -> str:
    if frozen.method == "everything":
        return _of_everything(frozen, int(figures["unanswerable"]), delivered)
    start = f"With confidence {_number(1 - frozen.delta)}, by {ANSWERS[frozen.truth]}:"
    day = datetime.fromtimestamp(frozen.at_ms / 1000, UTC).strftime("%Y-%m-%d")
    pool = f"this pool of {frozen.units:,} images as frozen on {day}"
    precise = f"at least {_number(frozen.precision)} of the {delivered:,} released images are yes"
    if frozen.method == "precision":
        sure = _number(cut4(1 - figures["reject_delta"]))
        return (
            f"{start} {precise}. If so, they are, with confidence {sure}, at least "
            f"{_number(figures['recall_at_least'])} of all yes of {pool}; this method has no recall target."
        )
    if not delivered and frozen.recall > 0.0:
        return f"{start} {pool} contains no yes, so the released set is empty."
    if frozen.method == "labels":
        return f"{start} {_of_labels(frozen, figures, precise, pool)}"
    if frozen.method == "recall":
        return (
            f"{start} at least {_number(frozen.recall)} of all yes of {pool} are among the {delivered:,} released "
            f"images, of which then at least {_number(figures['precision_at_least'])} are yes; this method has no "
            f"precision target."
        )
    return f"{start} {precise}, and they are at least {_number(frozen.recall)} of all yes of {pool}."


def _of_labels(frozen: Frozen, figures: Mapping[str, float], precise: str, pool: str) -> str:
    base, drawn, bad, looked, found = (
        int(figures[name]) for name in ("base", "accept_drawn", "accept_bad", "reject_drawn", "reject_bad")
    )
    if frozen.units == frozen.ranks and base == frozen.top:
        least = _number(frozen.precision)
        precise = f"at least {least} of the {base:,} images that the labels call yes are yes, and {precise}"
    seen = f"Of {drawn:,} images drawn from those that the labels call yes, {bad:,} were not yes"
    if frozen.recall <= 0.0:
        return f"{precise}; no recall is promised. {seen}."
    whole = f"{precise}, and they are at least {_number(frozen.recall)} of all yes of {pool}"
    return f"{whole}. {seen}; of {looked:,} drawn from the others, {found:,} were not no."


def _of_everything(frozen: Frozen, unanswerable: int, delivered: int) -> str:
    day = datetime.fromtimestamp(frozen.at_ms / 1000, UTC).strftime("%Y-%m-%d")
    start = f"Every image of this pool of {frozen.units:,} images as frozen on {day} was labelled by people"
    what = "image that nobody could answer is" if unanswerable == 1 else "images that nobody could answer are"
    rest = f"; {unanswerable:,} {what} not released" if unanswerable else ""
    if not delivered:
        return f"{start}: by these answers it contains no yes, so the released set is empty{rest}."
    return f"{start}: by these answers the {delivered:,} released images are all of its yes{rest}."


def _errors(frozen: Frozen) -> str:
    if frozen.method == "everything":
        return f"The answer of annotators who agree, else the adjudicated one, is taken as the truth: {TOGETHER}."
    if frozen.truth == "owner":
        return "The owner's answers are taken as the truth."
    if frozen.gold is None:
        return f"The adjudicated answers are taken as the truth: {TOGETHER}."
    slips, gold = slips_of(frozen), frozen.gold
    yes, no = _number(_up(slips.yes)), _number(_up(slips.no))
    return (
        f"Independent errors of adjudication are counted, on at most {yes} of the yes and {no} of the no, as measured "
        f"on {gold.yes_shown:,} and {gold.no_shown:,} gold images, {gold.audited:,} of them drawn at random by earlier "
        f"audits; {TOGETHER}."
    )


def _checked(frozen: Frozen, figures: Mapping[str, float]) -> tuple[str, ...]:
    if frozen.check_delta <= 0.0:
        return ()
    drawn, size, bad, looked, not_no, most, of = (
        f"{int(figures[f'check_{name}']):,}"
        for name in ("drawn", "size", "bad", "rejected_drawn", "rejected_bad", "missed_at_most", "rejected")
    )
    proven = (
        f"The owner checked {drawn} of the {size} images that people had proven so, drawn at random, and {bad} were "
        f"not yes: by the owner's answers at least {_number(frozen.precision)} of the released images are yes, "
        "whatever errors annotators make together."
    )
    sure = _number(cut4(1 - figures["check_delta"]))
    missed = (
        f"Of {looked} rejected images {not_no} were not no: with confidence {sure}, at most {most} of the {of} are yes."
    )
    return (proven, missed)


def _withheld(figures: Mapping[str, float]) -> tuple[str, ...]:
    count = int(figures.get("withheld", 0))
    what = "image that people called yes is" if count == 1 else "images that people called yes are"
    why = "so many of them may be errors that the claim would not hold"
    return (f"{count:,} further {what} withheld: {why}.",) if count else ()


def _number(value: float) -> str:
    return f"{value:.10g}"


def _up(rate: float) -> float:
    """A rate, rounded up to four digits after the point."""
    return math.ceil(rate * 1e4 - 1e-6) / 1e4
