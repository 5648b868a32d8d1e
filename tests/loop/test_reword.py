"""A question is changed without losing what was paid for: kept, gone back to, or still released."""

import json
import threading
from pathlib import Path

import pytest
from tests.filled import NAME, add
from tests.loop.people import everybody_answers, one_turn, pool, small, to_the_end

from thresher.errors import BadInput, Conflict, NotFound, NotReady
from thresher.label.deal import deal
from thresher.label.gate import review_all
from thresher.loop.aims import Aims, aim
from thresher.loop.decision import decision
from thresher.loop.growth import may_grow, outgrown
from thresher.loop.reword import Change, Reworded, cost_of, reword
from thresher.loop.ship import chosen, ship
from thresher.loop.snapshot import in_force
from thresher.records import Category, Given, Gold, Question, Says, Source, Stage, Targets, Worker
from thresher.release import release
from thresher.settings import Settings
from thresher.store.contract import Store

COUNT, YES_FROM = 40, 25
PEOPLE = ("ann", "bob", "cyd", "dan", "eve")
OTHER = "Is this quite another thing?"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return small(settings, tmp_path).but(votes=2, gold_least=1)


@pytest.fixture
def rows(store: Store) -> list[int]:
    return pool(store, YES_FROM, COUNT)


def says(row: int) -> Says:
    return Says.YES if row >= YES_FROM else Says.NO


def answered(store: Store, settings: Settings) -> None:
    """Two people have answered the first images, and there is gold."""
    store.labels.gild(NAME, [Gold(0, Says.NO, 1, Source.OWNER), Gold(COUNT - 1, Says.YES, 1, Source.OWNER)])
    one_turn(store, settings, 1)
    everybody_answers(store, settings, says, 2_500, PEOPLE)
    one_turn(store, settings, 2)


def change(store: Store, settings: Settings, text: str | None = None, **more: object) -> Reworded:
    return reword(NAME, Change(text, **more), store=store, settings=settings, now_ms=9_000)  # type: ignore[arg-type]  # -- fields of Change


def state(store: Store, version: int | None = None) -> tuple[int, int, int]:
    counts = decision(NAME, store=store, version=version).counts
    return counts.yes, counts.no, counts.unknown


def test_another_question_is_not_asked_before_its_owner_knows_what_does_not_count_for_it(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    answered(store, settings)
    votes = len(store.labels.votes(NAME, 1))
    cost = cost_of(NAME, 1, store=store, settings=settings)
    assert (cost.answers, cost.labels, cost.gold) == (votes, len(store.labels.held(NAME, 1)), 2)
    assert cost.cents > 0
    with pytest.raises(
        NotReady, match=rf"{votes} answers \(about \$[0-9.]+ of pay\), .* labels and 2 gold.*--yes"
    ) as told:
        change(store, settings, OTHER)
    assert "--keep-answers" in told.value.next
    assert store.categories.get(NAME).question.version == 1
    assert change(store, settings, OTHER, confirmed=True).question.version == 2
    assert store.labels.votes(NAME, 2) == []


def test_a_question_without_answers_is_changed_without_being_asked(store: Store, settings: Settings) -> None:
    store.categories.create(Category(NAME, Question(1, "Is this a thing?", "", 1)))
    assert change(store, settings, OTHER).question.version == 2


def test_the_same_question_changes_nothing_and_says_so(store: Store, settings: Settings, rows: list[int]) -> None:
    answered(store, settings)
    before = store.categories.questions(NAME)
    for text, instructions in (
        ("Is this a thing?", None),
        ("  Is this  a thing? ", "Look closely."),
        (None, "Look closely."),
    ):
        done = change(store, settings, text, instructions=instructions)
        assert (done.changed, "nothing changed" in done.says) == (False, True)
    assert not change(store, settings, version=1).changed
    assert store.categories.questions(NAME) == before


def test_instructions_alone_start_no_version(store: Store, settings: Settings, rows: list[int]) -> None:
    answered(store, settings)
    before = state(store)
    done = change(store, settings, instructions="Look twice.")
    assert done.question == Question(1, "Is this a thing?", "Look twice.", 9_000)
    assert (state(store), store.categories.get(NAME).question) == (before, done.question)


def test_a_new_wording_keeps_the_answers_the_open_tasks_and_the_audits_and_the_release_lists_it(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    store.categories.aim(NAME, Targets(0.8, 0.7, 0.2, method="certified"))
    answered(store, settings)
    for number in range(3, 30):
        one_turn(store, settings, number)
        if in_force(store.categories.get(NAME), COUNT, store=store):
            break
        everybody_answers(store, settings, says, 1_000 * number + 500, PEOPLE)
    frozen = in_force(store.categories.get(NAME), COUNT, store=store)
    assert frozen is not None
    asked = store.asks.open_rows(NAME, 1).tolist()
    change(store, settings, "Does this picture show a thing?", keep_answers=True)
    assert store.asks.open_rows(NAME, 1).tolist() == asked
    kept = in_force(store.categories.get(NAME), COUNT, store=store)
    assert kept is not None
    assert kept.epoch == frozen.epoch
    assert to_the_end(store, settings, says, PEOPLE).state == "done"
    ship(NAME, tmp_path / "out", store=store, now_ms=9)
    manifest = json.loads((tmp_path / "out" / "release.json").read_text())
    assert [wording["text"] for wording in manifest["wordings"]] == [
        "Is this a thing?",
        "Does this picture show a thing?",
    ]
    assert "under several wordings" in (tmp_path / "out" / "README.md").read_text()
    assert manifest["version"] == 1


def test_an_earlier_version_can_still_be_released_and_gone_back_to(
    store: Store, settings: Settings, rows: list[int], tmp_path: Path
) -> None:
    answered(store, settings)
    to_the_end(store, settings, says, PEOPLE)
    before = state(store)
    change(store, settings, OTHER, confirmed=True)
    assert state(store) == (0, 0, COUNT)
    assert state(store, version=1) == before
    made = release(chosen(NAME, store=store, now_ms=9, version=1), tmp_path / "old", store=store, now_ms=9)
    assert (made.version, made.images) == (1, before[0])
    assert json.loads((tmp_path / "old" / "release.json").read_text())["question"] == "Is this a thing?"
    with pytest.raises(NotReady):
        ship(NAME, tmp_path / "new", store=store, now_ms=9)
    with pytest.raises(NotFound, match="no question version 5; there are 1, 2"):
        chosen(NAME, store=store, now_ms=9, version=5)
    done = change(store, settings, version=1)
    assert (done.question.version, state(store)) == (1, before)
    assert change(store, settings, "And now?", confirmed=True).question.version == 3


def test_work_that_was_begun_on_a_question_is_finished_and_paid_and_counts_for_that_question_alone(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    one_turn(store, settings, 1)
    ann = Worker("ann", "", False, "", 1)
    store.people.add(ann)
    work = deal(NAME, ann, store=store, settings=settings, now_ms=1_000, seed=1)
    assert work is not None
    change(store, settings, OTHER, confirmed=True)
    given = [Given(at, says(dealt.row), 1.0, 1.0) for at, dealt in enumerate(work.dealt)]
    store.work.send(work.id, given, 3_000)
    (review,) = review_all(NAME, store=store, settings=settings, now_ms=4_000)
    assert review.verdict is Stage.ACCEPTED
    assert {vote.row for vote in store.labels.votes(NAME, 1)} == {dealt.row for dealt in work.dealt}
    assert store.labels.votes(NAME, 2) == []
    assert store.categories.tally(NAME).answers == len(given)
    one_turn(store, settings, 5)
    offered = deal(NAME, ann, store=store, settings=settings, now_ms=5_500, seed=1)
    assert offered is None or offered.version == 2
    change(store, settings, version=1, confirmed=True)
    one_turn(store, settings, 6)
    assert store.labels.votes(NAME, 1) != []


def test_of_many_who_change_the_question_at_once_each_goes_by_the_one_before_or_is_told(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    done: list[int] = []
    refused: list[Conflict] = []
    started = threading.Barrier(6)

    def run(number: int) -> None:
        started.wait()
        try:
            done.append(change(store, settings, f"Is it the number {number}?", confirmed=True).question.version)
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) + len(refused) == 6
    assert sorted(done) == list(range(2, 2 + len(done)))
    assert [asked.version for asked in store.categories.questions(NAME)] == [1, *sorted(done)]


@pytest.mark.parametrize(
    "wrong",
    [Change(), Change("  "), Change(keep_answers=True), Change("x y z", version=1), Change(instructions="", version=1)],
)
def test_a_change_that_is_none_is_refused(store: Store, settings: Settings, rows: list[int], wrong: Change) -> None:
    with pytest.raises(BadInput):
        reword(NAME, wrong, store=store, settings=settings, now_ms=1)
    with pytest.raises(NotFound, match="no question version 9"):
        change(store, settings, version=9)


def test_targets_that_would_end_audits_with_answers_are_not_set_unasked(
    store: Store, settings: Settings, rows: list[int]
) -> None:
    store.categories.aim(NAME, Targets(0.8, 0.7, 0.2, method="certified"))
    answered(store, settings)
    epoch = None
    for number in range(3, 40):
        came_to = one_turn(store, settings, number)
        if (epoch and came_to.state == "asking") or came_to.state == "done":
            break
        everybody_answers(store, settings, says, 1_000 * number + 500, PEOPLE)
        epoch = in_force(store.categories.get(NAME), COUNT, store=store)
    assert any(vote.epoch for vote in store.labels.votes(NAME, 1))
    before = store.categories.get(NAME).targets
    with pytest.raises(NotReady, match=r"the audits of the present targets have [0-9]+ answers.*--yes"):
        aim(NAME, Aims(precision=0.9), store=store)
    assert store.categories.get(NAME).targets == before
    assert aim(NAME, Aims(answers=9_000), store=store).answers == 9_000  # a budget ends no audit of this method
    aim(NAME, Aims(precision=0.9), store=store, confirmed=True)
    assert in_force(store.categories.get(NAME), COUNT, store=store) is None
    aim(NAME, Aims(precision=0.8), store=store)
    assert in_force(store.categories.get(NAME), COUNT, store=store) is not None
    with pytest.raises(NotReady, match=r"the audits of the present pool have [0-9]+ answers.*--yes"):
        may_grow(NAME, store=store, confirmed=False)
    spent = may_grow(NAME, store=store, confirmed=True)
    assert outgrown(NAME, store=store) == ""
    add(store, range(700, 703))
    assert may_grow(NAME, store=store, confirmed=False) == 0
    assert f"The audits of {COUNT} images ended with {spent} answers, because 3 were" in outgrown(NAME, store=store)
