"""The numbers that each promise rests on, computed exactly, each with the most that it may be.

`CHANCES`: how often something just false is ever accepted, and the delta of its audit. `LEDGERS`: what may come of the
freezes, ladders and slips of a category together.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from scipy.stats import binom
from tests.evidence import exact, exact_chains

from thresher.evidence import certify, check, martingale, methods, noise, plan
from thresher.evidence.corrections import corrections_of, evidence_of
from thresher.evidence.curve import Curve
from thresher.evidence.martingale import prior_for
from thresher.evidence.state import Code, Frozen, Gold, Promise, State
from thresher.evidence.terms import Draws, Means, Pool
from thresher.evidence.urns import Known, Urn

CLOSE = 1e-9  # relative

# --- the promises, through the functions that decide them -------------------------------------------------------------

P = Promise(0.9, 0.8, 0.05)
LOOSE = Promise(0.8, 0.8, 0.2)
Chances = Callable[[], Iterator[tuple[float, float]]]


def _one_urn() -> Iterator[tuple[float, float]]:
    for size, bound, delta in ((300, 30, 0.0425), (2000, 100, 0.002), (60, 0, 0.2), (2000, 20, 0.2)):
        for bad in (bound + 1, 2 * bound + 2):
            yield exact.urn(size, bound, prior_for(max(bound, 1) / size), delta, bad=bad), delta


def _upper_limit() -> Iterator[tuple[float, float]]:
    for size, drawn, bad in ((200, 50, 7), (200, 120, 30), (2000, 200, 60), (60, 60, 9)):
        yield exact.upper_limit(size, drawn, bad, prior_for(bad / size), 0.0425), 0.0425


def _precision_of_both() -> Iterator[tuple[float, float]]:
    yield exact.false_precision(P, 400, 900)
    yield exact.false_precision(P, 150, 400, rung=2)
    yield exact.false_precision(LOOSE, 40, 90, open_=True)
    yield exact.false_precision(Promise(0.99, 0.8, 0.3), 60, 150)  # a single no is one too many


def _recall_of_both() -> Iterator[tuple[float, float]]:
    yield exact.false_recall(Promise(1.0, 0.9, 0.1), 8, 60)  # a single yes is one too many
    yield exact.false_recall(LOOSE, 60, 140, open_=4)
    yield exact.false_recall(P, 150, 500, rung=1, known_yes=40, unanswerable=15)
    yield exact.false_recall(P, 400, 1100)


def _words() -> Iterator[tuple[float, float]]:
    yield exact.false_words(P, 120, 400, 100)
    yield exact.false_words(P, 120, 400, 100, mute=True)


def _rungs() -> Iterator[tuple[float, float]]:
    yield from exact_chains.false_rungs(P, 200, 700, 0)
    yield from exact_chains.false_rungs(LOOSE, 100, 300, 10)


def _chain() -> Iterator[tuple[float, float]]:
    yield exact_chains.false_chain(Promise(0.8, 0.8, 0.2), 30, 42, 0)


def _labels() -> Iterator[tuple[float, float]]:
    yield exact.false_labels(P, 400, 900)
    yield exact.false_labels(Promise(0.95, 0.0, 0.05), 2000, 5000)
    yield exact.false_labels(LOOSE, 40, 90, open_=True, known_yes=10)
    yield exact.false_labels(Promise(0.99, 0.0, 0.3), 60, 150)  # a single no is one too many
    yield exact.false_labels_recall(P, 400, 1100)
    yield exact.false_labels_recall(LOOSE, 60, 140, open_=True)
    yield exact.false_labels_recall(P, 150, 500, known_yes=40, unanswerable=15)
    yield exact.false_labels_recall(Promise(1.0, 0.9, 0.1), 8, 60)  # a single yes is one too many


def _check() -> Iterator[tuple[float, float]]:
    yield exact.false_check(P, 300)


def _recall_alone() -> Iterator[tuple[float, float]]:
    yield exact.false_recall_alone(Promise(0.5, 0.8, 0.1), 200, 80, 300, 20)
    yield exact.false_recall_alone(Promise(0.5, 0.8, 0.1), 1400, 200, 900, 40)  # all below the rung are looked at


CHANCES: dict[str, Chances] = {
    "one urn": _one_urn,
    "precision of both": _precision_of_both,
    "recall of both": _recall_of_both,
    "words": _words,
    "rungs": _rungs,
    "chain": _chain,
    "recall alone": _recall_alone,
    "the owner's check": _check,
    "labels": _labels,
}


def broken(checks: Iterator[tuple[float, float]]) -> list[tuple[float, float]]:
    """The numbers that exceed what they may be at most."""
    return [(number, most) for number, most in checks if not number <= most * (1 + CLOSE)]


# --- what all audits of a category may spend together -----------------------------------------------------------------


def _freezes() -> Iterator[tuple[float, float]]:
    yield sum(plan.spend(0.05, epoch) for epoch in range(200)), 0.05
    for epoch in (0, 1, 5):
        yield plan.spend(0.05, epoch), 0.05 * (0.85 if epoch == 0 else 0.15 * 2.0**-epoch)
    yield 1 / 0.05, np.exp(float(martingale.threshold(0.05)))


def _ladders() -> Iterator[tuple[float, float]]:
    """No truth makes more than delta false: precision fails down to a rung, recall at the others (certify.py)."""
    for top, ranks in ((400, 900), (400, 9000), (3000, 3500)):
        frozen = exact.joint(P, top, ranks)
        live = [rung for rung in frozen.ladder if rung.rank >= frozen.reject_from]
        dead = sum(rung.accept_delta + rung.reject_delta for rung in frozen.ladder if rung not in live)
        for broken_upto in range(len(live) + 1):
            above = sum(rung.accept_delta for rung in live[:broken_upto])
            below = max((rung.reject_delta for rung in live[broken_upto:]), default=0.0)
            yield above + below + dead, 0.85 * P.delta
        adding, live_from = certify.ladder(
            top, ranks, P.delta, adding=True
        )  # with gold the deltas of both audits add up
        below = max(rung.reject_delta for rung in adding if rung.rank >= live_from)
        yield below + sum(r.accept_delta + r.reject_delta * (r.rank < live_from) for r in adding), P.delta
    yield sum(check.delta_of_attempt(0.01, attempt) for attempt in range(200)), 0.01
    both = methods.freeze("precision", P, Pool(np.full(500, 0.9), 0), Draws("ab" * 32), Means(300, check=True))
    yield sum({rung.accept_delta for rung in both.ladder}) + both.check_delta, 0.85 * P.delta
    yield plan.delta_of(both) + both.check_delta, 0.85 * P.delta  # what the bounds of slips are made from
    for gold in (None, Gold(300, 2, 300, 2)):
        for top, ranks in ((400, 900), (400, 9000)):
            words = _frozen("adjudicated", top, ranks, gold)
            limit = (0.85 if gold is None else 0.765) * P.delta
            yield sum(r.accept_delta for r in words.ladder) + max(r.reject_delta for r in words.ladder), limit
            precise = _frozen("precision", top, ranks, gold)
            yield sum({rung.accept_delta for rung in precise.ladder}), limit
            claims = exact.labelled(P, top, ranks)  # gold is not used
            yield max(claims.ladder[0].accept_delta, claims.ladder[0].reject_delta), 0.85 * P.delta
            recalled = _frozen("recall", top, ranks, gold)
            yield recalled.ladder[0].accept_delta + recalled.ladder[0].reject_delta, limit


def _frozen(method: str, top: int, ranks: int, gold: Gold | None) -> Frozen:
    pool = Pool(np.where(np.arange(ranks) < top, 0.95, 0.01), 0)
    return methods.freeze(method, P, pool, Draws("ab" * 32), Means(300, 30, gold))


# --- slips ------------------------------------------------------------------------------------------------------------


def _slips() -> Iterator[tuple[float, float]]:
    """Six events, each of them with a sixth of the tenth of delta: two rates, and two counts for each answer."""
    delta = 0.0425
    part = 0.1 * delta / 6
    slips = noise.slips_of(Gold(400, 3, 250, 0), delta)
    yield slips.part, part
    yield binom.cdf(3, 400, slips.yes_as_no), part  # so few missed, were the rate above its limit
    yield binom.cdf(0, 250, slips.no_as_yes), part
    for bound in (0.0, 7.0, 30.5, 200.0):
        found = float(noise.detectable(bound, slips.yes_as_no, part))
        yield (binom.cdf(found, np.floor(bound) + 1, 1 - slips.yes_as_no) if found >= 0 else 0.0), part
    for labels in (3, 80, 900):
        wrong = noise.slipped(labels, slips.no_as_yes, part)
        yield binom.sf(wrong, labels, slips.no_as_yes), part
    for bounds in (noise.false_bound, noise.missed_bound):  # errors among single labels come off before
        rate = slips.no_as_yes if bounds is noise.false_bound else slips.yes_as_no
        wrong = noise.slipped(80, rate, part)
        yield float(bounds(slips, 30.0, 80)), float(noise.detectable(30.0 - wrong, rate, part))


def _slips_of_both() -> Iterator[tuple[float, float]]:
    """Where the joint certificate has gold: the slips among the first labels, however many are taken, and among yes."""
    for rate, part in ((0.01, 0.001), (0.05, 0.02)):
        length = 600
        most = noise.wrong_among(np.arange(length + 1), rate, part)
        alive, exceeded = np.array([1.0]), 0.0
        for labels in range(1, length + 1):
            alive = np.append(alive, 0.0) * (1 - rate) + np.append(0.0, alive) * rate
            too_many = np.arange(len(alive)) > most[labels]
            exceeded += float(alive[too_many].sum())
            alive[too_many] = 0.0
        yield exceeded, part
        slips = noise.Slips(yes_as_no=rate, no_as_yes=rate, part=part)
        for yes in (40, 300, 3000):
            allowed = 0.5 * yes
            left = float(noise.missed_beyond_labels(slips, allowed, yes, 0.5))
            yield binom.sf(np.floor(allowed - left), int(yes + allowed), rate), part / 2
    yield sum(share for _, share in noise.REFUTED), 1.0
    for refuted in (0, 3, 4, 5, 32, 33):
        yield refuted, float(noise.refuted_at_most(refuted)[0])


def _slips_of_certified() -> Iterator[tuple[float, float]]:
    """What the audits of `certified` may find where there is gold: labels, rungs and refuted draws are all counted."""
    top, ranks, base, adjudicated = 4000, 9000, 4600.0, 12
    frozen = _frozen("certified", top, ranks, Gold(6000, 12, 6000, 12))
    slips = noise.slips_of(frozen.gold, plan.delta_of(frozen))
    accept, reject = (Urn(frozen.seed, name, 0, top, frozen.accept_prior) for name in ("accept", "reject"))
    accept.bad = np.arange(5)
    table = plan.Table(frozen, Curve(frozen.curve), accept, reject, Known(), slips=slips, adjudicated=adjudicated)
    cut = top + 700
    false, missed = plan._bounds(table, np.array([[top]]), np.array([[cut]]), np.array([[base]]))
    part = slips.part / len(frozen.ladder)
    wrong = float(noise.wrong_among(adjudicated + 700, slips.no_as_yes, part))
    yield float(false[0, 0]), float(noise.detectable(0.1 * base - wrong, slips.no_as_yes, part))
    may_be_missed = (1 - P.recall) / P.recall * P.precision * base - 32 / P.recall  # five refuted count as 32
    most = noise.missed_beyond_labels(slips, may_be_missed, base - top, P.recall)
    yield float(missed[0, 0]), float(most)


def _slips_by_word() -> Iterator[tuple[float, float]]:
    """`adjudicated` with gold: what is detected of a growing number of bad items, whoever chooses where they end."""
    for rate, part in ((1e-5, 0.05), (0.01, 0.001), (0.05, 0.02), (0.2, 0.02)):
        length, base, allowed = 600, 900, 120.0
        slips = noise.Slips(yes_as_no=rate, no_as_yes=rate, part=part)
        proven = noise.detectable_among(np.arange(-1, length), rate, part)  # [j]: fewer than j bad items
        alive, overlooked = np.array([1.0]), 0.0
        for bad in range(1, length + 1):
            alive = np.append(alive, 0.0) * rate + np.append(0.0, alive) * (1 - rate)
            too_few = np.arange(len(alive)) <= proven[bad]
            overlooked += float(alive[too_few].sum())
            alive[too_few] = 0.0
        yield overlooked, part
        for counted, wordless in ((40, 0), (40, 6), (0, 3)):
            wrong = float(noise.wrong_among(counted, rate, part)) + wordless
            found = float(plan.false_by_word(slips, 90.0, (counted, wordless)))
            yield found, float(noise.detectable_among(90.0 - wrong, rate, part))
        # the yes are those accepted, those missed, and as many more as the promise lets be missed a part of
        promise, base, allowed, more = Promise(0.9, 0.7, 0.05), 900, 250.0, np.arange(200)
        yes, beyond = promise.precision * base + more, allowed + more * (1 - promise.recall) / promise.recall
        left = float(plan.missed_by_word(slips, allowed, base, promise))
        yield binom.sf(np.floor(allowed - left), int(promise.precision * base + allowed), rate), part / 2
        yield left - float(np.min(noise.missed_beyond_labels(slips, beyond, yes, promise.recall))), 1e-9
    hopeless = noise.Slips(yes_as_no=0.25, part=0.02)  # a further yes brings more slips than it lets be missed
    yield float(plan.missed_by_word(hopeless, 900.0, 900, P)) + 2.0, 1.0


def _corrections() -> Iterator[tuple[float, float]]:
    """Each label at the freeze, or in the log, with each of today: what is lost is lost, what is better waits."""
    frozen = exact.joint(P, 40, 90)
    frozen = replace(frozen, known_yes=1, known_unanswerable=1)
    for before in (Code.NO, Code.YES, Code.UNANSWERABLE):
        for today in (Code.NO, Code.YES, Code.UNANSWERABLE, None):
            now = {} if today is None else {3: int(today)}
            known = State(frozen, corrections=corrections_of(({}, {}), ({3: int(before)}, now))).corrected
            lost, opened = before == Code.YES != today, today in (Code.UNANSWERABLE, None)
            yield known.known_yes, 1 - lost
            yield 1 + (opened and before != Code.UNANSWERABLE), known.known_unanswerable
            ranked = State(frozen, corrections=corrections_of(({3: int(before)}, now), ({}, {}))).corrected
            yield ranked.known_yes, 1 - lost
            yield 1 + (today not in (before, Code.NO)), ranked.known_unanswerable
            evidence = evidence_of({3: int(before)}, now)[3]
            yield int(Code.UNANSWERABLE if today != before else before), evidence


LEDGERS: dict[str, Chances] = {
    "upper limit": _upper_limit,
    "freezes": _freezes,
    "ladders": _ladders,
    "slips": _slips,
    "slips of both": _slips_of_both,
    "slips of certified": _slips_of_certified,
    "slips by word": _slips_by_word,
    "corrections": _corrections,
}
