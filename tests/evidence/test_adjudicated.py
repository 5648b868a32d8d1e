"""The joint certificate where people err: no false one whatever they say, and one voter's word is not enough."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import binom
from tests.evidence.pools import PROMISE, Ranked, Truth, beta_pool, draws, ended_with, flattered_pool, frozen_of

from thresher.evidence import (
    METHODS,
    Ask,
    Certified,
    Code,
    Frozen,
    Gold,
    Means,
    Refused,
    State,
    freeze,
    next_step,
    noise,
    released,
)
from thresher.evidence.noise import detectable, slipped, upper_rate


@dataclass(frozen=True)
class Crowd:
    """How people err: on a yes, on a no, how often they find no answer, and how often adjudication errs itself."""

    on_yes: float
    on_no: float
    undecided: float = 0.03
    adjudication: float = 0.0

    def words(self, truth: Truth, seed: int) -> Truth:
        rng = np.random.default_rng(seed)
        wrong = rng.random(len(truth)) < np.where(truth == Code.YES, self.on_yes, self.on_no)
        said = np.where(wrong, 1 - truth, truth)
        return np.where(rng.random(len(truth)) < self.undecided, Code.UNANSWERABLE, said).astype(np.int8)

    def adjudicates(self, truth: Truth, seed: int) -> Truth:
        wrong = np.random.default_rng(seed + 10**6).random(len(truth)) < self.adjudication
        return np.where(wrong, 1 - truth, truth).astype(np.int8)


def run(frozen: Frozen, pool: Ranked, crowd: Crowd, seed: int) -> tuple[Certified | Refused, State]:
    """The procedure to its end; answers gathered as the loop would hold them."""
    said, sure = crowd.words(pool.truth, seed), crowd.adjudicates(pool.truth, seed)
    procedure = METHODS[frozen.method].procedure(frozen)
    answers: dict[int, int] = {}
    heard: dict[int, int] = {}
    try:
        wants, _ = next(procedure)
        while True:
            for want in wants:
                given, labels = (answers, sure) if want.sure else (heard, said)
                given.update(zip(want.ranks.tolist(), labels[want.ranks].tolist(), strict=True))
            wants, _ = procedure.send(tuple((sure if want.sure else said)[want.ranks] for want in wants))
    except StopIteration as end:
        state = State(frozen, answers, heard)
        return ended_with(end.value, state), state


def is_false(step: Certified | Refused, state: State, pool: Ranked) -> bool:
    if isinstance(step, Refused):
        return False
    ranks = released(step, state)
    right = int((pool.truth[ranks] == Code.YES).sum()) + pool.known_yes
    size = len(ranks) + pool.known_yes
    assert size == step.delivered
    return right < PROMISE.precision * size or right < PROMISE.recall * pool.yes


def frozen_with(pool: Ranked, seed: int, *, gold: Gold | None = None, said_no: int = 0) -> Frozen:
    given = replace(pool.pool, said_no=said_no)
    return freeze("adjudicated", PROMISE, given, draws(seed, batch=20), Means(gold=gold))


CROWDS = {"good": Crowd(0.05, 0.03), "one vote": Crowd(0.16, 0.03), "poor": Crowd(0.3, 0.2)}
LAWS = {"strong": ((6.0, 1.2), (0.25, 8.0)), "middling": ((3.0, 1.0), (1.0, 5.0))}


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("head", LAWS)
def test_whatever_people_say_no_certificate_is_false(crowd: str, head: str) -> None:
    runs, false, certified = 40, 0, 0
    for seed in range(runs):
        pool = beta_pool(seed, 2500, 0.2, yes=LAWS[head][0], no=LAWS[head][1])
        step, state = run(frozen_with(pool, seed), pool, CROWDS[crowd], seed)
        certified += isinstance(step, Certified)
        false += is_false(step, state, pool)
    assert false <= int(binom.ppf(0.999, runs, PROMISE.delta))
    if head == "strong" or crowd == "good":
        assert certified > 0.6 * runs
    elif crowd == "poor":
        assert certified == 0  # people who miss three yes of ten have no way to find nine


def test_near_the_boundary_false_certificates_are_as_rare_as_promised() -> None:
    """People who err exactly so much that the set breaks its promise, behind a head that is just as wrong."""
    false = 0
    for seed in range(400):
        pool = flattered_pool(seed, accepted=200, false_share=0.056, hidden=25, ranks=750)
        step, state = run(frozen_with(pool, seed), pool, Crowd(0.12, 0.06), seed)
        false += is_false(step, state, pool)
    assert false <= int(binom.ppf(0.999, 400, PROMISE.delta)) == 35


def test_one_word_taken_for_the_truth_fails() -> None:
    """The negative control: the same people, believed. At ten per cent yes their errors fill the set."""
    false = 0
    for seed in range(40):
        pool = beta_pool(seed, 2500, 0.1, yes=(3.0, 1.0), no=(1.0, 5.0))
        believed = Ranked(Crowd(0.16, 0.03, undecided=0.0).words(pool.truth, seed), pool.probabilities, pool.known_yes)
        step, state = run(frozen_of(pool, seed, batch=20), believed, Crowd(0.0, 0.0, undecided=0.0), seed)
        false += is_false(step, state, pool)
    assert false > 30


def test_people_called_no_before_the_freeze_are_audited_with_the_rejected() -> None:
    """A fifth of all yes lies in the last ranks, which people called no: no certificate leaves them there."""
    for seed in range(20):
        pool = flattered_pool(seed, accepted=300, false_share=0.0, hidden=0, ranks=1500)
        truth = pool.truth.copy()
        truth[np.random.default_rng(seed).choice(np.arange(1200, 1500), 75, replace=False)] = Code.YES
        worse = Ranked(truth, pool.probabilities, pool.known_yes)
        step, state = run(frozen_with(worse, seed, said_no=300), worse, Crowd(0.05, 0.03), seed)
        assert isinstance(step, Refused)
        assert not is_false(step, state, worse)
        assert all(rank < 1200 for rank in state.said)  # nor are people asked about them again


@pytest.mark.parametrize(("false_share", "hidden"), [(0.045, 30), (0.03, 50)])
def test_adjudication_that_slips_is_allowed_for_when_gold_shows_it(false_share: float, hidden: int) -> None:
    """Adjudication errs at the rate that gold shows: certificates are issued, and stay true of the real truth."""
    crowd = Crowd(0.05, 0.02, adjudication=0.004)
    certified = false = 0
    for seed in range(20):
        pool = flattered_pool(seed, accepted=900, false_share=false_share, hidden=hidden, ranks=3000)
        step, state = run(frozen_with(pool, seed, gold=Gold(2000, 8, 2000, 8)), pool, crowd, seed)
        certified += isinstance(step, Certified)
        false += is_false(step, state, pool)
    assert certified >= 5
    assert false <= int(binom.ppf(0.999, 20, PROMISE.delta))


def test_every_yes_that_adjudication_may_lose_is_counted_as_missed() -> None:
    """An audit that wrongly refutes a yes takes it out of the released set, so the bound of the missed leaves room."""
    pool = flattered_pool(3, accepted=900, false_share=0.01, hidden=10, ranks=3000)
    gold = Gold(3000, 36, 3000, 3)
    step, state = run(frozen_with(pool, 3, gold=gold), pool, Crowd(0.05, 0.02, adjudication=0.01), 3)
    assert isinstance(step, Certified)
    yes = PROMISE.precision * (step.counts["accept_size"] + pool.known_yes)
    refuted = sum(code == Code.NO and pool.truth[rank] == Code.YES for rank, code in state.answers.items())
    assert state.frozen.gold is not None
    assert refuted > 0
    may_be_missed = (1 - PROMISE.recall) / PROMISE.recall * (yes + step.counts["singles"])
    assert step.counts["reject_bound"] <= may_be_missed - step.counts["yes_missed_rate"] * yes


@pytest.mark.parametrize("rate", [0.005, 0.05])
def test_what_may_be_detected_of_a_growing_number_of_bad_items_rises_by_at_most_one(rate: float) -> None:
    steps = np.diff(noise.detectable_among(np.arange(600), rate, 0.05))
    assert set(steps.tolist()) == {0.0, 1.0}


def test_a_crash_at_any_transition_resumes_to_the_same_certificate() -> None:
    pool = beta_pool(2, 2500, 0.2, yes=(3.0, 1.0), no=(1.0, 5.0))
    crowd = Crowd(0.1, 0.05)
    frozen = frozen_with(pool, 3)
    unbroken, _ = run(frozen, pool, crowd, 3)
    said = crowd.words(pool.truth, 3)
    state = State(frozen)
    while isinstance(step := next_step(state), Ask):
        for part in step.wanted:
            labels = pool.truth if part.sure else said
            fresh = {rank: int(labels[rank]) for rank in part.ranks[: max(len(part.ranks) // 2, 1)]}
            answers, heard = (
                ({**state.answers, **fresh}, state.said) if part.sure else (state.answers, {**state.said, **fresh})
            )
            state = State(Frozen.from_bytes(frozen.to_bytes()), answers, heard)
    assert step == unbroken


def test_an_undecided_word_sends_the_image_to_adjudication() -> None:
    pool = beta_pool(2, 2500, 0.2, yes=(3.0, 1.0), no=(1.0, 5.0))
    crowd = Crowd(0.1, 0.05, undecided=0.2)
    step, state = run(frozen_with(pool, 3), pool, crowd, 3)
    assert isinstance(step, Certified)
    undecided = {rank for rank, code in state.said.items() if code == Code.UNANSWERABLE}
    assert len(undecided) > 10
    assert undecided <= set(state.answers)


# --- the small print --------------------------------------------------------------------------------------------------


def test_the_upper_rate_is_clopper_and_pearsons() -> None:
    for missed, shown in ((0, 50), (3, 100), (7, 7)):
        rate = upper_rate(missed, shown, 0.01)
        if missed == shown:
            assert rate == 1.0
        else:
            assert binom.cdf(missed, shown, rate) == pytest.approx(0.01, rel=1e-6)
    assert upper_rate(0, 0, 0.01) == 1.0


def test_what_can_be_detected_is_a_quantile() -> None:
    for bound, rate in ((30.0, 0.05), (3.7, 0.2), (0.0, 0.1)):
        fewest = int(bound) + 1
        most = float(detectable(bound, rate, 0.01))
        assert binom.cdf(most, fewest, 1 - rate) <= 0.01
        assert most < bound or most == -1.0
    assert float(detectable(12.5, 0.0, 0.01)) == 12.5
    assert float(detectable(-2.0, 0.1, 0.01)) == -1.0


@pytest.mark.parametrize("trials", [1, 2, 17, 4_000, 28_192_570])
def test_the_quantile_is_the_least_number_that_reaches_its_chance(trials: int) -> None:
    for success in (1e-7, 0.003, 0.2, 0.5, 0.97, 1 - 1e-7):
        for chance in (1e-4, 0.05, 0.5608587399512797, 0.9999):
            assert float(noise.quantile(chance, trials, success)) == binom.ppf(chance, trials, success)
    assert noise.quantile(0.3, [3, 0], 0.0).tolist() == [0, 0]
    assert float(noise.quantile(0.3, trials, 1.0)) == trials


def test_what_may_have_slipped_is_a_quantile() -> None:
    assert slipped(0, 0.1, 0.01) == 0.0
    assert slipped(500, 0.0, 0.01) == 0.0
    wrong = slipped(500, 0.02, 0.01)
    assert binom.cdf(wrong, 500, 0.02) >= 0.99 > binom.cdf(wrong - 1, 500, 0.02)


def test_without_gold_nothing_is_set_aside_for_noise() -> None:
    assert noise.audit_delta(0.05, None) == 0.05
    assert noise.audit_delta(0.05, Gold()) == pytest.approx(0.045)


def test_a_yes_that_only_an_audit_found_stays_outside_where_adjudication_slips() -> None:
    """Among many no, a slip is likelier than a yes: released, they would count against a bound that left them out."""
    pool = flattered_pool(11, accepted=900, false_share=0.01, hidden=20, ranks=3000)
    slipping = Crowd(0.05, 0.02, adjudication=0.005)
    step, state = run(frozen_with(pool, 11, gold=Gold(2000, 10, 2000, 10)), pool, slipping, 11)
    assert isinstance(step, Certified)
    found = [rank for rank, code in state.answers.items() if code == Code.YES and rank >= step.rejected]
    assert found
    assert not np.isin(found, released(step, state)).any()
    certain, kept = run(frozen_with(pool, 11), pool, Crowd(0.05, 0.02), 11)
    assert isinstance(certain, Certified)
    joined = [rank for rank, code in kept.answers.items() if code == Code.YES and rank >= certain.rejected]
    assert np.isin(joined, released(certain, kept)).all()
