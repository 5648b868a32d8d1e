"""What a promise freezes of a pool: from labels, and what its audits may use, to the mathematics that fix a plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from thresher.evidence import Draws, Frozen, Gold, Means, Pool, Promise, freeze
from thresher.loop.ways import way_of
from thresher.records import Label, Says, Source, Targets


@dataclass(frozen=True, slots=True)
class Purse:
    """What the audits may use: pictures they may ask about, votes that make a word, and what gold says of them."""

    pictures: int = 0
    words_of: int = 1
    gold: Gold | None = None


def pool_of(probabilities: ArrayLike, labels: Sequence[Label], *, said_no: int) -> Pool:
    """The pool at the freeze: the ranked images' probabilities, and one label of each known group, all of which hold.

    `said_no` counts the last of the ranked images, those that people called no.
    """
    says = [label.says for label in labels]
    adjudicated = sum(label.source is Source.ADJUDICATED for label in labels)
    return Pool(probabilities, says.count(Says.YES), says.count(Says.UNSURE), adjudicated, said_no)


def promise_of(targets: Targets) -> Promise:
    """What is promised."""
    return Promise(targets.precision, targets.recall, targets.delta)


def frozen_of(targets: Targets, pool: Pool, purse: Purse, draws: Draws) -> Frozen:
    """All that the certificate of these targets will rest on. Raises BadInput for a method that proves nothing."""
    aside = round(way_of(targets.method).recall_share * purse.pictures)
    return freeze(targets.method, promise_of(targets), pool, draws, Means(purse.pictures, aside, purse.gold))
