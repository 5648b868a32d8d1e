"""A certificate is checked from its file and its log alone; whatever is bent in either shows."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.evidence.pools import (
    PROMISE,
    Ranked,
    Truth,
    answer_all,
    beta_pool,
    budget,
    draws,
    flattered_pool,
    frozen_of,
    weak_pool,
)

from thresher.evidence import (
    Ask,
    Certified,
    Frozen,
    Gold,
    Means,
    State,
    freeze,
    next_step,
    released,
)
from thresher.evidence.log import Row, certificate_of, log_of
from thresher.evidence.martingale import log_evidence, prior_for
from thresher.evidence.verify import evidence, verify


def words(truth: Truth, seed: int) -> Truth:
    """What people say: wrong in a few cases, undecided in some."""
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(len(truth)) < 0.05, 1 - truth, truth)
    return np.where(rng.random(len(truth)) < 0.03, 2, said).astype(np.int8)


def finish(frozen: Frozen, pool: Ranked) -> tuple[State, Certified]:
    said = words(pool.truth, 1)
    state = State(frozen)
    while isinstance(step := next_step(state), Ask):
        state = answer_all(state, pool.truth, said)
    assert isinstance(step, Certified)
    return state, step


def joint(pool: Ranked) -> Frozen:
    return frozen_of(pool, 11)


def second_epoch(pool: Ranked) -> Frozen:
    return frozen_of(pool, 12, epoch=1)


def precise(pool: Ranked) -> Frozen:
    return freeze("precision", PROMISE, pool.pool, draws(5), budget(300, 40))


def complete(pool: Ranked) -> Frozen:
    return freeze("recall", PROMISE, pool.pool, draws(5), budget(300))


def by_word(pool: Ranked) -> Frozen:
    return freeze("adjudicated", PROMISE, pool.pool, draws(5), Means(gold=Gold(300, 0, 300, 0)))


STRONG = beta_pool(3, 4000, 0.3)
MADE: dict[str, tuple[Callable[[Ranked], Frozen], Ranked]] = {
    "both": (joint, STRONG),
    "both, a head with a middle": (joint, beta_pool(4, 2000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0))),
    "both, a flattered head": (joint, flattered_pool(4, accepted=500, false_share=0.06, hidden=30)),
    "both, second epoch": (second_epoch, STRONG),
    "precision": (precise, beta_pool(5, 4000, 0.3, yes=(3.0, 1.0), no=(1.0, 5.0))),
    "precision, a weak head looked beyond first": (precise, weak_pool(5)),
    "recall": (complete, STRONG),
    "adjudicated": (by_word, beta_pool(6, 4000, 0.3, yes=(4.0, 1.0), no=(1.0, 6.0))),
}


@pytest.fixture(scope="module", params=MADE)
def proven(request: pytest.FixtureRequest) -> tuple[State, Certified, dict[str, Any], list[Row]]:
    make, pool = MADE[request.param]
    state, certified = finish(make(pool), pool)
    certificate = json.loads(json.dumps(certificate_of(state.frozen, certified)))
    return state, certified, certificate, log_of(state, certified)


Proven = tuple[State, Certified, dict[str, Any], list[Row]]


def test_a_certificate_is_verified_from_its_file_and_log_alone(proven: Proven) -> None:
    state, certified, certificate, log = proven
    verified = verify(certificate, log)
    assert verified.holds, "\n".join(verified.checks)
    assert len(released(certified, state)) + state.frozen.known_yes == certified.delivered


def test_a_rank_that_was_not_looked_at_first_is_noticed() -> None:
    pool = weak_pool(5)
    state, certified = finish(precise(pool), pool)
    frozen = state.frozen
    certificate, log = json.loads(json.dumps(certificate_of(frozen, certified))), log_of(state, certified)
    assert frozen.looks > 0
    assert verify(certificate, log).holds
    left_out = frozen.ladder[0].rank + frozen.looks - 1
    assert not verify(certificate, [row for row in log if row.rank != left_out]).holds
    more = certificate | {"frozen": certificate["frozen"] | {"looks": frozen.ranks - frozen.ladder[0].rank}}
    assert not verify(more, log).holds


def test_another_seed_is_noticed(proven: Proven) -> None:
    certificate, log = json.loads(json.dumps(proven[2])), proven[3]
    certificate["frozen"]["seed"] = "ab" * 32
    assert not verify(certificate, log).holds


def test_a_draw_left_out_is_noticed(proven: Proven) -> None:
    _, _, certificate, log = proven
    drawn = [row for row in log if row.accept_draw >= 0 or row.reject_draw >= 0]
    for row in drawn[:: max(len(drawn) // 5, 1)]:
        assert not verify(certificate, [other for other in log if other is not row]).holds


def test_answers_that_say_otherwise_are_noticed(proven: Proven) -> None:
    """Turn the draws that were good into bad ones: the evidence is gone."""
    _, _, certificate, log = proven
    turned = [replace(row, code=1 - row.code) if row.reject_draw >= 0 and row.code == 0 else row for row in log]
    assert turned != log
    assert not verify(certificate, turned).holds


def test_a_larger_set_or_a_stronger_claim_is_noticed(proven: Proven) -> None:
    _, certified, certificate, log = proven
    larger = json.loads(json.dumps(certificate))
    larger["result"]["delivered"] += 1
    assert not verify(larger, log).holds
    surer = json.loads(json.dumps(certificate))
    surer["frozen"]["promise"]["delta"] = surer["result"]["delta"] = 0.0005
    assert not verify(surer, log).holds
    stronger = json.loads(json.dumps(certificate))
    kept = "precision" if certified.recall is None else "recall"
    stronger["frozen"]["promise"][kept] = 0.995
    assert not verify(stronger, log).holds


def test_a_middle_without_labels_is_noticed() -> None:
    make, pool = MADE["both, a head with a middle"]
    state, certified = finish(make(pool), pool)
    assert certified.rejected - certified.accepted > 20
    log = [row for row in log_of(state, certified) if row.rank != certified.accepted + 3]
    assert not verify(certificate_of(state.frozen, certified), log).holds


def test_what_is_no_certificate_is_refused() -> None:
    for wrong in ({}, {"format": 2}, {"format": 1, "frozen": {}, "result": {}}):
        with pytest.raises(ValueError, match="certificate"):
            verify(wrong, [])


def test_both_implementations_of_the_evidence_agree() -> None:
    rng = np.random.default_rng(0)
    prior = prior_for(0.03)
    for _ in range(300):
        size = int(rng.integers(1, 5000))
        drawn = int(rng.integers(0, size + 1))
        bad = int(rng.binomial(drawn, 0.02))
        bound = float(rng.uniform(0, 0.2) * size)
        other = float(log_evidence(size, drawn, bad, int(bound + 1e-9) + 1, prior))
        assert evidence(size, drawn, bad, bound, prior) == pytest.approx(other, abs=1e-6)
