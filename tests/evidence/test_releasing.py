"""The released set where adjudication errs: what joins does not break the bound, and what might is withheld."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evidence.pools import draws

from thresher.evidence import Certified, Code, Frozen, Gold, Means, Pool, Promise, State, freeze, released
from thresher.evidence.releasing import fits, slips_at_most, withheld

RANKS, RUNG, TOP = 1000, 400, 600
GOLD = Gold(400, 1, 400, 1)


def frozen_of(method: str = "precision", gold: Gold | None = GOLD) -> Frozen:
    made = freeze(method, Promise(0.95, 0.9, 0.05), Pool(np.linspace(1, 0, RANKS), 20), draws(5), Means(300, 40, gold))
    rung = replace(made.ladder[0], rank=TOP)
    return replace(made, ladder=(rung, *made.ladder[1:]), gold=gold)


def certified(rejected: int = RANKS) -> Certified:
    return Certified(0.95, None, 0.05, RUNG, rejected, 0, 9, {})


def labels(yes: range, no: range) -> dict[int, int]:
    return dict.fromkeys(yes, int(Code.YES)) | dict.fromkeys(no, int(Code.NO))


def beyond(state: State) -> list[int]:
    return [rank for rank in released(certified(), state).tolist() if rank >= RUNG]


def test_without_gold_every_yes_joins() -> None:
    state = State(frozen_of(gold=None), labels(range(590, 610), range(900, 990)))
    assert beyond(state) == list(range(590, 610))
    assert not len(withheld(certified(), state))


def test_a_yes_of_the_owner_joins_wherever_it_is_ranked_and_one_of_people_does_not() -> None:
    state = State(frozen_of(), labels(range(700, 720), range(0)), owners=frozenset({3, 705, 719}))
    assert beyond(state) == [705, 719]
    assert withheld(certified(), state).tolist() == [rank for rank in range(700, 720) if rank not in (705, 719)]


def test_yes_of_people_near_the_set_join_when_their_slips_fit_into_what_was_left_out() -> None:
    yes = range(450, 480)
    few, more = State(frozen_of(), labels(yes, range(0))), State(frozen_of(), labels(yes, range(8)))
    assert beyond(few) == []
    assert withheld(certified(), few).tolist() == list(yes)
    assert beyond(more) == list(yes)
    assert not len(withheld(certified(), more))


def test_many_no_near_the_set_keep_the_yes_among_them_out() -> None:
    state = State(frozen_of(), labels(range(450, 480), range(8)) | labels(range(0), range(480, 600)))
    assert beyond(state) == []


def test_where_recall_alone_is_promised_every_yes_joins() -> None:
    state = State(frozen_of("recall"), labels(range(700, 720), range(900, 990)))
    assert beyond(state) == list(range(700, 720))


def test_of_a_labelled_middle_every_yes_joins_and_beyond_it_only_the_owners() -> None:
    state = State(frozen_of("certified"), labels(range(450, 460), range(460, 470)) | labels(range(800, 804), range(0)))
    ended = certified(rejected=470)
    assert released(ended, replace(state, owners=frozenset({801}))).tolist() == [*range(RUNG), *range(450, 460), 801]


@pytest.mark.parametrize("rate", [0.005, 0.03, 0.2])
@pytest.mark.parametrize("part", [0.2, 0.02])
def test_the_bound_on_slips_holds_at_every_moment_at_once(rate: float, part: float) -> None:
    """The chance that the walk of slips ever leaves the bound, whenever one looks, by an exact programme."""
    most = [slips_at_most(no, 10_000, rate, part) for no in range(1200)]
    alive = np.zeros(400)  # by the number of slips so far
    alive[0] = 1.0
    left = 0.0
    for allowed in most:  # before the (no + 1)-th that is called no, any number of slips
        spread = np.zeros(400)
        carry = 0.0
        for slips in range(400):
            carry = alive[slips] + carry * rate
            spread[slips] = carry * (1.0 - rate)
        left += float(spread[allowed + 1 :].sum())
        spread[allowed + 1 :] = 0.0
        alive = spread
    assert 0.02 * part < left <= part


def test_the_bound_on_slips_grows_with_the_no_and_is_never_more_than_the_yes() -> None:
    bounds = [slips_at_most(no, 50, 0.03, 1e-3) for no in range(0, 2000, 50)]
    assert bounds == sorted(bounds)
    assert bounds[0] <= 3
    assert bounds[-1] == 50
    assert slips_at_most(10, 5, 1.0, 1e-3) == 5
    assert slips_at_most(10, 5, 0.0, 1e-3) == 0


def test_whether_they_fit_depends_on_what_was_left_out_of_the_set_alone() -> None:
    inside = State(frozen_of(), labels(range(450, 480), range(8)))
    outside = State(frozen_of(), labels(range(450, 480), range(480, 488)))
    assert fits(certified(), inside, people=30, owner=0)
    assert not fits(certified(), outside, people=30, owner=0)
    assert fits(certified(), outside, people=30, owner=200)
