"""One freeze for every method: each fixes its own plan, and keeps of what it is given only what its proof uses."""

from dataclasses import replace

import pytest
from tests.evidence.pools import PROMISE, beta_pool, draws

from thresher.errors import BadInput
from thresher.evidence import METHODS, Frozen, Gold, Means, freeze
from thresher.verify.methods import CHECKS

RANKED = beta_pool(5, 4000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0))
POOL = replace(RANKED.pool, known_unanswerable=3, adjudicated=12, said_no=800, claimed=1200)


def frozen(method: str, gold: Gold | None = None) -> Frozen:
    return freeze(method, PROMISE, POOL, draws(5, epoch=1), Means(300, 40, gold))


# the rungs, the first, second and last of them, where the rejected begin, and the deltas of the first rung's two audits
PLANS = {
    "certified": (5, 904, 841, 0, 633, 0.00091875, 0.003675),
    "adjudicated": (5, 904, 841, 0, 904, 0.000525, 0.003),
    "everything": (1, 0, 0, 0, 0, 0.0, 0.0),
    "precision": (56, 1596, 1565, 175, 0, 0.003375, 0.00375),
    "recall": (1, 1138, 1138, 1138, 1138, 0.0009375, 0.0028125),
    "labels": (1, 1200, 1200, 1200, 1200, 0.00375, 0.00375),
}


@pytest.mark.parametrize("method", METHODS)
def test_the_plan_of_a_pool_stays_what_it_was(method: str) -> None:
    """What is frozen decides what people are asked, and how many of them; it may not drift unnoticed."""
    made = frozen(method)
    rungs, first, second, last, reject_from, accept, reject = PLANS[method]
    ranks = [rung.rank for rung in made.ladder]
    assert len(ranks) == rungs
    assert [ranks[0], ranks[min(1, rungs - 1)], ranks[-1], made.reject_from] == pytest.approx(
        [first, second, last, reject_from], abs=1
    )
    assert made.ladder[0].accept_delta == pytest.approx(accept, rel=1e-9)
    assert made.ladder[0].reject_delta == pytest.approx(reject, rel=1e-9)


def test_a_method_keeps_what_its_proof_uses_and_nothing_else() -> None:
    gold = Gold(3000, 3, 3000, 4)
    kept = {
        method: (made.answers, made.said_no, made.adjudicated, made.gold)
        for method in METHODS
        if (made := frozen(method, gold))
    }
    assert kept == {
        "certified": (0, 0, 12, gold),
        "adjudicated": (0, 800, 12, gold),
        "everything": (0, 800, 0, None),
        "precision": (300, 0, 12, gold),
        "recall": (300, 0, 12, gold),
        "labels": (0, 0, 0, None),
    }


def test_where_adjudication_slips_the_audits_have_less_of_delta() -> None:
    gold = Gold(3000, 0, 3000, 0)
    for method in METHODS.keys() - {"certified", "everything", "labels"}:
        sure, slipping = (frozen(method, some).ladder[0].accept_delta for some in (None, gold))
        assert slipping == pytest.approx(0.9 * sure)
    # its two audits share what the slips leave; without slips they need not share
    ladder = frozen("certified", gold).ladder
    used = sum(rung.accept_delta for rung in ladder) + max(rung.reject_delta for rung in ladder[:-1])
    assert used + ladder[-1].reject_delta == pytest.approx(0.9 * 0.075 * PROMISE.delta)


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="unknown method 'magic'") as refused:
        frozen("magic")
    assert refused.value.next == f"choose from {', '.join(METHODS)}"


def test_every_method_has_a_check_of_its_proof() -> None:
    assert METHODS.keys() == CHECKS.keys()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("delta", [0.0, 0.5, 0.7])
def test_nothing_is_frozen_for_a_delta_that_the_proof_does_not_cover(method: str, delta: float) -> None:
    with pytest.raises(BadInput, match=r"between 0 and 0\.5"):
        freeze(method, replace(PROMISE, delta=delta), POOL, draws(5), Means(300))
