"""The audits of labels that somebody else made: the answers they take, when they give up, what they say then."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from tests.evidence import exact
from tests.evidence.pools import answer, draws

from thresher.evidence import Ask, Certified, Code, Frozen, Pool, Promise, Refused, State, freeze, next_step
from thresher.evidence.labels import FAIR, LOST, STEP, audited, audits_of, doubts_of, limits, prior_of
from thresher.evidence.martingale import Prior
from thresher.evidence.state import Codes

SURE = Promise(0.95, 0.0, 0.05)
BOTH = Promise(0.95, 0.9, 0.05)
LARGE = 20_000


def frozen_of(promise: Promise, claimed: int, ranks: int, seed: int = 1, **known: int) -> Frozen:
    probability = np.where(np.arange(ranks) < claimed, 0.97, 0.03)
    return freeze("labels", promise, Pool(probability, known_yes=0, claimed=claimed, **known), draws(seed))


def truth_of(claimed: int, ranks: int, wrong: int, missed: int = 0, seed: int = 1) -> Codes:
    """What is true by rank: so many claimed images are no, so many of the others are yes, anywhere."""
    random = np.random.default_rng(seed)
    truth = np.where(np.arange(ranks) < claimed, Code.YES, Code.NO).astype(np.int8)
    truth[random.choice(claimed, wrong, replace=False)] = Code.NO
    truth[claimed + random.choice(max(ranks - claimed, 1), missed, replace=False)] = Code.YES
    return truth


@pytest.mark.parametrize(("wrong", "most", "least"), [(0.0, 70, 59), (0.005, 100, 87), (0.01, 140, 121)])
def test_labels_that_are_nearly_clean_take_hardly_more_answers_than_any_test_must(
    wrong: float, most: float, least: float
) -> None:
    """By the exact programme, over all orders of a large urn. The least is Wald's bound for all of delta."""
    bad = round(wrong * LARGE)
    frozen = frozen_of(SURE, LARGE, LARGE)

    def accepts(drawn: int, hits: int) -> bool:
        audit = audits_of(frozen)[0]
        audit.urn.take(drawn, np.zeros(hits, np.int64))
        return audit.holds

    waiting = exact.waiting(LARGE, bad, exact.by_steps(LARGE, bad, accepts)[:3_000])
    assert waiting[-1] < 1e-6
    assert least <= waiting.sum() <= most


@pytest.mark.parametrize("bad", [0, 3, 20])
def test_the_limits_hold_at_every_moment_together_but_for_their_delta(bad: int) -> None:
    size, delta = 60, 0.0425
    frozen = frozen_of(SURE, size, size)
    missed = np.zeros((size + 1, bad + 1), np.bool_)
    for drawn in range(size + 1):
        for hits in range(max(0, drawn - size + bad), min(bad, drawn) + 1):
            audit = audits_of(frozen)[0]
            audit.urn.take(drawn, np.zeros(hits, np.int64))
            fewest, most = limits(audit)
            missed[drawn, hits] = not fewest <= bad <= most
    assert exact.ever(size, bad, missed) <= delta


def asked_of(frozen: Frozen, truth: Codes) -> list[Ask]:
    """Every step that asks, answered in whole."""
    answers: dict[int, int] = {}
    asks = []
    while isinstance(step := next_step(State(frozen, dict(answers))), Ask):
        asks.append(step)
        answers |= {rank: int(truth[rank]) for part in step.wanted for rank in part.ranks}
    return asks


def test_clean_labels_are_asked_about_a_few_at_a_time_and_as_many_are_announced_as_will_be_needed() -> None:
    frozen = frozen_of(SURE, 2000, 5000)
    asks = asked_of(frozen, truth_of(2000, 5000, 0))
    sizes = [step.images for step in asks]
    assert max(sizes) <= STEP
    announced = [step.images + sum(len(part.ranks) for part in step.further) for step in asks]
    assert announced[0] == sum(sizes)
    assert all(more - less == first for (more, less), first in zip(pairwise(announced), sizes, strict=False))
    ended = answer(frozen, truth_of(2000, 5000, 0))
    assert isinstance(ended.step, Certified)
    assert ended.step.asked == sum(sizes)
    assert ended.step.recall is None


def test_it_stops_at_the_first_draw_at_which_the_bound_holds() -> None:
    for seed in range(6):
        frozen = frozen_of(SURE, 3000, 3000, seed)
        truth = truth_of(3000, 3000, 30, seed=seed)
        ended = answer(frozen, truth)
        assert isinstance(ended.step, Certified)
        audit = audits_of(frozen)[0]
        while not audit.holds:
            audit.take(truth[audit.urn.next(1)])
        assert audit.urn.drawn == ended.step.asked == ended.step.counts["accept_drawn"]


def test_a_few_images_are_answered_to_the_last_one_and_counted() -> None:
    assert isinstance(answer(frozen_of(SURE, 25, 40), truth_of(25, 40, 1)).step, Certified)
    refused = answer(frozen_of(SURE, 25, 40), truth_of(25, 40, 2)).step
    assert isinstance(refused, Refused)
    assert "at most 5.00% may be" in refused.why


@pytest.mark.parametrize("wrong", [0.1, 0.3, 1.0])
def test_labels_that_are_far_too_wrong_are_given_up_soon(wrong: float) -> None:
    ended = [
        answer(frozen_of(SURE, 5000, 9000, seed), truth_of(5000, 9000, round(wrong * 5000), seed=seed)).step
        for seed in range(12)
    ]
    assert all(isinstance(step, Refused) for step in ended)
    assert np.mean([step.asked for step in ended]) <= 1.2 * STEP * max(0.3 / wrong, 1.0)


@pytest.mark.parametrize(("size", "share", "least"), [(60, FAIR, 0.0), (400, FAIR, 0.02), (400, 0.3, 0.0)])
def test_labels_with_clearly_fewer_errors_than_allowed_are_hardly_ever_given_up(
    size: int, share: float, least: float
) -> None:
    """By the exact programme, over all orders, looked at after every draw. `least`: the rule does give up."""
    bad = math.ceil(share * 0.05 * size - 1e-9)
    frozen = frozen_of(SURE, size, size)
    hopeless = np.zeros((size + 1, bad + 1), np.bool_)
    for drawn in range(1, size + 1):
        for hits in range(max(0, drawn - size + bad), min(bad, drawn) + 1):
            audit = audits_of(frozen)[0]
            audit.urn.take(drawn, np.zeros(hits, np.int64))
            hopeless[drawn, hits] = audit.is_hopeless
    assert least <= exact.ever(size, bad, hopeless) <= LOST


def test_no_draw_without_its_predecessors_counts_and_what_was_found_so_far_says_so() -> None:
    frozen = frozen_of(BOTH, 1000, 4000)
    truth = truth_of(1000, 4000, 5, 20)
    order = audits_of(frozen)[0].urn.next(40).tolist()
    answers = {rank: int(truth[rank]) for rank in (*order[:10], *order[11:])}
    found, beyond = audited(State(frozen, answers))
    assert (found.drawn, found.size, found.holds) == (10, 1000, False)
    assert beyond is not None
    assert (beyond.drawn, beyond.size, beyond.bad) == (0, 3000, 0)
    assert found.fewest <= 5 <= found.most


def test_recall_is_drawn_for_only_after_the_precision_holds_and_each_audit_has_all_of_delta() -> None:
    frozen = frozen_of(BOTH, 1000, 9000)
    rung = frozen.ladder[0]
    assert rung.accept_delta == rung.reject_delta == pytest.approx(0.85 * BOTH.delta)
    purposes = [{part.purpose.value for part in step.wanted} for step in asked_of(frozen, truth_of(1000, 9000, 3, 10))]
    assert purposes == sorted(purposes, key=lambda one: one == {"audit recall"})
    ended = answer(frozen, truth_of(1000, 9000, 3, 10))
    assert isinstance(ended.step, Certified)
    assert ended.step.recall == BOTH.recall
    assert ended.step.rejected == ended.step.accepted == 1000
    assert isinstance(answer(frozen, truth_of(1000, 9000, 3, 900)).step, Refused)


def test_what_was_known_before_counts_but_is_not_drawn() -> None:
    probability = np.where(np.arange(900) < 400, 0.97, 0.03)
    pool = Pool(probability, known_yes=100, known_unanswerable=30, claimed=400)
    frozen = freeze("labels", BOTH, pool, draws(3))
    precise, recalled = audits_of(frozen)
    assert precise.bound == pytest.approx(0.05 * 500)
    assert recalled.bound == pytest.approx(0.1 / 0.9 * 0.95 * 500 - 30)
    assert precise.urn.size == 400


def test_a_budget_that_ends_ends_the_audit_without_a_certificate() -> None:
    frozen = frozen_of(SURE, 1000, 1000)
    order = audits_of(frozen)[0].urn.next(50).tolist()
    step = next_step(State(frozen, dict.fromkeys(order, 1), closed=True))
    assert isinstance(step, Refused)
    assert step.spent


@pytest.mark.parametrize("prior", [prior_of, doubts_of])
def test_the_priors_are_such(prior: Callable[[float], Prior]) -> None:
    for allowed in (1e-12, 0.01, 0.05, 0.5, 1.0):
        parts = prior(allowed).parts
        assert sum(weight for weight, _, _ in parts) == pytest.approx(1.0)
        assert all(a > 0 and b > 0 for _, a, b in parts)
