"""Labels that come late, whatever they say and wherever they lie, can only weaken a certificate; and it stays true."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from tests.evidence.pools import PROMISE, Truth, beta_pool, draws, flattered_pool

from thresher.evidence import METHODS, Ask, Certified, Code, Frozen, Means, State, Step, freeze, next_step, released
from thresher.evidence.corrections import corrections_of, evidence_of
from thresher.evidence.terms import Pool

YES, NO, UNSURE = int(Code.YES), int(Code.NO), int(Code.UNANSWERABLE)


@dataclass
class Desk:
    """A frozen pool with its log, as the loop keeps it: first labels, labels of today, words, accepted sets."""

    frozen: Frozen
    truth: Truth
    known: dict[int, int]
    first: dict[int, int] = field(default_factory=dict)
    now: dict[int, int] = field(default_factory=dict)
    words: dict[int, int] = field(default_factory=dict)
    accepted: dict[int, str] = field(default_factory=dict)
    known_now: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known_now = dict(self.known)

    def log(self) -> None:
        self.first |= {rank: code for rank, code in self.now.items() if rank not in self.first}

    def state(self) -> State:
        corrections = corrections_of((self.first, self.now), (self.known, self.known_now))
        evidence = evidence_of(self.first, self.now)
        return State(self.frozen, evidence, self.words, self.now, corrections, self.accepted)

    def step(self) -> Step:
        self.log()
        while isinstance(step := next_step(self.state()), Ask) and step.begins is not None:
            self.accepted[step.begins.attempt] = step.begins.sha256
        return step

    def answer(self, step: Ask) -> None:
        for part in step.wanted:
            there = self.now if part.sure else self.words
            there |= {rank: int(self.truth[rank]) for rank in part.ranks if rank not in there}

    def finish(self) -> Step:
        while isinstance(step := self.step(), Ask):
            self.answer(step)
        return step

    def is_true(self, step: Certified) -> bool:
        """Whether the claim holds of the labels of today, and of the truth where there is no label."""
        today = self.truth.astype(np.int64)
        for rank, code in self.now.items():
            today[rank] = code
        inside = np.isin(np.arange(len(today)), released(step, self.state()))
        known_yes = sum(code == YES for code in self.known_now.values())
        right, size = int((today[inside] == YES).sum()) + known_yes, int(inside.sum()) + known_yes
        # an image that nobody can answer is a missed yes, but among the accepted ranks
        lost = int((today[~inside] == YES).sum()) + int((today[max(step.accepted, 0) :] == UNSURE).sum())
        lost += sum(code == UNSURE for code in self.known_now.values())
        precise = step.precision is None or right >= step.precision * size - 1e-9
        precise &= right >= step.counts.get("precision_at_least", 0.0) * size - 1e-9
        found = step.recall is None or right >= step.recall * (right + lost) - 1e-9
        found &= right >= step.counts.get("recall_at_least", 0.0) * (right + lost) - 1e-9
        return bool(size == step.delivered and precise and found)


def labelled(seed: int, truth: Truth, known_yes: int, *, wrong: float) -> Desk:
    """Labels that say another thing than the truth of so many images; those that they call yes come first."""
    called = (truth == YES) ^ (np.random.default_rng(seed).random(len(truth)) < wrong)
    order = np.argsort(~called, kind="stable")
    pool = Pool(np.where(called[order], 0.97, 0.03), known_yes, claimed=int(called.sum()))
    known = {place: YES if place < known_yes else NO for place in range(known_yes + 20)}
    return Desk(freeze("labels", PROMISE, pool, draws(seed)), truth[order], known)


def desk(method: str, seed: int, *, size: int = 700) -> Desk:
    pool = beta_pool(seed, size, 0.35, yes=(6.0, 2.0), no=(1.0, 8.0))
    if method == "labels":
        return labelled(seed, pool.truth, pool.known_yes, wrong=0.01)
    known = {place: YES if place < pool.known_yes else NO for place in range(pool.known_yes + 20)}
    frozen = freeze(method, PROMISE, Pool(pool.probabilities, pool.known_yes), draws(seed), Means(260, 40))
    return Desk(frozen, pool.truth, known)


def flattered(method: str, seed: int) -> Desk:
    """A pool whose accepted part has more no than its promise allows, and more yes beyond it, unknown to the scores."""
    pool = flattered_pool(seed, accepted=300, false_share=0.08, hidden=35, ranks=900)
    known = dict.fromkeys(range(pool.known_yes), YES)
    there = Pool(pool.probabilities, pool.known_yes, claimed=300)
    return Desk(freeze(method, PROMISE, there, draws(seed), Means(260, 40)), pool.truth, known)


# --- kinds of late labels: each takes the desk at its end, and changes labels ----------------------------------

Late = Callable[[Desk, np.random.Generator], None]


def refute_released(here: Desk, rng: np.random.Generator) -> None:
    """Five released images that were never asked about turn out to be no (a gold import)."""
    step = here.finish()
    if isinstance(step, Certified):
        free = [rank for rank in range(step.accepted) if rank not in here.now]
        for rank in rng.permutation(free)[:5].tolist():
            here.now[rank] = NO


def learn_late(here: Desk, rng: np.random.Generator) -> None:
    """Learning asks that were open at the freeze are answered truly, anywhere, some of them unsure."""
    for rank in rng.permutation(len(here.truth))[:60].tolist():
        here.now.setdefault(rank, UNSURE if rng.random() < 0.05 else int(here.truth[rank]))


def correct_draws(here: Desk, rng: np.random.Generator) -> None:
    """Logged labels are corrected to anything else."""
    here.log()
    for rank in rng.permutation(sorted(here.first))[:6].tolist():
        here.now[rank] = int(rng.choice([code for code in (YES, NO, UNSURE) if code != here.first[rank]]))


def flatter_draws(here: Desk, rng: np.random.Generator) -> None:
    """Every logged no among the accepted becomes yes, and every logged yes elsewhere no."""
    here.log()
    top = here.frozen.ladder[0].rank
    for rank, code in here.first.items():
        here.now[rank] = YES if rank < top else NO if code == YES else code


def correct_known(here: Desk, rng: np.random.Generator) -> None:
    for one in rng.permutation(sorted(here.known))[:6].tolist():
        here.known_now[one] = int(rng.choice([YES, NO, UNSURE]))


def correct_twice(here: Desk, rng: np.random.Generator) -> None:
    """What was corrected is corrected again, half of it back to what it was."""
    correct_draws(here, rng)
    for place, (rank, code) in enumerate(here.first.items()):
        if here.now.get(rank) != code:
            here.now[rank] = code if place % 2 else UNSURE


def drop_labels(here: Desk, rng: np.random.Generator) -> None:
    """Labels are gone: two who agreed were one person."""
    here.log()
    for rank in rng.permutation(sorted(here.first))[:3].tolist():
        here.now.pop(rank, None)


LATE: tuple[Late, ...] = (
    refute_released,
    learn_late,
    correct_draws,
    flatter_draws,
    correct_known,
    correct_twice,
    drop_labels,
)


def bounds(step: Step) -> tuple[float, float]:
    """What a step claims: the promised precision and recall, or what is reported of them; nothing if not certified."""
    if not isinstance(step, Certified):
        return (0.0, 0.0)
    reported = step.counts.get("precision_at_least", 0.0), step.counts.get("recall_at_least", 0.0)
    return (step.precision or reported[0], step.recall or reported[1])


@pytest.mark.parametrize("method", list(METHODS))
def test_late_labels_of_every_kind_leave_a_certificate_true(method: str) -> None:
    """Two kinds after each other, in the middle of the audits and at their end."""
    wrong, certified = 0, 0
    for seed in range(40):
        rng, here = np.random.default_rng(seed), desk(method, seed)
        early, late = (LATE[place] for place in rng.permutation(len(LATE))[:2])
        step = here.step()
        for _ in range(int(rng.integers(1, 4))):
            if isinstance(step, Ask):
                here.answer(step)
                step = here.step()
        if early is not refute_released:
            early(here, rng)
        here.finish()
        late(here, rng)
        ended = here.finish()
        if isinstance(ended, Certified):
            certified += 1
            wrong += not here.is_true(ended)
    assert certified >= 15
    assert wrong <= math.ceil(0.05 * 40 + 2.5 * math.sqrt(0.05 * 40))


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("late", LATE)
def test_no_late_label_makes_a_certificate_claim_more(method: str, late: Late) -> None:
    for seed in range(4):
        rng, here = np.random.default_rng(seed), desk(method, seed)
        before = here.finish()
        drawn = dict(here.first)
        late(here, rng)
        after = here.step()
        gained = {
            rank for rank, code in here.first.items() if rank not in drawn or code != drawn[rank]
        }  # labels that were not there before may prove more of recall; others may not
        if isinstance(before, Certified) and isinstance(after, Certified) and not gained:
            claimed, claims = bounds(before), bounds(after)
            if after.accepted == before.accepted:
                assert claims[0] <= claimed[0] + 0.01
                assert claims[1] <= claimed[1]
        if not isinstance(before, Certified) and not gained:
            assert not isinstance(after, Certified)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "everything"])  # which draws nothing
def test_labels_that_flatter_end_no_audit_sooner_and_prove_no_more(method: str) -> None:
    """At every step of the audits, bad draws that were corrected to good ones leave as much to ask or more."""
    corrected = 0
    for seed in range(3):
        here = flattered(method, seed)
        step = here.step()
        going = True
        while going:
            there = replace(here, first=dict(here.first), now=dict(here.now), accepted=dict(here.accepted))
            flatter_draws(there, np.random.default_rng(seed))
            turned = sum(there.now[rank] != code for rank, code in there.first.items())
            after = there.step()
            if turned and isinstance(after, Certified):
                assert isinstance(step, Certified)
                assert after.accepted <= step.accepted
                assert after.rejected >= step.rejected
            corrected = max(corrected, turned)
            going = isinstance(step, Ask)
            if isinstance(step, Ask):
                here.answer(step)
                step = here.step()
    assert corrected >= 10


def test_a_late_no_for_released_images_lowers_what_is_reported_of_recall() -> None:
    """The fault of a release that did not verify: `delivered` fell, and the reported recall did not."""
    here = desk("precision", 3)
    before = here.finish()
    assert isinstance(before, Certified)
    refute_released(here, np.random.default_rng(0))
    after = here.step()
    assert isinstance(after, Certified)
    assert after.delivered == before.delivered - 5
    assert after.counts["recall_at_least"] < before.counts["recall_at_least"]


def test_an_accepted_set_that_a_correction_changed_uses_its_attempt_up() -> None:
    for seed in range(12):
        here = desk("adjudicated", seed)
        before = here.finish()
        sets = dict(here.accepted)
        if not isinstance(before, Certified) or before.rejected == here.frozen.reject_from:
            continue
        attempt = int(before.counts["attempt"])
        here.accepted[attempt] = "00" * 32  # as if another set had been logged for it
        after = here.finish()
        assert not isinstance(after, Certified) or after.counts["attempt"] > attempt
        here.accepted[attempt] = sets[attempt]
        assert here.finish() == before
        return
    pytest.fail("no pool had a middle")
