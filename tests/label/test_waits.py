"""What a category waits for, as a sentence for its owner, with the command for it and who has to act."""

from dataclasses import replace

import pytest

from thresher.label.waits import NextStep, Standing, waits_for
from thresher.records import Says
from thresher.store.contract import Tally

ENOUGH = {Says.YES: 20, Says.NO: 20}
POOL = Tally(images=1000)
LOOP = NextStep("loop", "the loop: run `thresher run car`", "thresher run car")
RELEASE = NextStep("release", "nothing: run `thresher release car --to DIR`", "thresher release car --to DIR")


def gold(yes: int, no: int) -> NextStep:
    wanted = (
        f"more known answers (gold): 20 yes and 20 no are needed, and there are {yes} and {no}; open the owner's task"
    )
    return NextStep("gold", wanted, "thresher serve", "owner")


def annotators(tasks: str) -> NextStep:
    return NextStep("annotators", f"annotators: {tasks} open", "thresher serve", "annotators")


@pytest.mark.parametrize(
    ("tally", "standing", "expected"),
    [
        (
            Tally(),
            Standing(POOL, running=True),
            NextStep(
                "images",
                "images: run `thresher harvest car --folder ...`",
                "thresher harvest car --folder DIR",
                "owner",
            ),
        ),
        (POOL, Standing(POOL, running=True), gold(0, 0)),
        (
            Tally(images=9, asks_open={"mine gold": 4}, tasks_open=1),
            Standing(POOL, {Says.YES: 3, Says.NO: 20}),
            gold(3, 20),
        ),
        (Tally(images=9, asks_open={"learn": 220}, tasks_open=2), Standing(POOL, ENOUGH), annotators("2 tasks are")),
        (
            Tally(images=9, asks_open={"learn": 1}, tasks_open=1),
            Standing(POOL, ENOUGH, done=True),
            annotators("1 task is"),
        ),
        (Tally(images=9, asks_open={"learn": 1}, tasks_open=1, assignments={"sent": 1}), Standing(POOL, ENOUGH), LOOP),
        (
            Tally(images=9, asks_open={"adjudicate": 3}, tasks_open=1),
            Standing(POOL, ENOUGH),
            NextStep("owner", "the owner to decide 3 images: open the owner's task", "thresher serve", "owner"),
        ),
        (Tally(images=9, asks_open={"learn": 4, "adjudicate": 3}), Standing(POOL, ENOUGH, unpublished=(4, 3)), LOOP),
        (
            Tally(images=9, asks_open={"check": 30}, tasks_open=1),
            Standing(POOL, ENOUGH),
            NextStep("owner", "the owner to check 30 images: open the owner's task", "thresher serve", "owner"),
        ),
        (Tally(images=9, asks_open={"check": 30}), Standing(POOL, ENOUGH, unpublished=(0, 30)), LOOP),
        (POOL, Standing(POOL, ENOUGH, done=True), RELEASE),
        (POOL, Standing(POOL, ENOUGH, done=True, unsettled=True), LOOP),
        (
            POOL,
            Standing(POOL, ENOUGH, done=True, released="/out"),
            NextStep("released", "nothing: it is released in /out"),
        ),
        (POOL, Standing(POOL, ENOUGH), LOOP),
        (POOL, Standing(POOL, ENOUGH, running=True), NextStep("loop", "the loop, which is running", LOOP.command)),
        (POOL, Standing(POOL, {Says.YES: 3, Says.NO: 9}), gold(3, 9)),
        (POOL, Standing(POOL, {Says.YES: 3, Says.NO: 9}, done=True), RELEASE),
        (POOL, Standing(POOL, {Says.YES: 3}, minable=False), LOOP),  # the owner has nothing left to make gold of
        (
            POOL,
            Standing(POOL, ENOUGH, lacks_people="annotators to join"),
            NextStep("people", "annotators to join", "thresher invite --category car", "annotators"),
        ),
        (
            Tally(images=9, tasks_open=1, asks_open={"learn": 20}),
            Standing(POOL, ENOUGH, out_of_people=20),
            NextStep(
                "people",
                "annotators to join: all who have joined were asked about 20 images already",
                "thresher invite --category car",
                "annotators",
            ),
        ),
    ],
)
def test_a_category_says_what_it_waits_for(tally: Tally, standing: Standing, expected: NextStep) -> None:
    assert waits_for("car", replace(standing, tally=tally, gold_least=20)) == expected


def test_a_spent_budget_is_told_and_not_the_gold_that_is_missing() -> None:
    tally = Tally(images=9, answers=60, gold_answers=30, owner_answers=10, asks_open={"mine gold": 4}, tasks_open=0)
    for releasable in (True, False):
        step = waits_for("car", Standing(tally, gold_least=20, releasable=releasable, spent="it is spent"))
        said = "nothing: it is spent; `thresher category aim car --answers N` raises it"
        assert step.waits_for.startswith(said)
        assert ("thresher release" in step.waits_for, step.command.startswith("thresher release")) == (releasable,) * 2
        assert step.human == ("" if releasable else "owner")
    assert waits_for("car", Standing(tally, gold_least=20)).state == "gold"


def test_a_certificate_that_is_not_to_be_had_is_told_with_what_it_would_take() -> None:
    why = "60 answers prove no set; it would take more"
    step = waits_for("car", Standing(POOL, gold_least=20, refused=why))
    told = f"nothing: not certified, because {why}; `thresher run car --freeze-anew` makes another freeze"
    assert step == NextStep("refused", f"{told}, with less of delta", "thresher category aim car", "owner")
    step = waits_for("car", Standing(POOL, gold_least=20, refused=why, releasable=True))
    assert step.waits_for.endswith("; `thresher release car --to DIR` exports what is decided")
    step = waits_for("car", Standing(POOL, gold_least=20, refused=why, releasable=True, released="/out"))
    assert (step.state, step.waits_for.endswith("it is released in /out")) == ("released", True)
