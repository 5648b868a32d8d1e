"""The owner's check: where annotators err together, the owner's answers to a few images tell."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from tests.evidence.pools import PROMISE, Ranked, Truth, answer_all, beta_pool, draws

from thresher.evidence import Ask, Certified, Code, Means, Refused, State, Step, freeze, next_step, released
from thresher.evidence.check import answers_if_clean, delta_of_attempt
from thresher.evidence.state import OwnersCheck
from thresher.records import Purpose


def begun(pool: Ranked, seed: int, *, check: bool = True) -> State:
    frozen = freeze("certified", PROMISE, pool.pool, draws(seed, batch=20), Means(check=check))
    return State(frozen, check=OwnersCheck(sets=()))


def end(state: State, labels: Truth, truth: Truth) -> tuple[Step, State]:
    """To the end: people give these labels, the owner the truth; what is to be logged is logged."""
    while isinstance(step := next_step(state), Ask):
        if step.checks is not None:
            state = replace(state, check=replace(state.check, sets=(*(state.check.sets or ()), step.checks)))
        elif any(part.purpose is Purpose.CHECK for part in step.wanted):
            state = replace(state, check=replace(state.check, codes={**state.check.codes, **owners(step, truth)}))
        else:
            state = replace(answer_all(state, labels), check=state.check)
    return step, state


def owners(step: Ask, truth: Truth) -> dict[int, int]:
    """The owner's answers; images known before are yes."""
    return {place: int(truth[place]) if place < len(truth) else 1 for part in step.wanted for place in part.ranks}


def wrong_together(truth: Truth, share: float, seed: int) -> Truth:
    """The answer of nearly everybody where they err together: yes on this share of what is no among the top ranks."""
    labels, rng = truth.copy(), np.random.default_rng(seed)
    no = np.flatnonzero(truth == Code.NO)[: int(4 * share * truth.sum())]
    labels[rng.choice(no, int(share * truth.sum()), replace=False)] = Code.YES
    return labels


def is_false(step: Step, state: State, pool: Ranked) -> bool:
    if not isinstance(step, Certified):
        return False
    ranks = released(step, state)
    right, size = int((pool.truth[ranks] == Code.YES).sum()) + pool.known_yes, len(ranks) + pool.known_yes
    assert size == step.delivered
    return right < PROMISE.precision * size


def test_the_check_finds_what_annotators_get_wrong_together() -> None:
    runs, false, unchecked = 25, 0, 0
    for seed in range(runs):
        pool = beta_pool(seed, 3000, 0.3)
        labels = wrong_together(pool.truth, 0.1, seed)
        false += is_false(*end(begun(pool, seed), labels, pool.truth), pool)
        unchecked += is_false(*end(begun(pool, seed, check=False), labels, pool.truth), pool)
    assert unchecked > runs / 2
    assert false <= binom.ppf(0.999, runs, PROMISE.delta)


def test_a_good_set_passes_by_about_the_answers_that_were_planned() -> None:
    pool = beta_pool(1, 3000, 0.3)
    step, state = end(begun(pool, 1), pool.truth, pool.truth)
    assert isinstance(step, Certified)
    assert step.counts["check_size"] == step.delivered + step.counts["check_bad"]
    planned = answers_if_clean(PROMISE, int(step.counts["check_size"]), state.frozen.check_delta)
    assert planned <= len(state.check.codes) <= 3 * planned
    assert step.counts["check_rejected_drawn"] == 30
    assert 0 < step.counts["check_missed_at_most"] < step.counts["check_rejected"]
    assert not isinstance(next_step(replace(state, check=replace(state.check, codes={}))), Certified)


def test_what_the_owner_refutes_is_not_released() -> None:
    pool = beta_pool(1, 3000, 0.3)
    step, state = end(begun(pool, 1), pool.truth, pool.truth)
    assert isinstance(step, Certified)
    place = next(place for place, code in state.check.codes.items() if code == Code.YES)
    ended = next_step(replace(state, check=replace(state.check, codes={**state.check.codes, place: Code.NO})))
    if isinstance(ended, Certified):
        assert ended.delivered == step.delivered - 1
        assert place not in released(ended, state).tolist() or place >= state.frozen.ranks
    else:
        assert isinstance(ended, Ask)


def test_a_correction_begins_another_attempt_and_the_owners_answers_stay() -> None:
    pool = beta_pool(2, 3000, 0.3)
    step, state = end(begun(pool, 2), pool.truth, pool.truth)
    assert isinstance(step, Certified)
    late = int(next(rank for rank in released(step, state).tolist() if rank not in state.answers))
    changed = replace(state, answers={**state.answers, late: int(Code.NO)})
    again = next_step(changed)
    assert isinstance(again, Ask)
    assert again.checks is not None
    assert again.checks[0] == step.counts["check_size"] - 1
    step, ended = end(changed, pool.truth, pool.truth)
    assert isinstance(step, Certified)
    assert step.counts["check_attempt"] == 1
    assert step.counts["check_delta"] == pytest.approx(0.1 * state.frozen.check_delta)
    assert ended.check.codes.items() >= state.check.codes.items()


def test_all_attempts_together_use_the_delta_of_the_check() -> None:
    assert sum(delta_of_attempt(1.0, attempt) for attempt in range(60)) == pytest.approx(1.0)


def test_a_budget_that_ends_before_the_check_ends_without_a_certificate() -> None:
    pool = beta_pool(1, 3000, 0.3)
    _, state = end(begun(pool, 1), pool.truth, pool.truth)
    step = next_step(replace(state, check=replace(state.check, codes={}), closed=True))
    assert isinstance(step, Refused)
    assert step.spent
    assert "before the owner's check" in step.why
