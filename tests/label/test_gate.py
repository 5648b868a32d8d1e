from collections.abc import Callable
from dataclasses import replace

import pytest
from scipy.stats import binom
from tests.label.scene import NAME, SECONDS, Scene, answers, says, scene, truth

from thresher.label.asks import fill_tasks, wish
from thresher.label.gate import guessed, judge, needed, review_all
from thresher.label.unaided import shows_guessing
from thresher.records import Assignment, Dealt, Given, Gold, Purpose, Review, Says, Source, Stage
from thresher.settings import Settings
from thresher.store.contract import Store, Tally

NEW = (0, 0, 0, 0)
GOLD = [Gold(row, Says.YES if row < 20 else Says.NO, 1, Source.OWNER) for row in range(40)]


def sent(yes_right: int, no_right: int, *, shown: int = 20, seconds: float = SECONDS, unsure: int = 0) -> Assignment:
    """An assignment that shows `shown` gold of each answer and ten asked images."""
    dealt = tuple(Dealt(row, None) for row in (*range(shown), *range(20, 20 + shown)))
    said = [Says.YES if place < yes_right else Says.NO for place in range(shown)]
    said += [Says.NO if place < no_right else Says.YES for place in range(shown)]
    said[:unsure] = [Says.UNSURE] * unsure
    dealt += tuple(Dealt(1000 + place, place) for place in range(10))
    said += [Says.YES, Says.NO] * 5
    given = tuple(Given(place, one, seconds, seconds) for place, one in enumerate(said))
    return Assignment("a", 1, NAME, 1, "w", Stage.SENT, dealt, 0, 0, 1, given)


def verdict(assignment: Assignment, settings: Settings, *, paused: bool = False) -> Review:
    return judge(assignment, GOLD, NEW, settings=settings, now_ms=5, paused=paused)


@pytest.mark.parametrize(
    ("yes_right", "no_right", "stage"),
    [
        (20, 20, Stage.ACCEPTED),
        (16, 16, Stage.ACCEPTED),
        (15, 20, Stage.REJECTED),
        (20, 15, Stage.REJECTED),
        (20, 0, Stage.REJECTED),  # always yes
        (0, 20, Stage.REJECTED),  # always no: plain accuracy on unbalanced gold would let it pass
        (10, 10, Stage.REJECTED),
    ],
)
def test_both_answers_of_the_gold_must_be_known(
    settings: Settings, yes_right: int, no_right: int, stage: Stage
) -> None:
    review = verdict(sent(yes_right, no_right), settings)
    assert (review.verdict, review.provisional) == (stage, False)
    assert (review.yes_right, review.yes_shown, review.no_right, review.no_shown) == (yes_right, 20, no_right, 20)
    assert review.weight == (1.0 if stage is Stage.ACCEPTED else 0.0)


def test_an_honest_worker_hardly_ever_fails_and_a_coin_hardly_ever_passes(settings: Settings) -> None:
    least = needed(settings.gold_pass, 20)
    honest = (1 - binom.cdf(least - 1, 20, 0.95)) ** 2
    coin = (1 - binom.cdf(least - 1, 20, 0.5)) ** 2
    assert honest > 0.994
    assert coin < 0.0001


def test_the_pass_mark_is_exact() -> None:
    assert [needed(0.8, shown) for shown in (20, 10, 15, 11)] == [16, 8, 12, 9]


def test_unsure_is_not_right(settings: Settings) -> None:
    assert verdict(sent(20, 20, unsure=4), settings).verdict is Stage.ACCEPTED
    assert verdict(sent(20, 20, unsure=5), settings).verdict is Stage.REJECTED


def test_a_rejection_says_what_was_wrong_in_words_its_worker_may_read(settings: Settings) -> None:
    why = verdict(sent(20, 9), settings).why
    assert "you had 20 of 20 right where it is yes, and 9 of 20 where it is no" in why
    assert "At least 80% of each are needed" in why
    assert "please write to the person who gave you the link" in why


def test_haste_is_remarked_on_and_rejects_nobody(settings: Settings) -> None:
    review = verdict(sent(20, 20, seconds=0.2), settings)
    assert review.verdict is Stage.ACCEPTED
    assert "less than 0.4 seconds" in review.why


def test_by_a_class_with_little_gold_nobody_is_rejected(settings: Settings) -> None:
    for yes_right, no_right, gold in ((20, 0, GOLD[:39]), (0, 20, GOLD[1:]), (0, 0, GOLD[1:39])):
        review = judge(sent(yes_right, no_right), gold, NEW, settings=settings, now_ms=5)
        assert (review.verdict, review.weight, review.provisional) == (Stage.WEIGHTED, 0.25, True)
    assert judge(sent(20, 20), GOLD[:39], NEW, settings=settings, now_ms=5).provisional
    assert judge(sent(0, 0), [], NEW, settings=settings, now_ms=5).verdict is Stage.ACCEPTED


def test_by_a_class_with_enough_gold_somebody_may_be_rejected_although_the_other_has_none(settings: Settings) -> None:
    for gold, yes_right, no_right in ((GOLD[:20], 0, 20), (GOLD[20:], 20, 0)):
        assert judge(sent(yes_right, no_right), gold, NEW, settings=settings, now_ms=5).verdict is Stage.REJECTED
        passed = judge(sent(20, 20), gold, NEW, settings=settings, now_ms=5)
        assert (passed.verdict, passed.weight, passed.provisional) == (Stage.WEIGHTED, 0.25, True)


def test_gold_that_the_owner_did_not_confirm_rejects_nobody(settings: Settings) -> None:
    grown = [replace(piece, source=Source.ADJUDICATED) for piece in GOLD]
    review = judge(sent(0, 0), grown, NEW, settings=settings, now_ms=5)
    assert (review.verdict, review.yes_shown, review.no_shown) == (Stage.ACCEPTED, 0, 0)


@pytest.mark.parametrize(
    ("compared", "verdict"),
    [
        ((8, 15, 8, 15), Stage.WEIGHTED),
        ((15, 15, 0, 60), Stage.WEIGHTED),  # always yes
        ((25, 30, 5, 30), Stage.WEIGHTED),
        ((13, 15, 14, 15), Stage.ACCEPTED),
        ((14, 20, 50, 60), Stage.ACCEPTED),  # hard images
        ((5, 7, 64, 66), Stage.ACCEPTED),  # yes are rare
        ((4, 7, 33, 66), Stage.WEIGHTED),
        ((0, 7, 66, 66), Stage.WEIGHTED),  # always no
        ((0, 5, 30, 60), Stage.ACCEPTED),  # too few to tell
    ],
)
def test_who_agrees_with_others_like_a_guesser_is_not_paid_at_once(
    settings: Settings, compared: tuple[int, int, int, int], verdict: Stage
) -> None:
    review = judge(sent(20, 20), GOLD, NEW, settings=settings, now_ms=5, compared=compared)
    assert review.verdict is verdict
    assert review.provisional is (verdict is Stage.WEIGHTED)


def test_a_guesser_hardly_ever_agrees_and_people_who_look_hardly_ever_do_not() -> None:
    def share(right: float, yes: int, no: int) -> float:
        pairs = [(a, b) for a in range(yes + 1) for b in range(no + 1) if shows_guessing((a, yes, b, no))]
        return sum(float(binom.pmf(a, yes, right) * binom.pmf(b, no, right)) for a, b in pairs)

    for yes, no in ((15, 15), (25, 60), (50, 50)):
        assert share(0.5, yes, no) > 0.98
        assert share(0.9, yes, no) < 0.005
        assert share(0.82, yes, no) < 0.1  # two people agree so often if both are right on 90 of 100


def test_a_worker_who_was_shown_little_gold_is_judged_with_their_record(settings: Settings) -> None:
    assignment = sent(4, 4, shown=6)
    alone = judge(assignment, GOLD, NEW, settings=settings, now_ms=5)
    assert (alone.verdict, alone.provisional) == (Stage.ACCEPTED, True)
    good = judge(assignment, GOLD, (30, 30, 29, 30), settings=settings, now_ms=5)
    assert (good.verdict, good.provisional) == (Stage.ACCEPTED, False)
    bad = judge(assignment, GOLD, (15, 30, 29, 30), settings=settings, now_ms=5)
    assert bad.verdict is Stage.REJECTED
    assert (bad.yes_right, bad.yes_shown) == (4, 6)


@pytest.mark.parametrize(
    ("yes_right", "no_right", "stage"),
    [
        (8, 8, Stage.ACCEPTED),
        (7, 10, Stage.WEIGHTED),
        (7, 7, Stage.WEIGHTED),  # 14 of 20
        (7, 6, Stage.REJECTED),
        (10, 0, Stage.REJECTED),  # always yes
        (0, 10, Stage.REJECTED),
        (5, 5, Stage.REJECTED),
    ],
)
def test_little_gold_rejects_only_who_did_not_look(
    settings: Settings, yes_right: int, no_right: int, stage: Stage
) -> None:
    review = verdict(sent(yes_right, no_right, shown=10), settings)
    assert (review.verdict, review.provisional) == (stage, False)
    assert review.weight == {Stage.ACCEPTED: 1.0, Stage.WEIGHTED: 0.25, Stage.REJECTED: 0.0}[stage]
    assert verdict(sent(11, 15, shown=15), settings).verdict is Stage.REJECTED  # thirty are not little


def test_on_little_gold_people_who_look_are_hardly_ever_rejected_and_a_coin_hardly_ever_passes(
    settings: Settings,
) -> None:
    def share(right: float, stage: Stage) -> float:
        pairs = [(yes, no) for yes in range(11) for no in range(11)]
        like = [pair for pair in pairs if verdict(sent(*pair, shown=10), settings).verdict is stage]
        return sum(float(binom.pmf(yes, 10, right) * binom.pmf(no, 10, right)) for yes, no in like)

    assert share(0.95, Stage.REJECTED) < 0.0001
    assert share(0.9, Stage.REJECTED) < 0.003
    assert share(0.95, Stage.ACCEPTED) > 0.97
    assert share(0.5, Stage.ACCEPTED) < 0.004
    assert share(0.5, Stage.REJECTED) > 0.94


def test_work_without_a_mistake_is_not_told_to_be_less_than_hoped_for(settings: Settings) -> None:
    review = judge(sent(5, 5, shown=5), GOLD, (4, 8, 8, 8), settings=settings, now_ms=5)
    assert review.verdict is Stage.WEIGHTED
    assert "More was wrong in earlier tasks" in review.why


def test_retired_gold_counts_for_nothing(settings: Settings) -> None:
    gold = [*GOLD, *[Gold(row, Says.YES, 1, Source.OWNER) for row in range(50, 60)]]
    dropped = [piece for piece in gold if piece.row != 0]
    review = judge(sent(20, 20), dropped, NEW, settings=settings, now_ms=5)
    assert review.yes_shown == 19


def test_a_paused_gate_pays_and_hardly_believes(settings: Settings) -> None:
    for yes_right, no_right in ((0, 0), (4, 5), (13, 14), (19, 10), (8, 19)):
        review = verdict(sent(yes_right, no_right), settings, paused=True)
        assert review.verdict is Stage.WEIGHTED
        assert 0 < review.weight < 0.5
    assert verdict(sent(20, 20), settings, paused=True).verdict is Stage.ACCEPTED


@pytest.mark.parametrize(("yes_right", "no_right"), [(10, 10), (20, 0), (0, 20), (12, 9), (2, 19)])
def test_a_paused_gate_still_rejects_guesses(settings: Settings, yes_right: int, no_right: int) -> None:
    review = verdict(sent(yes_right, no_right), settings, paused=True)
    assert (review.verdict, review.weight) == (Stage.REJECTED, 0.0)


def test_a_coin_is_told_from_people_who_look(settings: Settings) -> None:
    def share_guessed(right: float) -> float:
        pairs = [(yes, no) for yes in range(21) for no in range(21) if guessed((yes, 20, no, 20))]
        return sum(float(binom.pmf(yes, 20, right) * binom.pmf(no, 20, right)) for yes, no in pairs)

    assert share_guessed(0.5) > 0.91
    assert share_guessed(0.75) < 0.1
    assert share_guessed(0.95) < 1e-6


def test_the_gate_pauses_only_after_enough_reviews() -> None:
    from thresher.label.gate import breaks

    def tally(accepted: int, rejected: int) -> Tally:
        return Tally(assignments={"accepted": accepted, "rejected": rejected})

    assert not breaks(tally(0, 19))
    assert breaks(tally(18, 2))
    assert not breaks(tally(19, 1))
    assert not breaks(Tally())


# --- with a store -----------------------------------------------------------------------------------------------------


@pytest.fixture
def here(store: Store, settings: Settings) -> Scene:
    made = scene(store, settings, images=600, gold=range(300, 420))
    for task in range(2):
        made.publish(range(110 * task, 110 * task + 110), places=2)
    return made


def always(one: Says) -> Callable[[int], Says]:
    return lambda _: one


def test_an_accepted_assignments_answers_are_votes(here: Scene) -> None:
    assert here.work("a").verdict is Stage.ACCEPTED
    votes = here.store.labels.votes(NAME, 1)
    assert {vote.row: vote.says for vote in votes} == {row: says(truth(row)) for row in range(110)}


def test_a_rejected_assignment_leaves_no_answers_and_frees_its_place(here: Scene) -> None:
    review = here.work("spam", always(Says.YES))
    assert review.verdict is Stage.REJECTED
    assert here.store.labels.votes(NAME, 1) == []
    task = here.store.asks.tasks(NAME, 0, 1)[0]
    assert (task.taken, task.done) == (0, 0)
    here.work("a")
    here.work("b")
    assert here.store.asks.tasks(NAME, 0, 1)[0].done == 2


def test_the_rejected_are_not_asked_the_same_again(here: Scene) -> None:
    here.work("spam", always(Says.YES))
    again = here.must_deal("spam")
    assert again.task != here.store.asks.tasks(NAME, 0, 1)[0].number


def test_a_review_is_made_once(here: Scene) -> None:
    here.send(here.must_deal("a"))
    assert len(here.review()) == 1
    assert here.review() == []


def test_the_owners_answers_are_labels_and_gold(store: Store, settings: Settings) -> None:
    here = scene(store, settings, images=60)
    rows = [(row, 0.0) for row in range(60)]
    wish(NAME, rows, Purpose.MINE_GOLD, store=store, settings=settings)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    assert here.deal("a") is None  # for the owner alone
    said = here.must_deal("me", owner=True)
    here.send(said, lambda row: Says.UNSURE if row == 7 else says(truth(row)))
    assert here.review()[0].verdict is Stage.ACCEPTED
    held = {label.row: label for label in store.labels.held(NAME, 1)}
    assert {row: label.says for row, label in held.items()} == {
        row: Says.UNSURE if row == 7 else says(truth(row)) for row in range(60)
    }
    assert {label.source for label in held.values()} == {Source.OWNER}
    assert {label.purpose for label in held.values()} == {Purpose.MINE_GOLD}
    gold = store.labels.gold(NAME, 1)
    assert [piece.row for piece in gold] == [row for row in range(60) if row != 7]
    assert all(piece.says is says(truth(piece.row)) for piece in gold)


def test_with_gold_off_everybody_is_accepted_provisionally(store: Store, settings: Settings) -> None:
    here = scene(store, settings.but(gold_images=0), images=120, gold=range(60, 120))
    wish(NAME, [(row, 0.0) for row in range(50)], Purpose.LEARN, store=store, settings=here.settings)
    fill_tasks(NAME, store=store, settings=here.settings, now_ms=1)
    assert len(here.must_deal("a").dealt) == 50
    review = here.work("a", always(Says.YES))
    assert (review.verdict, review.provisional) == (Stage.ACCEPTED, True)


def test_gold_that_good_workers_miss_is_retired(store: Store, settings: Settings) -> None:
    # 20 yes and 20 no, and tasks of 55 images with half of 80, so that every assignment shows them all
    gold_rows = [row for row in range(400, 460) if truth(row) or row < 430]
    here = scene(store, settings.but(gold_images=80), images=500, gold=gold_rows)
    wrong_gold = 403  # it is a yes to everybody but the owner
    assert not truth(wrong_gold)
    for task in range(3):
        rows = range(110 * task, 110 * task + 110)
        wish(NAME, [(row, 0.0) for row in rows], Purpose.LEARN, store=store, settings=settings)
        fill_tasks(NAME, store=store, settings=settings, now_ms=1)

    def honest(row: int) -> Says:
        return says(truth(row) or row == wrong_gold)

    for name in "abcdef":
        here.work(name, honest)
    gold = {piece.row: piece for piece in store.labels.gold(NAME, 1, retired=True)}
    assert gold[wrong_gold].retired.startswith("good workers missed it in ")
    assert gold[wrong_gold].missed >= 3
    assert [piece.row for piece in gold.values() if piece.retired] == [wrong_gold]
    assert sum(piece.shown for piece in gold.values()) > 150


def test_too_many_rejections_pause_the_gate(store: Store, settings: Settings) -> None:
    """Gold with its answers turned around must not cost a whole crowd its pay."""
    here = scene(store, settings, images=400)
    turned = [Gold(row, says(not truth(row)), 1, Source.OWNER) for row in range(300, 400)]
    store.labels.gild(NAME, turned)
    rows = [(row, 0.0) for row in range(10)]
    wish(NAME, rows, Purpose.LEARN, store=store, settings=settings, votes_wanted=9)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    verdicts = [here.work(f"honest {number}").verdict for number in range(24)]
    assert verdicts[:20] == [Stage.REJECTED] * 20
    assert set(verdicts[20:]) == {Stage.WEIGHTED}


def test_a_few_who_guess_on_purpose_do_not_get_everybody_who_guesses_paid(store: Store, settings: Settings) -> None:
    here = scene(store, settings, images=400, gold=range(200, 400))
    rows = [(row, 0.0) for row in range(10)]
    wish(NAME, rows, Purpose.LEARN, store=store, settings=settings, votes_wanted=60)
    fill_tasks(NAME, store=store, settings=settings, now_ms=1)
    honest = [here.work(f"honest {number}").verdict for number in range(18)]
    spam = [here.work(f"spam {number}", always(Says.YES)).verdict for number in range(12)]
    assert set(honest) == {Stage.ACCEPTED}
    assert set(spam) == {Stage.REJECTED}


def test_reviewing_at_the_same_time_counts_once(here: Scene) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for name in "abcd":
        here.send(here.must_deal(name))

    def look(_: int) -> int:
        return len(review_all(NAME, store=here.store, settings=here.settings, now_ms=here.now_ms))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(4)))
    assert here.store.categories.tally(NAME).assignments == {"accepted": 4}
    assert len(here.store.labels.votes(NAME, 1)) == 440
    assert answers(here.store.work.of_worker("a")[0], lambda row: says(truth(row)))
