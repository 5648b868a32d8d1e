"""Every image labelled: words where people agree, adjudicated labels elsewhere, and the count of them."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evidence.pools import PROMISE, beta_pool, draws

from thresher.evidence import Ask, Certified, Code, Frozen, Gold, Means, Refused, State, freeze, next_step, released

POOL = beta_pool(3, 300, 0.3)


def frozen() -> Frozen:
    return freeze("everything", PROMISE, POOL.pool, draws(1), Means(gold=Gold(300, 3, 300, 3)))


def words(open_: int) -> dict[int, int]:
    said = {rank: int(code) for rank, code in enumerate(POOL.truth)}
    return {**said, **dict.fromkeys(range(open_), int(Code.UNANSWERABLE))}


def test_it_asks_for_a_word_on_every_rank_and_adjudicates_where_words_are_open() -> None:
    first = next_step(State(frozen()))
    assert isinstance(first, Ask)
    assert [(len(part.ranks), part.sure) for part in first.wanted] == [(len(POOL.truth), False)]
    second = next_step(State(frozen(), {}, words(7)))
    assert isinstance(second, Ask)
    assert [(part.ranks, part.sure) for part in second.wanted] == [(tuple(range(7)), True)]


def test_all_yes_are_released_and_nothing_else() -> None:
    state = State(frozen(), {rank: int(POOL.truth[rank]) for rank in range(7)}, words(7))
    step = next_step(state)
    assert isinstance(step, Certified)
    assert np.array_equal(released(step, state), np.flatnonzero(POOL.truth == Code.YES))
    assert step.delivered == POOL.yes
    assert frozen().gold is None  # it bounds no error, and says so


@pytest.mark.parametrize(("unanswerable", "certified"), [(8, True), (25, False)])
def test_what_nobody_can_answer_counts_as_missed(unanswerable: int, certified: bool) -> None:
    answers = dict.fromkeys(range(unanswerable), int(Code.UNANSWERABLE))
    step = next_step(State(frozen(), answers, words(unanswerable)))
    assert isinstance(step, Certified) is certified
    if isinstance(step, Refused):
        assert f"{unanswerable} images can't be answered" in step.why


def test_a_label_that_came_first_stands_for_its_word() -> None:
    answers = {3: int(POOL.truth[3])}
    said = {rank: word for rank, word in words(0).items() if rank != 3}
    assert isinstance(next_step(State(frozen(), answers, said)), Certified)


def test_when_the_budget_ends_it_is_spent() -> None:
    step = next_step(replace(State(frozen(), {}, words(7)), closed=True))
    assert isinstance(step, Refused)
    assert step.spent
