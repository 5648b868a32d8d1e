"""Every image labelled by people: no image is drawn at random, nothing is estimated, and every image counts itself.

Two people who agree label an image (its word); where the votes of the first ones differ, or nobody can tell, its label
is adjudicated. The released set is every yes. So by these answers all that is released is yes, and all yes but those
that nobody could answer are released: precision and recall hold by count, with certainty. Errors on which people agree
are not counted, as no random part of the images is adjudicated; the methods `certified` and `adjudicated` do that.

Where few images are left, or the scores are poor, this needs fewer answers than the audits of those methods, which
take three votes and more on each draw.
"""

import numpy as np

from thresher.evidence.martingale import prior_for
from thresher.evidence.plan import may_be_missed
from thresher.evidence.state import Certified, Code, Frozen, Procedure, Promise, Refused, Rung, Want
from thresher.evidence.terms import Fixed, Given
from thresher.records import Purpose


def fix_everything(given: Given) -> Fixed:  # noqa: ARG001 -- every method is given the same
    """Nothing to fix: no rung is accepted and no rank rejected without a label."""
    return Fixed((Rung(0, 0.0, 0.0),), 0, prior_for(0.5), prior_for(0.5))


def certify_everything(frozen: Frozen) -> Procedure:
    """Ask for a word on every rank, then for adjudicated labels where the words are open, and count."""
    ranks = np.arange(frozen.ranks, dtype=np.int64)
    (words,) = yield (Want(Purpose.MIDDLE, ranks, sure=False),), len(ranks)
    open_ = ranks[(words != Code.YES) & (words != Code.NO)]
    codes = np.zeros(0, np.int8)
    if len(open_):
        (codes,) = yield (Want(Purpose.MIDDLE, open_),), len(open_)
    yes = frozen.known_yes + int((words == Code.YES).sum() + (codes == Code.YES).sum())
    unanswerable = frozen.known_unanswerable + int((codes == Code.UNANSWERABLE).sum())
    if unanswerable > unanswerable_most(frozen.promise, yes):
        return Refused(
            why=f"{unanswerable} images can't be answered; as missed yes they are more than the recall target allows",
            take="rewording the question so that they can be answered, removing them, or a lower recall target",
            asked=len(ranks),
        )
    return Certified(
        precision=frozen.promise.precision,
        recall=frozen.promise.recall,
        delta=frozen.promise.delta,
        accepted=0,
        rejected=frozen.ranks,
        delivered=yes,
        asked=len(ranks),
        counts={
            "adjudicated": len(open_),
            "unanswerable": unanswerable,
            "accept_drawn": 0,
            "accept_delta": 0.0,
            "reject_drawn": 0,
        },
    )


def unanswerable_most(promise: Promise, yes: int) -> float:
    """How many images may stay without an answer beside so many yes, if each of them were a yes that is missed."""
    return float(may_be_missed(Promise(1.0, promise.recall, promise.delta), yes)) + 1e-9
