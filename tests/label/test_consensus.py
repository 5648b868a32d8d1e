import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.label.votes_for_tests import real_votes, vote

from thresher.label.consensus import crowd_of, posteriors
from thresher.records import Vote


def majority_right(votes: list[Vote], truth: dict[int, bool]) -> float:
    """The share a simple majority has right; a tie is half right."""
    lead = dict.fromkeys(truth, 0)
    for one in votes:
        lead[one.row] += 1 if one.says.value == "yes" else -1
    return sum(0.5 if lead[row] == 0 else float((lead[row] > 0) == truth[row]) for row in truth) / len(truth)


def consensus_right(votes: list[Vote], truth: dict[int, bool]) -> float:
    found = posteriors(votes, {})
    return sum((found[row] > 0.5) == truth[row] for row in truth) / len(truth)


def test_real_birds_are_named_far_better_than_by_majority() -> None:
    votes, truth = real_votes("bluebirds", {"1"})
    assert majority_right(votes, truth) == pytest.approx(0.759, abs=0.001)
    assert consensus_right(votes, truth) > 0.87  # Dawid and Skene's model is published with .889 to .898


@pytest.mark.parametrize(
    ("name", "positive"), [("rte", {"2"}), ("products", {"1"}), ("dogs", {"1", "2"}), ("dogs", {"1", "3"})]
)
def test_real_votes_are_read_no_worse_than_by_majority(name: str, positive: set[str]) -> None:
    votes, truth = real_votes(name, positive)
    assert consensus_right(votes, truth) >= majority_right(votes, truth)


def test_the_products_that_it_is_sure_of_are_right_as_often_as_it_says() -> None:
    votes, truth = real_votes("products", {"1"})
    sure = {row: p for row, p in posteriors(votes, {}).items() if p >= 0.95 or p <= 0.05}
    assert len(sure) > 0.7 * len(truth)
    assert np.mean([(p > 0.5) == truth[row] for row, p in sure.items()]) >= 0.95


def test_a_simulated_crowd_is_recovered() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(3000) < 0.2
    skill = {"good": (0.97, 0.98), "fair": (0.85, 0.9), "blind": (0.5, 0.5), "always": (1.0, 0.0), "odd": (0.7, 0.99)}
    votes = [
        vote(row, name, bool(rng.random() < (sensitivity if yes else 1 - specificity)))
        for row, yes in enumerate(truth.tolist())
        for name, (sensitivity, specificity) in skill.items()
    ]
    crowd = crowd_of(votes, {})
    assert crowd.prevalence == pytest.approx(0.2, abs=0.03)
    for name, (sensitivity, specificity) in skill.items():
        assert crowd.sensitivity[name] == pytest.approx(sensitivity, abs=0.05)
        assert crowd.specificity[name] == pytest.approx(specificity, abs=0.05)


def test_a_worker_with_one_answer_leans_on_the_crowd() -> None:
    good = [vote(row, worker, row % 3 == 0) for row in range(60) for worker in ("a", "b", "c")]
    crowd = crowd_of([*good, vote(0, "new", False)], {})
    assert 0.7 < crowd.sensitivity["new"] < 0.9
    assert crowd.posterior[0] > 0.9


def test_one_stranger_alone_is_not_believed_outright() -> None:
    only = posteriors([vote(1, "w", True)], {})
    assert 0.5 < only[1] < 0.95


def test_gold_tells_an_always_yes_worker_even_where_they_are_alone() -> None:
    known = {row: row % 2 == 0 for row in range(40)}
    gold = [(row, "always", "yes") for row in known]
    told = posteriors([vote(100, "always", True)], known, gold)
    assert told[100] < 0.6
    trusted = posteriors(
        [vote(100, "good", True)], known, [(row, "good", "yes" if yes else "no") for row, yes in known.items()]
    )
    assert trusted[100] > 0.9


def test_a_known_image_keeps_its_answer_against_every_vote() -> None:
    votes = [vote(1, f"w{i}", True) for i in range(9)]
    assert posteriors(votes, {1: False}) == {1: 0.0}


def test_anonymous_votes_share_one_pair_of_coins() -> None:
    rng = np.random.default_rng(2)
    truth = rng.random(2000) < 0.3
    votes = [
        vote(row, "", bool(rng.random() < (0.84 if yes else 0.03)))
        for row, yes in enumerate(truth.tolist())
        for _ in range(3)
    ]
    crowd = crowd_of(votes, {})
    assert crowd.sensitivity[""] == pytest.approx(0.84, abs=0.04)
    assert crowd.specificity[""] == pytest.approx(0.97, abs=0.02)


def test_a_vote_of_no_weight_says_nothing() -> None:
    votes = [vote(row, worker, row % 2 == 0) for row in range(40) for worker in ("a", "b")]
    assert posteriors([*votes, vote(0, "c", False, weight=0.0)], {}) == posteriors(votes, {})


def test_unsure_says_nothing_and_crashes_nothing() -> None:
    assert posteriors([vote(1, "w", None)], {})[1] == pytest.approx(0.5)
    assert posteriors([], {}) == {}


votes_of_a_small_crowd = st.lists(
    st.builds(vote, st.integers(0, 6), st.sampled_from(["", "a", "b", "c"]), st.none() | st.booleans()), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(votes=votes_of_a_small_crowd, known=st.dictionaries(st.integers(0, 6), st.booleans()))
def test_every_posterior_is_a_probability_and_no_order_matters(votes: list[Vote], known: dict[int, bool]) -> None:
    found = posteriors(votes, known)
    assert set(found) == {one.row for one in votes}
    assert all(0.0 <= p <= 1.0 for p in found.values())
    assert posteriors(votes[::-1], known) == pytest.approx(found)
