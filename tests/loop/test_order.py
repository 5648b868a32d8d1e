"""Whatever comes when: a release has a certificate that verifies and is true, or it has none."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from tests.filled import NAME
from tests.loop.frozen_pool import COUNT, answered, frozen, held, hold, log, now, step, to_the_end, truth
from tests.loop.test_late_labels import claims_are_true, released_rows

from thresher.errors import BadInput, ThresherError
from thresher.evidence import Ask, Certified
from thresher.loop.anew import freeze_anew
from thresher.loop.decision import decision
from thresher.loop.reword import Change, reword
from thresher.loop.ship import ship
from thresher.loop.snapshot import in_force, record_closed
from thresher.records import Says, Targets
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify

METHODS = ("adjudicated", "precision")  # an accepted set that is logged, and figures that late labels move


def is_certified(store: Store, to: Path) -> bool:
    """Release; whether there is a certificate, which then verifies."""
    made = ship(NAME, to, store=store, now_ms=30, formats=("table",))
    found = verify(to)
    assert found.holds is bool(made.certificate["certified"]), found.wrong
    return found.holds


def is_true(store: Store) -> bool:
    claimed = now(store).step(held(store))
    return isinstance(claimed, Certified) and claims_are_true(store, claimed)


@pytest.mark.parametrize("method", METHODS)
def test_a_release_while_answers_come_in_verifies(method: str, store: Store, tmp_path: Path) -> None:
    frozen(store, method)
    over = Event()
    rng = np.random.default_rng(7)

    def labels() -> None:
        try:
            while answered(store):
                pass
            for rank in rng.permutation(len(now(store).ranking))[
                :40
            ].tolist():  # late ones, some corrections among them
                row = int(now(store).ranking[rank])
                hold(store, {row: Says.UNSURE if rng.random() < 0.05 else truth(row)})
                log(store)
        finally:
            over.set()

    def releases(machine: int) -> int:
        kept = 0
        for number in range(200):
            last = over.is_set()
            kept += is_certified(store, tmp_path / f"{machine}-{number}")
            if last:
                break
        return kept

    with ThreadPoolExecutor(3) as threads:
        writing = threads.submit(labels)
        made = [threads.submit(releases, machine) for machine in range(2)]
        writing.result()
        kept = [one.result() for one in made]
    assert min(kept) >= (1 if isinstance(step(store), Certified) else 0)


def test_targets_that_are_changed_and_changed_back_bring_the_same_freeze_back(store: Store, tmp_path: Path) -> None:
    frozen(store, "certified")
    assert isinstance(to_the_end(store), Certified)
    first, before = store.categories.get(NAME).targets, now(store)
    assert is_certified(store, tmp_path / "first")
    store.categories.aim(NAME, Targets(0.9, 0.75, 0.1, None, "certified", "people"))
    assert not is_certified(store, tmp_path / "other")
    late = next(int(row) for row in before.ranking[::-1] if int(row) not in held(store))
    hold(store, {late: Says.YES})  # what comes meanwhile is a late label
    store.categories.aim(NAME, first)
    assert now(store).epoch == before.epoch
    if isinstance(step(store), Certified):
        assert is_certified(store, tmp_path / "back")
        assert late in released_rows(store)


def test_a_question_reworded_and_reworded_back_brings_its_freeze_back(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    frozen(store, "certified")
    assert isinstance(to_the_end(store), Certified)
    text = store.categories.get(NAME).question.text
    change = Change(text="Is this another thing?", confirmed=True)
    reword(NAME, change, store=store, settings=settings, now_ms=20)
    assert in_force(store.categories.get(NAME), COUNT, store=store) is None
    with pytest.raises(ThresherError):
        ship(NAME, tmp_path / "other", store=store, now_ms=30, formats=("table",))
    reword(NAME, Change(version=1, confirmed=True), store=store, settings=settings, now_ms=21)
    assert store.categories.get(NAME).question.text == text
    assert is_certified(store, tmp_path / "back")
    reword(NAME, Change(text=f"{text} Really?", keep_answers=True), store=store, settings=settings, now_ms=22)
    assert is_certified(store, tmp_path / "worded")


def test_two_who_end_a_freeze_at_once_end_one(store: Store, tmp_path: Path) -> None:
    frozen(store, "certified")
    assert isinstance(to_the_end(store), Certified)

    def ends(_: int) -> bool:
        try:
            freeze_anew(NAME, store=store, now_ms=40, confirmed=True)
        except BadInput:
            return False  # it had ended already
        return True

    with ThreadPoolExecutor(2) as threads:
        assert any(threads.map(ends, range(2)))
    assert in_force(store.categories.get(NAME), COUNT, store=store) is None
    assert not is_certified(store, tmp_path / "out")


@pytest.mark.parametrize("method", ["precision", "certified"])
def test_a_budget_that_closes_amid_a_batch_and_is_raised_leaves_true_certificates(
    method: str, store: Store, tmp_path: Path
) -> None:
    targets = Targets(0.85, 0.75, 0.1, 300, method, "people")
    frozen(store, method, targets=targets)
    answered(store)
    asked = log(store).step(held(store))
    assert isinstance(asked, Ask)
    rows = [int(now(store).ranking[rank]) for part in asked.wanted for rank in part.ranks]
    hold(store, {row: truth(row) for row in rows[1::2]})  # all but every second one of the batch, the first among them
    record_closed(store.categories.get(NAME), log(store), store=store, now_ms=7)
    assert now(store).closed
    if is_certified(store, tmp_path / "closed"):
        assert is_true(store)
    hold(store, {row: truth(row) for row in rows[::2]})  # an assignment that was in the hands of somebody
    log(store)
    if is_certified(store, tmp_path / "later"):
        assert is_true(store)
    store.categories.aim(NAME, Targets(0.85, 0.75, 0.1, 900, method, "people"))
    snapshot = in_force(store.categories.get(NAME), COUNT, store=store)
    assert (snapshot is None) is (method == "precision")  # its ladder was made for the budget
    if snapshot is not None:
        assert not snapshot.closed
        assert isinstance(to_the_end(store), Certified)
    assert is_certified(store, tmp_path / "raised") is (snapshot is not None)
    assert len(decision(NAME, store=store).rows) == COUNT
