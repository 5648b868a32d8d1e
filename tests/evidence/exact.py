"""How often a false bound is ever accepted, computed and not simulated: over all orders of an urn, and all moments.

Each function takes a truth that just breaks a promise (counted here from the promise itself), asks the product whether
it would accept after so many draws with so many bad ones, and returns the probability that it ever does.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from thresher.evidence import adjudicated, certify, check, labels, martingale, methods, plan, recall
from thresher.evidence.curve import Curve
from thresher.evidence.martingale import Prior
from thresher.evidence.noise import slips_of
from thresher.evidence.state import Code, Frozen, Promise, State, Want
from thresher.evidence.terms import Draws, Means, Pool
from thresher.evidence.urns import Known, Urn
from thresher.records import Purpose

Grid = NDArray[np.bool_]
Accepts = Callable[[int, int], bool]

# --- the programme ----------------------------------------------------------------------------------------------------


def ever(size: int, bad: int, accepted: Grid) -> float:
    """The probability that the draws of an urn ever come to a state (drawn, bad drawn) that is accepted.

    `accepted` [size + 1, bad + 1].
    """
    return 1.0 - float(waiting(size, bad, accepted)[-1])


def waiting(size: int, bad: int, accepted: Grid) -> NDArray[np.float64]:
    """The probability [len(accepted)] that no state was accepted with so many draws or fewer.

    Their sum is the average number of draws. The weights are those of the orders that were not accepted before.
    """
    alive = np.zeros(bad + 1)
    alive[0] = 1.0
    hits = np.arange(bad + 1)
    absorbed = np.zeros(len(accepted))
    first = np.flatnonzero(accepted.any(axis=1))
    for drawn in range(len(accepted)):
        if drawn:
            left = size - drawn + 1
            to_bad = alive * (bad - hits) / left
            alive = alive * np.maximum(left - (bad - hits), 0) / left
            alive[1:] += to_bad[:-1]
        if len(first) and drawn >= first[0]:
            now = accepted[drawn]
            absorbed[drawn] = float(alive[now].sum())
            alive[now] = 0.0
    return np.asarray(1.0 - np.cumsum(absorbed))


def by_steps(size: int, bad: int, accepts: Accepts) -> Grid:
    """The states that are accepted, where more good draws never lose an acceptance (test_exact.py shows that)."""
    grid = np.zeros((size + 1, bad + 1), np.bool_)
    for hits in range(bad + 1):
        low, high = hits, size - bad + hits + 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if accepts(middle, hits) else (middle + 1, high)
        if low > size - bad + hits:
            break  # nor with more bad draws (fact 3 of martingale.py)
        grid[low:, hits] = True
    return grid


def beyond(bound: float) -> int:
    """The smallest whole number above a bound that is a product of decimals."""
    return math.floor(bound + 1e-9) + 1


# --- one urn ----------------------------------------------------------------------------------------------------------


def urn(size: int, bound: int, prior: Prior, delta: float, *, bad: int | None = None) -> float:
    """At most `bound` of `size`, in truth one more (or `bad`)."""
    truth = bound + 1 if bad is None else bad
    drawn, hits = np.arange(size + 1)[:, None], np.arange(truth + 1)[None, :]
    return ever(size, truth, martingale.at_most(size, drawn, hits, bound, prior, delta))


def upper_limit(size: int, drawn: int, bad: int, prior: Prior, delta: float) -> float:
    """The probability that the upper confidence bound after `drawn` draws is below the truth."""
    chance = hypergeom(size, bad, drawn)
    return float(sum(chance.pmf(k) for k in range(bad + 1) if martingale.most(size, drawn, k, prior, delta) < bad))


# --- the joint certificate --------------------------------------------------------------------------------------------


def joint(promise: Promise, top: int, ranks: int, *, known_yes: int = 0, unanswerable: int = 0) -> Frozen:
    """What a freeze fixes for a head that is sure of the first `top` ranks."""
    probability = np.where(np.arange(ranks) < top, 0.999, 1e-6)
    pool = Pool(probability, known_yes, known_unanswerable=unanswerable)
    return methods.freeze("certified", promise, pool, Draws("ab" * 32))


def _one_rung(frozen: Frozen, rung: int, cut: int) -> Frozen:
    """The description with one rung and no cut but these two; of the curve only plans depend."""
    only = replace(frozen, ladder=(frozen.ladder[rung],), said_no=frozen.ranks - cut)
    place = frozen.ladder[rung].rank
    return replace(only, curve=((0, 0.0), (place, float(place)), (frozen.ranks, float(place))))


def _table(frozen: Frozen, top: int, known: Known | None = None) -> plan.Table:
    size = frozen.ranks - frozen.reject_from
    accept = Urn(frozen.seed, "accept", 0, top, frozen.accept_prior)
    reject = Urn(frozen.seed, "reject", frozen.reject_from, size, frozen.reject_prior)
    return plan.Table(frozen, Curve(frozen.curve), accept, reject, known or Known())


def _codes(count: int, bad: int, code: Code, other: Code) -> NDArray[np.int8]:
    return np.array([code] * bad + [other] * (count - bad), np.int8)


def _draw(table: plan.Table, ranks: NDArray[np.int64], codes: NDArray[np.int8], purpose: Purpose) -> None:
    """As the procedure takes draws, but for their labels: those of the middle are known before."""
    want = Want(purpose, ranks)
    bare = replace(table, known=Known())
    certify._take(bare, (want,), (codes,))


def false_precision(
    promise: Promise, top: int, ranks: int, *, rung: int = 0, open_: bool = False
) -> tuple[float, float]:
    """A rung of the joint certificate with one no too many (`open_`: images that nobody can answer): chance, and delta.

    One of them is the last rank below the rung. The other audit has drawn all and found nothing.
    """
    frozen = joint(promise, top, ranks)
    highest, place = frozen.ladder[0].rank, frozen.ladder[rung].rank
    only = _one_rung(frozen, rung, max(place, frozen.reject_from))
    bad = beyond((1.0 - promise.precision) * place)
    code = Code.UNANSWERABLE if open_ else Code.NO

    def accepts(drawn: int, hits: int) -> bool:
        table = _table(only, highest)
        table.reject.take(table.reject.size, np.zeros(0, np.int64))
        where = np.array([place - 1 - number for number in range(hits)] + [place] * (drawn - hits), np.int64)
        _draw(table, where, _codes(drawn, hits, code, Code.YES), Purpose.AUDIT_PRECISION)
        return plan.cheapest(table).holds

    return ever(highest, bad, by_steps(highest, bad, accepts)), frozen.ladder[rung].accept_delta


def false_recall(
    promise: Promise,
    top: int,
    ranks: int,
    *,
    rung: int = 0,
    known_yes: int = 0,
    unanswerable: int = 0,
    open_: int = 0,
) -> tuple[float, float]:
    """A rung with one missed yes too many, the accepted part holding as many no as it may: chance, and delta.

    Of the missed, `open_` are images of the middle that nobody can answer, one is at the cut and the others are beyond
    it; `unanswerable` more are among the images known before.
    """
    frozen = joint(promise, top, ranks, known_yes=known_yes, unanswerable=unanswerable)
    highest, place = frozen.ladder[0].rank, frozen.ladder[rung].rank
    cut = max(place, frozen.reject_from) + open_
    only = _one_rung(frozen, rung, cut)
    base = known_yes + place
    no = math.floor((1.0 - promise.precision) * base + 1e-9)
    bad = beyond((1.0 - promise.recall) / promise.recall * (base - no) - unanswerable)
    size = frozen.ranks - frozen.reject_from
    opened = np.arange(cut - open_, cut, dtype=np.int64)

    def accepts(drawn: int, hits: int) -> bool:
        known = Known()
        known.take(opened, np.full(open_, Code.UNANSWERABLE, np.int8))
        table = _table(only, highest, known)
        table.accept.take(highest, np.zeros(no, np.int64))
        yes = max(hits - open_, 0)
        where = np.concatenate([opened[: min(hits, open_)], cut + np.arange(yes), np.full(drawn - hits, cut)])
        codes = np.concatenate(
            [np.full(min(hits, open_), Code.UNANSWERABLE), np.full(yes, Code.YES), np.full(drawn - hits, Code.NO)]
        )
        _draw(table, where.astype(np.int64), codes.astype(np.int8), Purpose.AUDIT_RECALL)
        return plan.cheapest(table).holds

    return ever(size, bad, by_steps(size, bad, accepts)), frozen.ladder[rung].reject_delta


# --- adjudicated ------------------------------------------------------------------------------------------------------


def false_words(promise: Promise, top: int, ranks: int, middle: int, *, mute: bool = False) -> tuple[float, float]:
    """One missed yes too many, all of them between rung and cut, where people say no: chance, and delta.

    `mute`: those that are drawn got their labels first, so that they have no word.
    """
    probability = np.where(np.arange(ranks) < top, 0.999, 1e-6)
    frozen = methods.freeze("adjudicated", promise, Pool(probability, 0), Draws("ab" * 32))
    first = frozen.reject_from
    only = replace(_one_rung(frozen, 0, first + middle), reject_from=first)
    no = math.floor((1.0 - promise.precision) * first + 1e-9)
    bad = beyond((1.0 - promise.recall) / promise.recall * (first - no))
    size = ranks - first
    ours = np.arange(first, first + middle, dtype=np.int64)
    none = np.zeros(0, np.int64)

    def accepts(drawn: int, hits: int) -> bool:
        reject = Urn(frozen.seed, "reject", first, size, frozen.reject_prior)
        words, sure = Known(), Known()
        words.take(ours, np.full(middle, Code.NO, np.int8))
        singles, slips = ours[: hits if mute else 0], slips_of(None, promise.delta)
        desk = adjudicated._Desk(only, Curve(only.curve), slips, reject, words, sure, singles, none, none)
        reject.take(drawn, none)
        where = np.concatenate([ours[:hits], np.arange(ranks - (drawn - hits), ranks)])
        sure.take(where, _codes(drawn, hits, Code.YES, Code.NO))
        desk.drawn = where
        return plan.cheapest(desk.table()).reject_holds

    return ever(size, bad, by_steps(size, bad, accepts)), only.ladder[0].reject_delta


# --- recall -----------------------------------------------------------------------------------------------------------


def false_recall_alone(promise: Promise, answers: int, top: int, ranks: int, no: int) -> tuple[float, float]:
    """`no` of the ranks below the rung, and one missed yes too many beyond it: chance, and delta of both audits."""
    probability = np.where(np.arange(ranks) < top, 0.9, 1e-4)
    frozen = methods.freeze("recall", promise, Pool(probability, 0), Draws("ab" * 32), Means(answers))
    rung = frozen.ladder[0]
    looks = min(recall._accept_draws(answers), rung.rank)
    bad = beyond((1.0 - promise.recall) / promise.recall * (rung.rank - no))
    size = ranks - rung.rank
    chance, of_draws = 0.0, hypergeom(rung.rank, no, looks)
    bounds: dict[float, float] = {}
    for hits in range(min(no, looks) + 1):
        weight = float(of_draws.pmf(hits))
        if weight < 1e-12:
            chance += weight  # not worth computing; counted as false
            continue
        accept = Urn(frozen.seed, "accept", 0, rung.rank, frozen.accept_prior)
        accept.take(looks, np.arange(hits))
        bound = recall._bounds(frozen, slips_of(frozen.gold, promise.delta), accept)[1]
        if bound not in bounds:
            bounds[bound] = ever(size, bad, _lowest(frozen, size, bad, bound))
        chance += weight * bounds[bound]
    return chance, rung.accept_delta + rung.reject_delta


def _lowest(frozen: Frozen, size: int, bad: int, bound: float) -> Grid:
    def accepts(drawn: int, hits: int) -> bool:
        reject = Urn(frozen.seed, "reject", frozen.ladder[0].rank, size, frozen.reject_prior)
        reject.take(drawn, np.full(hits, frozen.ranks))
        return recall._lowest(frozen, reject, bound) is not None

    return by_steps(size, bad, accepts)


# --- labels that were made elsewhere ----------------------------------------------------------------------------------


def labelled(promise: Promise, claimed: int, ranks: int, *, known_yes: int = 0, unanswerable: int = 0) -> Frozen:
    """What a freeze fixes for labels that call the first `claimed` ranks yes."""
    probability = np.where(np.arange(ranks) < claimed, 0.97, 0.03)
    pool = Pool(probability, known_yes, known_unanswerable=unanswerable, claimed=claimed)
    return methods.freeze("labels", promise, pool, Draws("ab" * 32))


def _of_labels(frozen: Frozen, which: int, bad: int, codes: tuple[Code, Code]) -> float:
    """The chance that one of the audits ever holds where `bad` of its items are of the first code, the rest good."""
    size = labels.audits_of(frozen)[which].urn.size

    def accepts(drawn: int, hits: int) -> bool:
        audit = labels.audits_of(frozen)[which]
        audit.take(_codes(drawn, hits, *codes))
        return audit.holds

    return ever(size, bad, by_steps(size, bad, accepts))


def false_labels(
    promise: Promise, claimed: int, ranks: int, *, known_yes: int = 0, open_: bool = False
) -> tuple[float, float]:
    """Labels with one claimed image too many that is no (`open_`: that nobody can answer): the chance, and delta."""
    frozen = labelled(promise, claimed, ranks, known_yes=known_yes)
    bad = beyond((1.0 - promise.precision) * (known_yes + claimed))
    code = Code.UNANSWERABLE if open_ else Code.NO
    return _of_labels(frozen, 0, bad, (code, Code.YES)), 0.85 * promise.delta


def false_labels_recall(
    promise: Promise, claimed: int, ranks: int, *, known_yes: int = 0, unanswerable: int = 0, open_: bool = False
) -> tuple[float, float]:
    """Labels that miss one yes too many, with as many no among the claimed as there may be: the chance, and delta.

    `unanswerable` are known before, and count as missed; with `open_` those that are missed are such images too.
    """
    frozen = labelled(promise, claimed, ranks, known_yes=known_yes, unanswerable=unanswerable)
    base = known_yes + claimed
    no = math.floor((1.0 - promise.precision) * base + 1e-9)
    bad = beyond((1.0 - promise.recall) / promise.recall * (base - no) - unanswerable)
    code = Code.UNANSWERABLE if open_ else Code.YES
    return _of_labels(frozen, 1, bad, (code, Code.NO)), 0.85 * promise.delta


# --- the owner's check ------------------------------------------------------------------------------------------------


def false_check(promise: Promise, size: int) -> tuple[float, float]:
    """A set with one no too many by the owner's answers: the chance that its check holds, and its delta."""
    pool, means = Pool(np.full(2 * size, 0.5), 0), Means(check=True)
    frozen = methods.freeze("adjudicated", promise, pool, Draws("ab" * 32), means)
    found, bad = np.arange(size, dtype=np.int64), beyond((1.0 - promise.precision) * size)

    def accepts(drawn: int, hits: int) -> bool:
        desk = check._Desk.of(State(frozen), found, 0)
        desk.urn.take(drawn, np.zeros(hits, np.int64))
        return desk.holds

    return ever(size, bad, by_steps(size, bad, accepts)), check.delta_of_attempt(frozen.check_delta, 0)
