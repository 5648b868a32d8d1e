"""What each promise freezes of a pool: the table from a method's name to the mathematics that fixes its plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thresher.evidence import (
    Frozen,
    Gold,
    Promise,
    freeze,
    freeze_adjudicated,
    freeze_precision,
    freeze_recall,
)
from thresher.records import Label, Says, Source

RECALL_SHARE = 0.1  # of the answers that "precision" has, set aside to bound what was missed


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a pool at the freeze: yes and unanswerable ones, how many of all were adjudicated one by one,
    and how many of the last ranks people called no.
    """

    yes: int
    unanswerable: int
    adjudicated: int
    said_no: int

    @classmethod
    def of(cls, labels: Sequence[Label], *, said_no: int) -> "Known":
        """Counted from one label of each similar group, all of which hold."""
        says = [label.says for label in labels]
        adjudicated = sum(label.source is Source.ADJUDICATED for label in labels)
        return cls(says.count(Says.YES), says.count(Says.UNSURE), adjudicated, said_no)


@dataclass(frozen=True, slots=True)
class Purse:
    """What the audits may use: pictures they may ask about, votes that make a word, and what gold says of them."""

    pictures: int = 0
    words_of: int = 1
    gold: Gold | None = None


def _both(promise: Promise, chances: Any, known: Known, _: Purse, **fixed: Any) -> Frozen:  # noqa: ANN401 -- handed on
    return freeze(promise, chances, known_yes=known.yes, known_unanswerable=known.unanswerable, **fixed)


def _adjudicated(promise: Promise, chances: Any, known: Known, purse: Purse, **fixed: Any) -> Frozen:  # noqa: ANN401 -- handed on
    return freeze_adjudicated(promise, chances, said_no=known.said_no, **_people_s(known, purse), **fixed)


def _precision(promise: Promise, chances: Any, known: Known, purse: Purse, **fixed: Any) -> Frozen:  # noqa: ANN401 -- handed on
    aside = round(RECALL_SHARE * purse.pictures)
    given = _people_s(known, purse)
    return freeze_precision(promise, chances, answers=purse.pictures, recall_answers=aside, **given, **fixed)


def _recall(promise: Promise, chances: Any, known: Known, purse: Purse, **fixed: Any) -> Frozen:  # noqa: ANN401 -- handed on
    return freeze_recall(promise, chances, answers=purse.pictures, **_people_s(known, purse), **fixed)


def _people_s(known: Known, purse: Purse) -> dict[str, Any]:
    """What people said before the freeze, and how far gold lets them be believed."""
    return {
        "known_yes": known.yes,
        "known_unanswerable": known.unanswerable,
        "adjudicated": known.adjudicated,
        "gold": purse.gold,
    }


PROMISES: dict[str, Callable[..., Frozen]] = {
    "certified": _both,
    "adjudicated": _adjudicated,
    "precision": _precision,
    "recall": _recall,
}
