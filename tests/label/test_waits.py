"""What a category waits for, as a sentence for its owner."""

import pytest

from thresher.label.waits import Standing, waits_for
from thresher.records import Says
from thresher.store.contract import Tally

ENOUGH = {Says.YES: 20, Says.NO: 20}
POOL = Tally(images=1000)


@pytest.mark.parametrize(
    ("tally", "gold", "learned", "done", "running", "says"),
    [
        (Tally(), {}, False, False, True, "images: run `thresher harvest car --folder ...`"),
        (
            POOL,
            {},
            False,
            False,
            True,
            "more gold (needed: 20 yes and 20 no; there are 0 and 0): open the owner's task",
        ),
        (
            Tally(images=9, asks_open={"mine gold": 4}, tasks_open=1),
            {Says.YES: 3, Says.NO: 20},
            False,
            False,
            True,
            "more gold (needed: 20 yes and 20 no; there are 3 and 20): open the owner's task",
        ),
        (
            Tally(images=9, asks_open={"learn": 220}, tasks_open=2),
            ENOUGH,
            False,
            False,
            True,
            "annotators: 2 tasks are open",
        ),
        (
            Tally(images=9, asks_open={"learn": 1}, tasks_open=1),
            ENOUGH,
            True,
            False,
            True,
            "annotators: 1 task is open",
        ),
        (
            Tally(images=9, asks_open={"adjudicate": 3}, tasks_open=1),
            ENOUGH,
            True,
            False,
            True,
            "the owner to decide 3 images: open the owner's task",
        ),
        (POOL, ENOUGH, True, True, False, "nothing: run `thresher release car`"),
        (POOL, ENOUGH, True, False, False, "the loop: run `thresher run car`"),
        (POOL, ENOUGH, False, False, True, "the loop, which is running"),
        (
            POOL,
            {Says.YES: 3, Says.NO: 9},
            True,
            False,
            False,
            "more gold (needed: 20 yes and 20 no; there are 3 and 9): open the owner's task",
        ),
        (POOL, {Says.YES: 3, Says.NO: 9}, True, True, False, "nothing: run `thresher release car`"),
    ],
)
def test_a_category_says_what_it_waits_for(
    tally: Tally, gold: dict[Says, int], learned: bool, done: bool, running: bool, says: str
) -> None:
    standing = Standing(tally, gold, gold_least=20, learned=learned, done=done, running=running)
    assert waits_for("car", standing) == says


def test_a_spent_budget_is_told_and_not_the_gold_that_is_missing() -> None:
    tally = Tally(images=9, answers=60, gold_answers=30, owner_answers=10, asks_open={"mine gold": 4}, tasks_open=0)
    for learned in (True, False):
        said = waits_for("car", Standing(tally, gold_least=20, learned=learned, spent=100))
        assert said.startswith("nothing: its budget of 100 answers is spent; `thresher category aim car --answers N`")
        assert ("thresher release" in said) is learned
    assert "more gold (needed" in waits_for("car", Standing(tally, gold_least=20, learned=True))


def test_a_certificate_that_is_not_to_be_had_is_told_with_what_it_would_take() -> None:
    standing = Standing(POOL, gold_least=20, learned=True, refused="60 answers prove no set; it would take more")
    assert waits_for("car", standing) == "nothing: not certified, because 60 answers prove no set; it would take more"
