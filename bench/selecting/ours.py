"""Our certificates, run on a pool whose truth answers."""

import numpy as np
from numpy.typing import NDArray

from selecting.learning import Learned
from selecting.outcome import Outcome, judged
from selecting.pools import Bools
from thresher.evidence import (
    METHODS,
    Certified,
    Curve,
    Draws,
    Frozen,
    Means,
    Pool,
    Promise,
    freeze,
    points_of,
    scouts,
    sketch,
    spend,
)
from thresher.loop.scouting import LEAP, SCOUTINGS, WIDE
from thresher.records import Purpose


def certified(yes: Bools, learned: Learned, promise: Promise, seed: int) -> Outcome:
    """Precision and recall, the labels being the truth."""
    learned = _scouted(yes, learned, promise)
    free = learned.free()
    frozen = freeze("certified", promise, _pool(yes, learned, free), Draws(f"{seed:064x}"))
    return _run(frozen, yes, learned, free)


def precise(yes: Bools, learned: Learned, promise: Promise, seed: int, answers: int) -> Outcome:
    """The largest precise set that `answers` in all buy, those of the learning phase counted."""
    free = learned.free()
    left = Means(answers - len(learned.known))
    frozen = freeze("precision", promise, _pool(yes, learned, free), Draws(f"{seed:064x}"), left)
    return _run(frozen, yes, learned, free)


def _pool(yes: Bools, learned: Learned, free: NDArray[np.int64]) -> Pool:
    return Pool(learned.probabilities(yes, free), known_yes=int(yes[learned.known].sum()))


def _scouted(yes: Bools, learned: Learned, promise: Promise) -> Learned:
    """A few labels more where the plan is least sure; they are never random evidence. Again while the plan leaps."""
    before = 0
    for _ in range(SCOUTINGS):
        free = learned.free()
        curve = Curve(points_of(learned.probabilities(yes, free)))
        plan = sketch(curve, int(yes[learned.known].sum()), promise, delta=spend(promise.delta, 0))
        if before and (plan.accepted < LEAP * before and before < LEAP * plan.accepted):
            break
        before = plan.accepted
        more = free[scouts(plan, len(free))]
        held_out = np.concatenate([learned.held_out, learned.scores[more]])
        learned = Learned(np.concatenate([learned.known, more]), learned.scores, held_out)
        if plan.rejected - plan.accepted >= WIDE:
            break
    return learned


def _run(frozen: Frozen, yes: Bools, learned: Learned, free: NDArray[np.int64]) -> Outcome:
    truth = yes[free].astype(np.int8)
    labelled = np.zeros(len(free), np.bool_)
    steps = METHODS[frozen.method].procedure(frozen)
    by_purpose = dict.fromkeys(Purpose, 0)
    try:
        wants, _ = next(steps)
        while True:
            for want in wants:
                by_purpose[want.purpose] += int((~labelled[want.ranks]).sum())
                labelled[want.ranks] = True
            wants, _ = steps.send(tuple(truth[want.ranks] for want in wants))
    except StopIteration as end:
        step = end.value
    accepted = step.accepted if isinstance(step, Certified) else 0
    inside = np.where(labelled, truth == 1, np.arange(len(free)) < accepted)
    delivered = np.zeros(len(yes), np.bool_)
    delivered[free[inside]] = True
    delivered[learned.known] = yes[learned.known]
    parts = {purpose.value: count for purpose, count in by_purpose.items() if count}
    return judged(yes, delivered, len(learned.known) + int(labelled.sum()), parts)
