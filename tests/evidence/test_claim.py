"""The sentences of a certificate: what is certified, of which pool, by whose answers, and which errors are counted."""

import re
from dataclasses import replace

import pytest

from thresher.evidence import Certified, Draws, Frozen, Gold, Means, Pool, Promise, freeze
from thresher.evidence.claim import TOGETHER, sentences, words_of
from thresher.evidence.noise import slips_of
from thresher.evidence.plan import spend

DAY = 1_795_737_600_000  # 2026-11-27
COUNTS = {"reject_delta": 0.0425, "recall_at_least": 0.6613, "precision_at_least": 0.93}


def frozen(method: str, gold: Gold | None = None, truth: str = "people") -> Frozen:
    made = freeze(method, Promise(0.95, 0.9, 0.05), Pool([0.9, 0.5, 0.1], 4), Draws("5" * 64), Means(300, 40, gold))
    return replace(made, units=1701, at_ms=DAY, truth=truth)


def certified(method: str, delivered: int = 1246, withheld: int = 0) -> Certified:
    precision, recall = (None if method == "recall" else 0.95), (None if method == "precision" else 0.9)
    counts = COUNTS | ({"withheld": withheld} if withheld else {})
    return Certified(precision, recall, 0.05, 2, 3, delivered, 9, counts)


POOL = "this pool of 1,701 images as frozen on 2026-11-27"
CLAIMS = {
    "certified": (
        "With confidence 0.95, by adjudicated answers: at least 0.95 of the 1,246 released images are yes, and they "
        f"are at least 0.9 of all yes of {POOL}."
    ),
    "precision": (
        "With confidence 0.95, by adjudicated answers: at least 0.95 of the 1,246 released images are yes. If so, they "
        f"are, with confidence 0.9575, at least 0.6613 of all yes of {POOL}; this method has no recall target."
    ),
    "recall": (
        f"With confidence 0.95, by adjudicated answers: at least 0.9 of all yes of {POOL} are among the 1,246 released "
        "images, of which then at least 0.93 are yes; this method has no precision target."
    ),
}


@pytest.mark.parametrize("method", ["certified", "adjudicated", "precision", "recall"])
def test_the_claim_says_what_is_certified_of_which_pool_and_by_whose_answers(method: str) -> None:
    said = sentences(frozen(method), certified(method), files=1251)
    assert said == (
        CLAIMS.get(method, CLAIMS["certified"]),
        "Similar images count once: 1,251 files are released.",
        f"The adjudicated answers are taken as the truth: {TOGETHER}.",
    )
    assert words_of(frozen(method), certified(method), files=1251) == " ".join(said)


def test_the_claim_names_the_owner_where_the_owner_is_the_truth() -> None:
    said = sentences(frozen("certified", truth="owner"), certified("certified"), files=1)
    assert said[0].startswith("With confidence 0.95, by the owner's answers: at least 0.95 of the 1,246")
    assert said[1:] == ("Similar images count once: 1 file is released.", "The owner's answers are taken as the truth.")


def test_rates_of_error_that_gold_shows_are_in_the_claim_and_errors_made_together_are_not_counted() -> None:
    gold = Gold(300, 2, 1310, 0)
    said = sentences(frozen("adjudicated", gold=gold), certified("adjudicated"), files=9)[2]
    found = re.fullmatch(
        r"Independent errors of adjudication are counted, on at most (0\.\d{4}) of the yes and (0\.\d{4}) of the no, "
        rf"as measured on 300 and 1,310 gold images, 0 of them drawn at random by earlier audits; {TOGETHER}\.",
        said,
    )
    assert found
    slips = slips_of(gold, spend(0.05, 0))
    for told, rate in zip(map(float, found.groups()), (slips.yes_as_no, slips.no_as_yes), strict=True):
        assert rate <= told < rate + 1e-4


@pytest.mark.parametrize(
    ("count", "what"), [(1, "1 further image that people called yes is"), (17, "17 further images")]
)
def test_what_is_withheld_is_in_the_claim(count: int, what: str) -> None:
    assert sentences(frozen("precision"), certified("precision", withheld=count), files=9)[-1].startswith(what)


@pytest.mark.parametrize("method", ["certified", "adjudicated", "recall"])
def test_an_empty_set_with_a_promise_of_recall_says_that_the_pool_contains_no_yes(method: str) -> None:
    said = sentences(frozen(method), certified(method, delivered=0), files=0)[0]
    assert said.endswith(f"{POOL} contains no yes, so the released set is empty.")


def test_an_empty_set_without_a_promise_of_recall_says_nothing_of_the_pool() -> None:
    said = sentences(frozen("precision"), certified("precision", delivered=0), files=0)[0]
    assert "of the 0 released images" in said
