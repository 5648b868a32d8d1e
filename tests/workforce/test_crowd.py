from collections import Counter

import numpy as np
import pytest

from thresher.errors import NotFound
from thresher.records import Says
from thresher.workforce.crowd import (
    CHANGE_SHARE,
    KINDS,
    Kind,
    Look,
    ModelCrowd,
    ModelPerson,
    ReplayedCrowd,
    shares,
)

TRUTH = {f"{number}.jpg": number % 2 == 0 for number in range(4000)}
NAMES = list(TRUTH)


def person(kind: Kind, crowd: ModelCrowd | None = None, seed: int = 1) -> ModelPerson:
    return ModelPerson(kind, crowd or ModelCrowd(TRUTH, seed=7), np.random.default_rng(seed))


def right(looks: list[Look], names: list[str], yes: bool) -> float:
    return float(
        np.mean([look.says == "yes" for look, name in zip(looks, names, strict=True) if TRUTH[name] is yes])
        if yes
        else np.mean([look.says == "no" for look, name in zip(looks, names, strict=True) if not TRUTH[name]])
    )


def kind(name: str) -> Kind:
    return next(one for one in KINDS if one.name == name)


def test_the_shares_are_whole_and_pinned() -> None:
    assert sum(one.share for one in KINDS) == pytest.approx(1.0)
    assert Counter(one.name for one in shares(100)) == {one.name: round(100 * one.share) for one in KINDS if one.share}
    assert Counter(one.name for one in shares(20)) == {
        "careful": 14, "tiring": 3, "hasty": 1, "always no": 1, "always yes": 1,
    }  # fmt: skip
    assert [len(shares(count)) for count in range(30)] == list(range(30))


@pytest.mark.parametrize("one", [one for one in KINDS if one.name != "tiring"], ids=lambda one: one.name)
def test_each_kind_is_right_as_often_as_it_is_pinned_to_be(one: Kind) -> None:
    looks = person(one).answer(NAMES)
    assert right(looks, NAMES, True) == pytest.approx(one.sensitivity[0], abs=0.025)
    assert right(looks, NAMES, False) == pytest.approx(one.specificity[0], abs=0.025)


@pytest.mark.parametrize("one", KINDS, ids=lambda one: one.name)
def test_each_kind_takes_the_time_it_is_pinned_to_take(one: Kind) -> None:
    first = np.array([look.first_seconds for look in person(one).answer(NAMES)])
    assert np.median(first) == pytest.approx(sum(one.seconds) / 2, rel=0.06)
    if one.seconds[0] == one.seconds[1]:
        assert np.log(first).std() == pytest.approx(one.sigma, rel=0.06)


def test_a_tiring_worker_is_good_at_the_start_and_worse_at_the_end() -> None:
    ends = [person(kind("tiring"), seed=seed).answer(NAMES[:150]) for seed in range(60)]
    early = np.mean([right(looks[:30], NAMES[:30], True) for looks in ends])
    late = np.mean([right(looks[-30:], NAMES[120:150], True) for looks in ends])
    assert early > late + 0.04
    assert np.mean([look.first_seconds for looks in ends for look in looks[:30]]) > np.mean(
        [look.first_seconds for looks in ends for look in looks[-30:]]
    )


def test_proxies_all_give_the_same_answers_and_displace_the_others_evenly() -> None:
    crowd = ModelCrowd(TRUTH, seed=7, proxies=0.3)
    people = Counter(one.kind.name for one in crowd.people(100))
    assert people["proxy"] == 30
    assert people["careful"] == 49
    first, second = (person(kind("proxy"), crowd, seed).answer(NAMES) for seed in (1, 2))
    assert [look.says for look in first] == [look.says for look in second]
    other = person(kind("proxy"), ModelCrowd(TRUTH, seed=8)).answer(NAMES)
    assert [look.says for look in first] != [look.says for look in other]


def test_two_people_are_wrong_about_the_same_pictures_more_often_than_chance() -> None:
    crowd = ModelCrowd(TRUTH, seed=7)
    wrong = [
        np.array([(look.says == "yes") != TRUTH[name] for look, name in zip(looks, NAMES, strict=True)])
        for looks in (person(kind("hasty"), crowd, seed).answer(NAMES) for seed in (1, 2))
    ]
    both, chance = (wrong[0] & wrong[1]).mean(), wrong[0].mean() * wrong[1].mean()
    assert 1.4 * chance < both < 2.6 * chance


def test_difficulty_is_one_in_the_mean_and_belongs_to_the_picture() -> None:
    crowd = ModelCrowd(TRUTH, seed=7)
    assert np.mean([crowd.difficulty(name) for name in NAMES]) == pytest.approx(1.0, abs=0.1)
    assert crowd.difficulty("3.jpg") == ModelCrowd(TRUTH, seed=7).difficulty("3.jpg")
    assert crowd.difficulty("3.jpg") != ModelCrowd(TRUTH, seed=8).difficulty("3.jpg")


def test_a_change_of_mind_costs_a_second_and_ends_with_what_stays() -> None:
    looks = person(kind("careful")).answer(NAMES)
    changed = [look for look in looks if look.changes]
    assert len(changed) / len(looks) == pytest.approx(CHANGE_SHARE, abs=0.01)
    assert all(look.first is not look.says for look in changed)
    assert all(look.seconds == pytest.approx(look.first_seconds + 1.0) for look in changed)
    assert all(look.first is look.says and look.seconds == look.first_seconds for look in looks if not look.changes)


def test_times_and_errors_can_be_halved_and_doubled() -> None:
    slow, wrong = ModelCrowd(TRUTH, seed=7, times=2.0), ModelCrowd(TRUTH, seed=7, errors=2.0)
    one = kind("careful")
    assert np.median([look.first_seconds for look in person(one, slow).answer(NAMES)]) == pytest.approx(1.9, rel=0.06)
    assert right(person(one, wrong).answer(NAMES), NAMES, True) == pytest.approx(0.90, abs=0.02)


def test_a_quitter_leaves_somewhere_and_nobody_else_does() -> None:
    points = [person(kind("quits"), seed=seed).leaves_after(150) for seed in range(300)]
    assert all(point is not None and 0 <= point < 150 for point in points)
    assert np.mean([point for point in points if point is not None]) == pytest.approx(75, abs=10)
    assert person(kind("careful")).leaves_after(150) is None


def test_the_same_seed_is_the_same_crowd() -> None:
    def told(seed: int) -> list[tuple[str, list[Look]]]:
        return [(one.kind.name, one.answer(NAMES[:20])) for one in ModelCrowd(TRUTH, seed=seed).people(20)]

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_the_owner_is_always_right() -> None:
    looks = ModelCrowd(TRUTH, seed=1, errors=2.0).owner().answer(NAMES)
    assert right(looks, NAMES, True) == right(looks, NAMES, False) == 1.0


def test_a_picture_of_unknown_truth_is_an_error_not_a_guess() -> None:
    with pytest.raises(NotFound, match="the truth of 'x' is not known"):
        person(kind("careful")).answer(["x"])


# --- real votes -------------------------------------------------------------------------------------------------------


def test_the_nth_time_a_picture_is_asked_it_gets_its_nth_vote_and_then_the_truth() -> None:
    crowd = ReplayedCrowd({"a": True, "b": False}, {"a": (False, True, False), "b": ()}, seed=1)
    one, other = crowd.people(2)
    said = [who.answer(["a"])[0].says for who in (one, other, one, other, one)]
    assert said == [Says.NO, Says.YES, Says.NO, Says.YES, Says.YES]
    assert one.answer(["b"])[0].says is Says.NO


def test_the_owner_of_a_replay_adjudicates_with_the_truth_and_casts_no_vote() -> None:
    crowd = ReplayedCrowd({"a": True}, {"a": (False,)}, seed=1)
    assert crowd.owner().answer(["a"])[0].says is Says.YES
    assert crowd.people(1)[0].answer(["a"])[0].says is Says.NO


def test_nobody_leaves_a_replay() -> None:
    assert ReplayedCrowd({}, {}, seed=1).people(1)[0].leaves_after(100) is None
