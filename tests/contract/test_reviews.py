"""Reviews: a list for each assignment, whose last one is in force."""

import threading

import pytest
from tests.contract.things import answers, append_review, category, deal, finish, publish, reviewed, take

from thresher.errors import BadInput, Conflict, NotFound
from thresher.records import Review, Stage
from thresher.store.contract import Store
from thresher.store.kinds import RECHECK, REVIEW


def test_a_further_decision_changes_the_weight_of_the_votes_or_only_the_record(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    first = reviewed(store)
    second = Review(Stage.ACCEPTED, "second", 500, 1, 1, weight=1.0)
    after = store.work.judge_again(first.id, second, after=1, votes=False)
    assert (after.stage, after.review) == (Stage.ACCEPTED, second)
    assert [vote.weight for vote in store.labels.votes("car", 1)] == [0.25, 0.25]
    store.work.judge_again(first.id, second, after=2, votes=True)
    assert [vote.weight for vote in store.labels.votes("car", 1)] == [1.0, 1.0]
    assert [review.why for review in store.work.reviews(first.id)] == ["first", "second", "second"]
    assert store.labels.gold_record("car", 1, "w1") == (1, 1, 0, 0)
    assert store.categories.tally("car").assignments == {"accepted": 1}


def test_a_decision_by_somebody_who_was_slower_changes_nothing(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    first = reviewed(store)
    accepted = Review(Stage.ACCEPTED, "quick", 500)
    store.work.judge_again(first.id, accepted, after=1, votes=True)
    late = store.work.judge_again(first.id, Review(Stage.REJECTED, "slow", 501, weight=0.0), after=1, votes=True)
    assert late.review == accepted
    assert len(store.labels.votes("car", 1)) == 2


@pytest.mark.parametrize("others", [0, 1])
def test_a_late_rejection_takes_the_answers_out_and_frees_the_place(store: Store, others: int) -> None:
    category(store, 5)
    task = publish(store, [0, 1], places=1 + others)
    first = reviewed(store)
    rejected = Review(Stage.REJECTED, "no", 500, weight=0.0)
    for after in (1, 2):  # a second time changes nothing
        store.work.judge_again(first.id, rejected, after=after, votes=True)
        assert store.labels.votes("car", 1) == []
        assert store.labels.gold_answers("car", 1) == []
        there = store.asks.task(task.number)
        # a task that is complete stays so: its asks are closed
        assert (there.taken, there.done) == ((0, 0) if others else (1, 1))
    assert take(store, "w1") is None
    assert (take(store, "w2") is not None) is bool(others)
    with pytest.raises(Conflict):
        store.work.judge_again(first.id, Review(Stage.ACCEPTED, "yes", 600), after=3, votes=True)


def test_what_has_no_decision_is_not_judged_again(store: Store) -> None:
    category(store, 5)
    publish(store, [0])
    dealt = deal(store)
    with pytest.raises(Conflict):
        store.work.judge_again(dealt.id, Review(Stage.ACCEPTED, "", 1), after=0, votes=True)


def test_of_further_decisions_made_at_once_one_is_kept(store: Store) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    first = reviewed(store)
    ready = threading.Barrier(3)

    def decide(verdict: Stage) -> None:
        ready.wait()
        weight = 0.0 if verdict is Stage.REJECTED else 1.0
        store.work.judge_again(first.id, Review(verdict, "again", 500, weight=weight), after=1, votes=True)

    threads = [threading.Thread(target=decide, args=(Stage(one),)) for one in ("accepted", "rejected", "accepted")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.work.reviews(first.id)) == 2
    kept = store.work.get(first.id).stage
    assert len(store.labels.votes("car", 1)) == (0 if kept is Stage.REJECTED else 2)


def test_sent_assignments_wait_for_review_oldest_first(store: Store) -> None:
    category(store, 4)
    publish(store, [0], places=3)
    held = [deal(store, worker) for worker in ("w1", "w2", "w3")]
    for dealt, at_ms in zip(held, (300, 200, 400), strict=True):
        store.work.send(dealt.id, answers(dealt), at_ms)
    store.work.review(held[2].id, Review(Stage.ACCEPTED, "fine", 500))
    assert [waiting.id for waiting in store.work.unreviewed("car")] == [held[1].id, held[0].id]


def test_a_review_is_recorded_once(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    dealt = deal(store)
    store.work.send(dealt.id, answers(dealt), 200)
    review = Review(Stage.WEIGHTED, "9 of 10 gold right", 300, 5, 5, 4, 5, 0.7, True)
    reviewed = store.work.review(dealt.id, review)
    assert (reviewed.stage, reviewed.review) == (Stage.WEIGHTED, review)
    assert store.work.review(dealt.id, Review(Stage.REJECTED, "second thoughts", 400)) == reviewed
    assert store.work.get(dealt.id) == reviewed
    assert len(store.labels.votes("car", 1)) == 1


def test_reviews_are_a_list_and_the_last_one_is_in_force(store: Store) -> None:
    category(store, 4)
    publish(store, [0], places=2)
    first = Review(Stage.WEIGHTED, "because", 160, 1, 2, 0, 1, 0.7, True)
    sent = finish(
        store, "w1", verdict=Stage.WEIGHTED, yes_right=1, yes_shown=2, no_shown=1, weight=0.7, provisional=True
    )
    assert store.work.reviews(sent.id) == [first] == [sent.review]
    later = [Review(Stage.ACCEPTED, f"looked again {turn}", 300 + turn, 2, 2, turn, 10) for turn in range(10)]
    for review in later:
        append_review(store, sent.id, review)
    assert store.work.reviews(sent.id) == [first, *later]
    now = store.work.get(sent.id)
    assert (now.stage, now.review) == (Stage.ACCEPTED, later[-1])
    assert store.work.of_worker("w1") == store.work.page("car", "", 9) == [now]
    assert store.labels.gold_record("car", 1, "w1") == (2, 2, 9, 10)
    assert store.work.review(sent.id, Review(Stage.REJECTED, "third thoughts", 900)) == now
    assert store.categories.tally("car").assignments == {"accepted": 1}
    other = finish(store, "w2")
    assert store.work.reviews(other.id) == [other.review]
    assert store.check(mend=False).sound


def test_what_nobody_reviewed_has_no_reviews(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    assert store.work.reviews(deal(store).id) == []
    with pytest.raises(NotFound):
        store.work.reviews("x")


def test_only_what_was_sent_is_reviewed_and_only_with_a_verdict(store: Store) -> None:
    category(store, 4)
    publish(store, [0])
    dealt = deal(store)
    with pytest.raises(Conflict):
        store.work.review(dealt.id, Review(Stage.ACCEPTED, "", 200))
    store.work.send(dealt.id, answers(dealt), 200)
    with pytest.raises(BadInput):
        store.work.review(dealt.id, Review(Stage.EXPIRED, "", 300))


def test_a_rejected_assignment_leaves_no_answers(store: Store) -> None:
    category(store, 4)
    task = publish(store, [0, 1])
    rejected = finish(store, "w1", verdict=Stage.REJECTED, gold=[3])
    assert rejected.stage is Stage.REJECTED
    assert store.labels.votes("car", 1) == []
    assert store.labels.gold_answers("car", 1) == []
    freed = store.asks.task(task.number)
    assert (freed.taken, freed.done) == (0, 0)
    assert take(store, "w2") is not None
    assert store.categories.tally("car").assignments == {"leased": 1, "rejected": 1}


def test_each_decision_moves_the_mark_of_the_votes_by_one_so_that_nothing_else_can_change_them_unseen(
    store: Store,
) -> None:
    category(store, 5)
    publish(store, [0, 1], places=2)
    before = store.categories.mark("car").votes
    first = reviewed(store)
    assert store.categories.mark("car").votes == before + 1
    store.lines.add(RECHECK, [{"assignment": first.id, "mark": ""}], "car")
    store.work.judge_again(first.id, Review(Stage.ACCEPTED, "yes", 500), after=1, votes=True)
    store.work.judge_again(first.id, Review(Stage.REJECTED, "late", 501, weight=0.0), after=1, votes=True)
    assert store.categories.mark("car").votes == before + 2 == before + store.lines.count(REVIEW, "car")
