"""The rivals, on the same scores and labels. Where a reading was open, the one that costs the rival less was taken.

BARGAIN (Zeighami et al., SIGMOD 2026) is its authors' own package. It wants a language model's client to be installed,
which nothing here calls; an empty module stands for it. It has one target for precision and recall: ours are set in its
two phases. What the learning phase has labelled costs it nothing, and every label it has corrects the set it delivers.

SUPG (Kang et al., VLDB 2020) is written from the paper, section 5: importance samples by the square root of the
probability mixed with a uniform tenth, with replacement, and normal bounds. Its two targets are joined at half of delta
each, with the images between the two thresholds labelled, which costs less than labelling all that it returns.

LSUN's cascade is the product's own: thresholds on the held-out labels, the middle labelled.
"""

import math
import sys
import types

import numpy as np
from numpy.typing import NDArray

from selecting.learning import Learned
from selecting.outcome import Outcome, judged
from selecting.pools import Bools, Floats
from thresher.evidence import Promise
from thresher.evidence.cascade import cascade

Places = NDArray[np.int64]
SUPG_BUDGETS = ((500, 250), (1000, 500), (2000, 1000))  # for recall, for precision
MIXED_UNIFORM = 0.1
STEP = 100  # draws between SUPG's candidate thresholds


class _Oracle:
    """Answers by the truth and remembers what was asked."""

    def __init__(self, yes: Bools, seen: Bools) -> None:
        self.yes, self.seen = yes, seen.copy()

    def reset(self) -> None:
        pass

    def get_pred(self, _records: object, places: Places) -> NDArray[np.int64]:
        self.seen[places] = True
        return self.yes[places].astype(np.int64)


class _Proxy:
    """Hands out the head's scores, scaled to what BARGAIN takes for probabilities."""

    def __init__(self, scores: Floats) -> None:
        low, high = float(scores.min()), float(scores.max())
        self.scores = (scores - low) / max(high - low, 1e-12)

    def reset(self) -> None:
        pass

    def get_preds_and_scores(self, places: Places, _records: object) -> tuple[Floats, Floats]:
        return np.ones(len(places)), self.scores[places]


def _without_a_language_model() -> None:
    for name, attribute in (("openai", "OpenAI"), ("tqdm", "tqdm")):
        if name not in sys.modules:
            sys.modules[name] = types.ModuleType(name)
            setattr(sys.modules[name], attribute, object)


def bargain_both(yes: Bools, learned: Learned, promise: Promise, seed: int) -> Outcome:
    """BARGAIN_PR: precision and recall."""
    _without_a_language_model()
    from BARGAIN.process.BARGAIN_PR import BARGAIN_PR

    class TwoTargets(BARGAIN_PR):  # type: ignore[misc]  # the package has no types
        def _find_recall_threshold(self, *arguments: object) -> object:
            self.target = promise.recall
            found = super()._find_recall_threshold(*arguments)
            self.target = promise.precision
            return found

    known = _mask(learned.known, len(yes))
    oracle = _Oracle(yes, known)
    rival = TwoTargets(
        _Proxy(learned.scores), oracle, delta=promise.delta, target=promise.precision, verbose=False, seed=seed
    )
    delivered = np.zeros(len(yes), np.bool_)
    delivered[rival.process(np.arange(len(yes)))] = True
    delivered[oracle.seen] = yes[oracle.seen]
    return judged(yes, delivered, int(oracle.seen.sum()))


def bargain_precise(yes: Bools, learned: Learned, promise: Promise, seed: int, answers: int) -> Outcome:
    """BARGAIN_P on the unlabelled images with what the learning phase has left of the answers."""
    _without_a_language_model()
    from BARGAIN.process.BARGAIN_P import BARGAIN_P

    free = learned.free()
    oracle = _Oracle(yes[free], np.zeros(len(free), np.bool_))
    rival = BARGAIN_P(
        _Proxy(learned.scores[free]),
        oracle,
        delta=promise.delta,
        target=promise.precision,
        budget=answers - len(learned.known),
        seed=seed,
    )
    inside = np.zeros(len(free), np.bool_)
    inside[rival.process(np.arange(len(free)))] = True
    inside[oracle.seen] = yes[free][oracle.seen]
    return judged(yes, _delivered(yes, learned, free[inside]), len(learned.known) + int(oracle.seen.sum()))


def supg_both(yes: Bools, learned: Learned, promise: Promise, seed: int, budget: tuple[int, int]) -> Outcome:
    """SUPG's recall and precision targets, each at half of delta; between its two thresholds all is labelled."""
    random = np.random.default_rng([seed, 2])
    order, prob = _whole_order(yes, learned)
    seen = _mask(learned.known, len(yes))
    truth = yes[order]
    low, drawn = _recall_cut(truth, prob, promise.recall, promise.delta / 2, budget[0], random)
    seen[order[drawn]] = True
    high, drawn = _precision_cut(truth, prob, promise.precision, promise.delta / 2, budget[1], random)
    seen[order[drawn]] = True
    delivered = np.zeros(len(yes), np.bool_)
    delivered[order[: min(low, high)]] = True
    seen[order[high:low]] = True
    delivered[seen] = yes[seen]
    return judged(yes, delivered, int(seen.sum()))


def supg_precise(yes: Bools, learned: Learned, promise: Promise, seed: int, answers: int) -> Outcome:
    """SUPG's precision target with what the learning phase has left of the answers."""
    random = np.random.default_rng([seed, 3])
    order, prob = _whole_order(yes, learned)
    seen = _mask(learned.known, len(yes))
    budget = answers - len(learned.known)
    high, drawn = _precision_cut(yes[order], prob, promise.precision, promise.delta, budget, random)
    seen[order[drawn]] = True
    delivered = np.zeros(len(yes), np.bool_)
    delivered[order[:high]] = True
    delivered[seen] = yes[seen]
    return judged(yes, delivered, int(seen.sum()))


def lsun(yes: Bools, learned: Learned, promise: Promise) -> Outcome:
    """The cascade's two thresholds on the held-out labels of the learning phase; the middle is labelled."""
    known = yes[learned.known]
    found = cascade(learned.held_out, known, precision=promise.precision, recall=promise.recall)
    free = learned.free()
    scores = learned.scores[free]
    middle = (scores >= found.lower) & (scores < found.upper)
    inside = np.where(middle, yes[free], scores >= found.upper)
    return judged(yes, _delivered(yes, learned, free[inside]), len(learned.known) + int(middle.sum()))


def label_all(yes: Bools, promise: Promise) -> Outcome:
    """Label the promised recall's part of the pool at random and deliver the yes: no head, no head's mistakes."""
    answers = math.ceil(promise.recall * len(yes))
    return Outcome(answers, round(promise.recall * int(yes.sum())), 1.0, promise.recall)


def _mask(places: Places, size: int) -> Bools:
    mask = np.zeros(size, np.bool_)
    mask[places] = True
    return mask


def _delivered(yes: Bools, learned: Learned, places: Places) -> Bools:
    delivered = _mask(places, len(yes))
    delivered[learned.known] = yes[learned.known]
    return delivered


def _whole_order(yes: Bools, learned: Learned) -> tuple[Places, Floats]:
    """All images, the best score first, with their probabilities."""
    order = np.argsort(-learned.scores, kind="stable")
    return order, learned.probabilities(yes, order)


def _bounds(values: Floats, delta: float) -> tuple[float, float]:
    """The paper's normal bounds of a mean."""
    reach = math.sqrt(2.0 * math.log(1.0 / (2.0 * delta))) * float(values.std()) / math.sqrt(len(values))
    return float(values.mean()) - reach, float(values.mean()) + reach


def _recall_cut(
    truth: Bools, prob: Floats, recall: float, delta: float, budget: int, random: np.random.Generator
) -> tuple[int, Places]:
    """Ranks to keep for the recall, and the ranks drawn."""
    size = len(truth)
    weights = np.sqrt(np.clip(prob, 0.0, 1.0))
    weights = (1.0 - MIXED_UNIFORM) * weights / weights.sum() + MIXED_UNIFORM / size
    drawn = np.sort(random.choice(size, size=budget, p=weights))
    mass = truth[drawn] / (size * weights[drawn])
    running = np.cumsum(mass)
    if not running[-1]:
        return size, drawn
    cut = int(np.argmax(running >= recall * running[-1]))
    above = np.arange(budget) <= cut
    _, most_above = _bounds(mass * above, delta / 2)
    least_below, _ = _bounds(mass * ~above, delta / 2)
    wanted = most_above / max(most_above + least_below, 1e-12)
    if wanted >= 1.0:
        return size, drawn
    enough = np.flatnonzero((running >= wanted * running[-1]) & (mass > 0))
    return (int(drawn[enough[0]]) + 1 if len(enough) else size), drawn


def _precision_cut(
    truth: Bools, prob: Floats, precision: float, delta: float, budget: int, random: np.random.Generator
) -> tuple[int, Places]:
    """Ranks to accept for the precision (the paper's two stages), and the ranks drawn."""
    size, first = len(truth), budget // 2
    weights = np.sqrt(np.clip(prob, 0.0, 1.0))
    weights = (1.0 - MIXED_UNIFORM) * weights / weights.sum() + MIXED_UNIFORM / size
    looked = random.choice(size, size=first, p=weights)
    _, most_yes = _bounds(truth[looked] / (size * weights[looked]), delta / 2)
    top = min(size, max(50, math.ceil(most_yes * size / precision)))
    inner = weights[:top] / weights[:top].sum()
    drawn = np.sort(random.choice(top, size=budget - first, p=inner))
    step = min(STEP, max(len(drawn) // 5, 1))
    candidates = np.arange(step - 1, len(drawn), step)
    best = 0
    for last in candidates.tolist():
        rank = int(drawn[last])
        share = inner[: rank + 1] / inner[: rank + 1].sum()
        values = truth[drawn[: last + 1]] / ((rank + 1) * share[drawn[: last + 1]])
        least, _ = _bounds(values, delta / 2 / len(candidates))
        if least > precision:
            best = rank + 1
    return best, np.concatenate([looked, drawn])
