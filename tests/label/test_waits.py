"""What a category waits for, as a sentence for its owner."""

from collections import Counter

import pytest

from thresher.label.waits import waits_for
from thresher.records import Says
from thresher.store.contract import Tally

ENOUGH = {Says.YES: 20, Says.NO: 20}
POOL = Tally(images=1000)


@pytest.mark.parametrize(
    ("tally", "gold", "unknown", "learned", "running", "says"),
    [
        (Tally(), {}, 0, False, True, "pictures: run `thresher harvest car --folder ...`"),
        (
            POOL,
            {},
            1000,
            False,
            True,
            "20 yes and 20 no gold are needed (0 and 0 are there): open the owner's task",
        ),
        (
            Tally(images=9, asks_open={"mine gold": 4}, tasks_open=1),
            {Says.YES: 3, Says.NO: 20},
            9,
            False,
            True,
            "20 yes and 20 no gold are needed (3 and 20 are there): open the owner's task",
        ),
        (Tally(images=9, asks_open={"learn": 220}, tasks_open=2), ENOUGH, 9, False, True, "2 tasks wait for workers"),
        (Tally(images=9, asks_open={"learn": 1}, tasks_open=1), ENOUGH, 9, True, True, "1 task waits for workers"),
        (
            Tally(images=9, asks_open={"adjudicate": 3}, tasks_open=1),
            ENOUGH,
            9,
            True,
            True,
            "3 pictures wait for the owner's word: open the owner's task",
        ),
        (POOL, ENOUGH, 0, True, False, "nothing: run `thresher release car`"),
        (POOL, ENOUGH, 7, True, False, "the loop: run `thresher run car`"),
        (POOL, ENOUGH, 7, False, True, "the loop, which is at work"),
        (
            POOL,
            {Says.YES: 3, Says.NO: 9},
            7,
            True,
            False,
            "20 yes and 20 no gold are needed (3 and 9 are there): open the owner's task",
        ),
        (POOL, {Says.YES: 3, Says.NO: 9}, 0, True, False, "nothing: run `thresher release car`"),
    ],
)
def test_a_category_says_what_it_waits_for(
    tally: Tally, gold: dict[Says, int], unknown: int, learned: bool, running: bool, says: str
) -> None:
    assert waits_for("car", tally, Counter(gold), unknown=unknown, least=20, learned=learned, running=running) == says


def test_a_spent_budget_is_told_and_not_the_gold_that_is_missing() -> None:
    tally = Tally(images=9, answers=60, gold_answers=30, owner_answers=10, asks_open={"mine gold": 4}, tasks_open=0)
    for learned in (True, False):
        said = waits_for("car", tally, Counter(), unknown=5, least=20, learned=learned, running=False, answers_most=100)
        assert said.startswith("nothing: its budget of 100 answers is spent; `thresher category aim car --answers N`")
        assert ("thresher release" in said) is learned
    more = waits_for("car", tally, Counter(), unknown=5, least=20, learned=True, running=False, answers_most=101)
    assert "gold are needed" in more
