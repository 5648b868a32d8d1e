"""Labels that people adjudicate may be wrong: what `certified` promises then, if gold shows how often."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from tests.evidence.pools import PROMISE, Ranked, Truth, beta_pool, draws, ended_with

from thresher.evidence import METHODS, Certified, Code, Frozen, Gold, Means, Refused, State, freeze, released
from thresher.evidence.noise import STEPS, Slips, missed_beyond_labels, refuted_at_most, steps, wrong_among
from thresher.evidence.plan import delta_of

RATE = 0.015


def adjudicated(truth: Truth, seed: int, rate: float = RATE) -> Truth:
    """The labels that people would give, wrong at this rate."""
    wrong = np.random.default_rng(seed + 10**6).random(len(truth)) < rate
    return np.where(wrong, 1 - truth, truth).astype(np.int8)


def gold_of(seed: int, each: int = 6000, rate: float = RATE) -> Gold:
    """What gold shows of people who err at this rate."""
    rng = np.random.default_rng(seed + 10**7)
    return Gold(each, int(rng.binomial(each, rate)), each, int(rng.binomial(each, rate)))


def frozen(pool: Ranked, seed: int, gold: Gold | None, promise: tuple[float, float] = (0.95, 0.9)) -> Frozen:
    wanted = replace(PROMISE, precision=promise[0], recall=promise[1])
    return freeze("certified", wanted, pool.pool, draws(seed, batch=20), Means(gold=gold))


def end(made: Frozen, labels: Truth) -> tuple[Certified | Refused, State]:
    """The procedure to its end, by these labels."""
    procedure = METHODS["certified"].procedure(made)
    answers: dict[int, int] = {}
    try:
        wants, _ = next(procedure)
        while True:
            for want in wants:
                answers.update(zip(want.ranks.tolist(), labels[want.ranks].tolist(), strict=True))
            wants, _ = procedure.send(tuple(labels[want.ranks] for want in wants))
    except StopIteration as over:
        state = State(made, answers)
        return ended_with(over.value, state), state


def is_false(step: Certified | Refused, state: State, pool: Ranked) -> bool:
    """Whether the released set breaks the promise, by what is true."""
    if isinstance(step, Refused):
        return False
    ranks, promise = released(step, state), state.frozen.promise
    right = int((pool.truth[ranks] == Code.YES).sum()) + pool.known_yes
    size = len(ranks) + pool.known_yes
    return right < promise.precision * size or right < promise.recall * pool.yes


def long_middle(seed: int) -> Ranked:
    """People must label many images of which few are yes: at the rate of errors, too many no are released as yes."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate([rng.random(400) >= 0.02, rng.random(2600) < 0.1, np.zeros(1000)]).astype(np.int8)
    share = np.concatenate([np.full(400, 0.985), np.full(2600, 0.1), np.full(1000, 0.0001)])
    return Ranked(truth, share, 30)


def falsely(pool: Ranked, seed: int, rate: float, *, doubted: bool) -> bool:
    """Whether a certificate is false where people err at this rate, with or without the gold that shows it."""
    made = frozen(pool, seed, gold_of(seed, rate=rate) if doubted else None)
    assert (made.gold is not None) is doubted
    return is_false(*end(made, adjudicated(pool.truth, seed, rate)), pool)


def test_gold_that_shows_too_many_errors_ends_in_a_refusal_not_in_a_false_certificate() -> None:
    """Taken for the truth, the same labels break the promise again and again."""
    runs = 12
    assert sum(falsely(long_middle(seed), seed, RATE, doubted=False) for seed in range(runs)) >= runs / 4
    assert not any(falsely(long_middle(seed), seed, RATE, doubted=True) for seed in range(runs))


def test_gold_that_says_too_little_is_not_used_and_gold_that_says_enough_is() -> None:
    pool = beta_pool(0, 20000, 0.3)
    assert frozen(pool, 0, Gold(150, 0, 150, 0)).gold is None
    used = frozen(pool, 0, Gold(1500, 3, 1500, 3))
    assert used.gold is not None
    step, state = end(used, adjudicated(pool.truth, 0, 0.002))
    assert isinstance(step, Certified)
    assert step.counts["no_missed_rate"] > 0.002
    assert step.counts["reject_share"] == refuted_at_most(step.counts["accept_bad"])[1]
    # a yes that the audit of the rejected drew may be one of its errors
    assert not any(state.answers.get(rank) and rank >= step.rejected for rank in released(step, state).tolist())
    deltas = [rung.accept_delta for rung in used.ladder]
    assert sum(deltas) + max(rung.reject_delta for rung in used.ladder) <= 0.9 * delta_of(used) * (1 + 1e-9)


@pytest.mark.parametrize("rate", [0.002, 0.01, 0.05])
def test_the_wrong_ones_of_a_growing_number_of_labels_stay_below_their_bound_at_every_number(rate: float) -> None:
    """The exact probability that the bound is ever passed, by following the number of wrong labels one by one."""
    part, most = 0.01, 2000
    bound = wrong_among(np.arange(most + 1), rate, part)
    chances, passed = np.array([1.0]), 0.0
    for labels in range(1, most + 1):
        chances = np.append(chances * (1.0 - rate), 0.0) + np.append(0.0, chances * rate)
        beyond = np.arange(len(chances)) > bound[labels]
        passed += float(chances[beyond].sum())
        chances = np.where(beyond, 0.0, chances)
    assert 0.0 < passed <= part


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.03])
def test_the_missed_yes_are_those_that_an_audit_finds_and_those_that_adjudication_loses(rate: float) -> None:
    slips = Slips(yes_as_no=rate, part=1e-3)
    for yes in (0, 50, 300, 4000):
        for bound in (5, 60, 500):
            left = float(missed_beyond_labels(slips, bound, yes, 0.9))
            if left >= 0.0:
                lost = bound - left
                assert binom.sf(np.floor(lost), yes + bound, rate) <= slips.part / 2
                # with more yes, of which the recall target lets a tenth be missed, nothing gets worse
                more = missed_beyond_labels(slips, bound + np.arange(200) / 9, yes + np.arange(200), 0.9)
                assert float(np.min(more)) >= left - 1e-9


def test_every_number_of_bad_draws_has_its_share_of_delta() -> None:
    most, share = refuted_at_most(np.array([0, 4, 5, 32, 33, 256, 257]))
    assert most.tolist() == [4, 4, 32, 32, 256, 256, np.inf]
    assert share[-1] == 0.0
    assert sum(set(share.tolist())) == pytest.approx(1.0)
    assert len(steps()) == STEPS
