"""When no more answers can come, an audit ends with what its first draws prove, or without a certificate."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from tests.evidence.pools import Ranked, beta_pool, budget, draws, flattered_pool

from thresher.evidence import Ask, Certified, Code, Frozen, Promise, Refused, State, freeze, next_step, replay
from thresher.evidence.draws import Permutation
from thresher.evidence.state import Codes, Want

PROMISE = Promise(precision=0.9, recall=0.85, delta=0.1)
BUDGETED = ("precision", "recall")
PROVING = ("precision", "recall", "certified", "adjudicated")


def frozen_of(method: str, pool: Ranked, seed: int, answers: int = 120, batch: int = 5) -> Frozen:
    return freeze(method, PROMISE, pool.pool, draws(seed, batch=batch), budget(answers, answers // 6))


def states(frozen: Frozen, pool: Ranked, seed: int, step_by: int = 1, *, good_first: bool = False) -> Iterator[State]:
    """The states that a budget can end in: people answer what is asked in any order, draws asked in advance too.

    With `good_first` the answers that speak for a certificate come first: a yes of the top, a no of the rest.
    """
    rng = np.random.default_rng(seed)
    good = (pool.truth == Code.YES) == (np.arange(len(pool.truth)) < frozen.ladder[0].rank)
    state, come = State(frozen), 0
    while isinstance(step := next_step(state), Ask):
        wanted = {(rank, part.sure) for part in (*step.wanted, *step.further) for rank in part.ranks}
        needed = {(rank, part.sure) for part in step.wanted for rank in part.ranks}
        order = rng.permutation(sorted(wanted)).tolist()
        for rank, sure in sorted(order, key=lambda one: not good[one[0]]) if good_first else order:
            if come % step_by == 0:
                yield state
            come += 1
            label = {int(rank): int(pool.truth[int(rank)])}
            if sure:
                state = replace(state, answers={**state.answers, **label})
            else:
                state = replace(state, said={**state.said, **label})
            needed.discard((rank, bool(sure)))
            if not needed:
                break
    yield state


def closed(state: State) -> Certified | Refused:
    step = next_step(replace(state, closed=True))
    assert not isinstance(step, Ask)
    return step


def first_labelled(frozen: Frozen, state: State, below: int) -> int:
    """How many of the first draws below a rank have a label, without a gap."""
    order = Permutation(frozen.seed, "accept", 0, frozen.ladder[0].rank).upto(frozen.ladder[0].rank)
    mine = order[order < below]
    gaps = [place for place, rank in enumerate(mine.tolist()) if rank not in state.answers]
    return gaps[0] if gaps else len(mine)


@pytest.mark.parametrize("method", PROVING)
def test_wherever_the_budget_ends_an_audit_ends_too_and_says_why(method: str) -> None:
    pool = beta_pool(3, 700, 0.3, yes=(4.0, 1.0), no=(1.0, 5.0))
    frozen = frozen_of(method, pool, 5)
    ends = [closed(state) for state in states(frozen, pool, 1, step_by=4)]
    refused = [end for end in ends if isinstance(end, Refused)]
    assert refused
    assert all(end.spent for end in refused[:-1])
    assert isinstance(ends[-1], Certified)
    assert all("spent" in end.why or "prove no set" in end.why for end in refused)
    if method in BUDGETED:  # what a part of the budget proves is released
        assert sum(isinstance(end, Certified) for end in ends) > (method == "precision")
    else:
        assert not any(isinstance(end, Certified) for end in ends[:-1])


def test_only_the_first_draws_without_a_gap_count() -> None:
    """Good answers that come before the bad ones prove nothing, wherever the budget ends."""
    pool = flattered_pool(4, accepted=300, false_share=0.05, hidden=5, ranks=700)
    frozen = frozen_of("precision", pool, 7)
    step = next_step(State(frozen))
    assert isinstance(step, Ask)
    asked = step.wanted[0].ranks
    rest = {rank: int(Code.YES) for rank in range(len(pool.truth)) if rank != asked[0]}
    assert isinstance(closed(State(frozen, {rank: rest[rank] for rank in asked[1:]})), Refused)
    for state in states(frozen, pool, 2, step_by=3):
        end = closed(state)
        if isinstance(end, Certified):
            assert 0 < end.counts["accept_drawn"] <= first_labelled(frozen, state, end.accepted)


def is_false(end: Certified | Refused, state: State, pool: Ranked) -> bool:
    if isinstance(end, Refused):
        return False
    kept = np.arange(len(pool.truth)) < end.accepted
    for rank, code in state.answers.items():
        kept[rank] = code == Code.YES
    right = int((kept & (pool.truth == Code.YES)).sum()) + pool.known_yes
    size = int(kept.sum()) + pool.known_yes
    enough = (PROMISE.precision * size, right) if end.precision else (PROMISE.recall * pool.yes, right)
    return enough[1] < enough[0] - 1e-9


def broken(method: str, seed: int) -> Ranked:
    """A pool on which every rung holds a little more no than allowed, or whose rest hides a little more yes."""
    if method == "precision":
        return flattered_pool(seed, accepted=300, false_share=0.12, hidden=0, ranks=400, known_yes=0)
    return flattered_pool(seed, accepted=150, false_share=0.0, hidden=30, ranks=400, known_yes=5)


def fooled(method: str, runs: int) -> int:
    """How often an adversary gets a false certificate who orders the answers and ends the budget when they like."""
    times = 0
    for seed in range(runs):
        pool = broken(method, seed)
        frozen = frozen_of(method, pool, seed, answers=120, batch=80)
        run = states(frozen, pool, seed, step_by=4, good_first=True)
        times += any(is_false(closed(state), state, pool) for state in run)
    return times


@pytest.mark.parametrize("method", BUDGETED)
def test_whoever_ends_the_budget_at_the_best_moment_is_let_through_no_more_often_than_promised(method: str) -> None:
    assert fooled(method, 40) <= int(binom.ppf(0.999, 40, PROMISE.delta)) == 11


@pytest.mark.parametrize("method", BUDGETED)
def test_labels_taken_in_the_order_of_their_arrival_are_caught(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_gaps(want: Want, labels: Mapping[int, int], _state: State) -> Codes:
        return np.array([labels[rank] for rank in want.ranks.tolist() if rank in labels], np.int8)

    monkeypatch.setattr(replay, "_codes", with_gaps)
    assert fooled(method, 15) > 11
