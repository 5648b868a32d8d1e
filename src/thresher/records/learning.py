"""Learning: thresholds, counts, rounds and releases."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A score at or above `upper` is a yes, below `lower` a no, between them unknown."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Yes, no and unknown of a pool after a round."""

    yes: int = 0
    no: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the images of one decision were decided by: a label of their own, a copy's decision, or their score.

    `scored` includes images that a certificate decides by their rank.
    """

    labelled: int = 0
    inherited: int = 0
    scored: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """One training of the head and one scoring of the pool; `column` holds the scores.

    `beside` names the labels from elsewhere that the head could learn from, each with its checksum;
    `learnt` is a hash of the labels that it learnt from (learn/known.py), empty in a round of an earlier version.
    """

    number: int
    category: str
    version: int
    backbone: str
    column: str
    thresholds: Thresholds
    counts: Counts
    labels_yes: int
    labels_no: int
    measures: Mapping[str, float]
    head: str
    at_ms: int
    seconds: float
    beside: tuple[str, ...] = ()
    learnt: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """A frozen, exported version of a category.

    `round` is 0 if answers alone decided. `fingerprint` is the hash of what was decided; older ones have none.
    """

    id: str
    category: str
    version: int
    round: int
    path: str
    images: int
    certificate: Mapping[str, object]
    at_ms: int
    fingerprint: str = ""
