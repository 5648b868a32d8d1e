"""A certificate lives through crashes, late answers and answers out of order, and never asks twice."""

import numpy as np
import pytest
from tests.evidence.pools import Ranked, answer, answer_all, beta_pool, flattered_pool, frozen_of

from thresher.evidence import Ask, Frozen, State, next_step
from thresher.records import Purpose

POOLS = [
    beta_pool(1, 1500),
    beta_pool(2, 1500, hidden=0.115),
    beta_pool(3, 1200, no=(1.2, 3.0)),
    flattered_pool(4, accepted=500, false_share=0.06, hidden=30),
]


@pytest.mark.parametrize("pool", POOLS)
def test_a_crash_at_any_transition_resumes_to_the_same_certificate(pool: Ranked) -> None:
    """Each step is taken anew from bytes, with the answers of the step half in, in an order of their own."""
    rng = np.random.default_rng(0)
    frozen = frozen_of(pool, 11)
    unbroken = answer(frozen, pool.truth)
    state = State(frozen)
    transitions = 0
    while isinstance(step := next_step(state), Ask):
        transitions += 1
        assert next_step(state) == step
        wanted = [rank for part in step.wanted for rank in part.ranks]
        assert not set(wanted) & set(state.answers)  # nothing is asked twice
        early = rng.permutation(wanted)[: len(wanted) // 2].tolist()
        state = State(Frozen.from_bytes(frozen.to_bytes()), {**state.answers, **truths(pool, early)})
        if len(early) < len(set(wanted)):
            rest = next_step(state)
            assert isinstance(rest, Ask)
            assert {rank for part in rest.wanted for rank in part.ranks} == set(wanted) - set(early)
        state = answer_all(state, pool.truth)
    assert transitions >= 2
    assert step == unbroken.step
    assert set(state.answers) == set(np.flatnonzero(unbroken.labelled).tolist())


def truths(pool: Ranked, ranks: list[int]) -> dict[int, int]:
    return {rank: int(pool.truth[rank]) for rank in ranks}


def test_draws_carry_their_numbers_and_purposes() -> None:
    pool = flattered_pool(4, accepted=500, false_share=0.0, hidden=3)
    frozen = frozen_of(pool, 11)
    first = next_step(State(frozen))
    assert isinstance(first, Ask)
    purposes = {part.purpose: part for part in first.wanted}
    assert set(purposes) == {Purpose.AUDIT_RECALL, Purpose.AUDIT_PRECISION}
    for part in first.wanted:
        assert part.draws == tuple(range(len(part.ranks)))
        assert part.sure
    late = part.ranks[3]
    others = {rank: 1 for part in first.wanted for rank in part.ranks if rank != late}
    second = next_step(State(frozen, others))
    assert isinstance(second, Ask)
    assert [(p.ranks, p.draws) for p in second.wanted] == [((late,), (3,))]


def test_early_answers_change_nothing_until_all_of_an_ask_are_there() -> None:
    """Good answers that come fast may not end an audit before the bad ones that come late."""
    pool = flattered_pool(4, accepted=500, false_share=0.06, hidden=30)
    frozen = frozen_of(pool, 11)
    step = next_step(State(frozen))
    assert isinstance(step, Ask)
    wanted = [rank for part in step.wanted for rank in part.ranks]
    good = {rank: int(pool.truth[rank]) for rank in wanted if (pool.truth[rank] == 1) == (rank < 500)}
    assert len(good) < len(wanted)
    again = next_step(State(frozen, good))
    assert isinstance(again, Ask)
    assert {rank for part in again.wanted for rank in part.ranks} == set(wanted) - set(good)


def test_labels_that_came_for_other_reasons_are_used_where_a_draw_falls_on_them() -> None:
    pool = POOLS[0]
    frozen = frozen_of(pool, 11)
    state = State(frozen, {rank: int(pool.truth[rank]) for rank in range(0, len(pool.truth), 3)})
    while isinstance(next_step(state), Ask):
        state = answer_all(state, pool.truth)
    assert next_step(state) == answer(frozen, pool.truth).step


def test_the_frozen_description_survives_its_bytes() -> None:
    frozen = frozen_of(POOLS[0], 11)
    assert Frozen.from_bytes(frozen.to_bytes()) == frozen
    assert frozen.to_bytes() == Frozen.from_bytes(frozen.to_bytes()).to_bytes()
