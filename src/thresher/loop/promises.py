"""Building the input of a freeze (evidence/terms.py) from labels, targets and the budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from thresher.evidence import Draws, Frozen, Gold, Means, Pool, Promise, freeze
from thresher.loop.ways import way_of
from thresher.records import Label, Says, Source, Targets


@dataclass(frozen=True, slots=True)
class Purse:
    """The budget of the audits: images they may ask about, votes per image in the middle, and the results on gold.

    `check`: the owner checks the released set.
    """

    pictures: int = 0
    words_of: int = 1
    gold: Gold | None = None
    check: bool = False


def pool_of(probabilities: ArrayLike, labels: Sequence[Label], *, said_no: int, claimed: int = 0) -> Pool:
    """The pool at the freeze: the probabilities of the ranked images, and one trusted label of each known group.

    `said_no` counts the last of the ranked images, those that people called no; `claimed` the first, those that labels
    made elsewhere call yes.
    """
    says = [label.says for label in labels]
    adjudicated = sum(label.source is Source.ADJUDICATED for label in labels)
    return Pool(probabilities, says.count(Says.YES), says.count(Says.UNSURE), adjudicated, said_no, claimed)


def promise_of(targets: Targets) -> Promise:
    """The targets as evidence.Promise."""
    return Promise(targets.precision, targets.recall, targets.delta)


def frozen_of(targets: Targets, pool: Pool, purse: Purse, draws: Draws) -> Frozen:
    """Everything that the certificate of these targets will depend on. Raises BadInput for a method without one."""
    aside = round(way_of(targets.method).recall_share * purse.pictures)
    return freeze(
        targets.method, promise_of(targets), pool, draws, Means(purse.pictures, aside, purse.gold, purse.check)
    )
