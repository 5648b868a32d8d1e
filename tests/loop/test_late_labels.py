"""An honest release verifies whatever labels came after its freeze: late, corrected, twice corrected, or gone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.filled import NAME
from tests.loop.frozen_pool import answered, frozen, held, hold, log, now, step, to_the_end, truth

from thresher.errors import NotReady
from thresher.evidence import Ask, Certified
from thresher.label.imports import import_gold
from thresher.loop.decision import decision
from thresher.loop.proof import must_be_counted
from thresher.loop.ship import ship
from thresher.records import Purpose, Says, Source
from thresher.store.contract import Store
from thresher.verify import verify

METHODS = ("certified", "adjudicated", "everything", "precision", "recall")
Late = Callable[[Store, np.random.Generator], None]


def released_rows(store: Store) -> list[int]:
    decided = decision(NAME, store=store)
    return [int(row) for row in decided.rows[decided.codes == 1]]


def unlabelled(store: Store, rows: list[int]) -> list[int]:
    there = held(store)
    return [row for row in rows if row not in there]


def gold_says_no(store: Store, rng: np.random.Generator) -> None:
    """`gold import` of five "no" for released pictures that nobody was asked about."""
    rows = rng.permutation(unlabelled(store, released_rows(store)))[:5].tolist()
    names = [image.sha256 for image in store.images.many(np.array(sorted(rows), np.int64))]
    table = Path(store.place) / "gold.csv"
    table.write_text("image,answer\n" + "".join(f"{name},no\n" for name in names))
    import_gold(NAME, table, store=store, now_ms=20)


def learning_ends(store: Store, rng: np.random.Generator) -> None:
    """Asks of learning that were open at the freeze are answered, on ranks drawn or not, a few of them unsure."""
    rows = rng.permutation(unlabelled(store, [int(row) for row in now(store).ranking]))[:25].tolist()
    hold(store, {row: Says.UNSURE if rng.random() < 0.1 else truth(row) for row in rows}, purpose=Purpose.LEARN)


def owner_turns(store: Store, rng: np.random.Generator) -> None:
    """The owner corrects logged answers, to anything."""
    snapshot = now(store)
    for rank in rng.permutation(sorted(snapshot.log.first))[:3].tolist():
        hold(store, {int(snapshot.ranking[rank]): Says(str(rng.choice(["yes", "no", "unsure"])))})


def known_turn(store: Store, rng: np.random.Generator) -> None:
    """Images that were known at the freeze are corrected, to anything."""
    for row in rng.permutation(now(store).known)[:3].tolist():
        hold(store, {row: Says(str(rng.choice(["yes", "no", "unsure"])))})


def turned_twice(store: Store, rng: np.random.Generator) -> None:
    """What was corrected is corrected again: some back to the first answer, some not."""
    snapshot = now(store)
    for rank in rng.permutation(sorted(snapshot.log.first))[:3].tolist():
        row = int(snapshot.ranking[rank])
        hold(store, {row: Says.UNSURE})
        hold(store, {row: truth(row) if rng.random() < 0.5 else Says.NO})


def gone(store: Store, rng: np.random.Generator) -> None:
    snapshot = now(store)
    for rank in rng.permutation(sorted(snapshot.log.first))[:1].tolist():
        store.labels.drop(NAME, 1, Source.OWNER.value, [int(snapshot.ranking[rank])])


LATE: tuple[Late, ...] = (gold_says_no, learning_ends, owner_turns, known_turn, turned_twice, gone)


def claims_are_true(store: Store, claimed: Certified) -> bool:
    """Whether the claim holds of the labels of today, and of the truth where there is none."""
    labels, rows = held(store), [int(row) for row in decision(NAME, store=store).rows]
    today = {row: labels[row].says if row in labels else truth(row) for row in rows}
    out = set(released_rows(store))
    right = sum(today[row] is Says.YES for row in out)
    missed = sum(today[row] is Says.YES and row not in out for row in rows)
    precision = claimed.precision or claimed.counts["precision_at_least"]
    recall = claimed.recall or claimed.counts["recall_at_least"]
    return right >= precision * len(out) - 1e-9 and right >= recall * (right + missed) - 1e-9


def must_verify(store: Store, to: Path) -> bool:
    """Release, and verify if there is a certificate; whether there is one."""
    ship(NAME, to, store=store, now_ms=30, formats=("table",))
    claimed = step(store)
    found = verify(to)
    assert found.holds == isinstance(claimed, Certified), found.wrong
    if isinstance(claimed, Certified):
        assert claims_are_true(store, claimed)
        assert claimed.delivered == len(released_rows(store))
    return found.holds


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(2))
def test_a_release_verifies_whatever_labels_come_after_the_freeze(
    method: str, seed: int, store: Store, tmp_path: Path
) -> None:
    """All kinds, one after the other in an order of chance, during the audits and after them; a release after each."""
    rng = np.random.default_rng(seed)
    frozen(store, method, seed=f"{seed:064x}")
    for _ in range(seed):
        answered(store)
    learning_ends(store, rng)
    assert isinstance(to_the_end(store), Certified)
    kept = int(must_verify(store, tmp_path / "first"))
    for place in rng.permutation(len(LATE)).tolist():
        LATE[place](store, rng)
        if isinstance(step(store), Ask):  # a correction may reopen the audits
            kept += int(must_verify(store, tmp_path / f"open-{place}"))
            to_the_end(store)
        kept += int(must_verify(store, tmp_path / f"{place}"))
    assert kept >= 2


def test_the_images_that_nobody_could_answer_are_counted_by_the_labels_of_today(store: Store, tmp_path: Path) -> None:
    """One that people agreed on and the owner cannot answer is told; one whose answer was corrected is none of them."""
    snapshot = frozen(store, "everything")
    first = to_the_end(store)
    assert isinstance(first, Certified)
    ranked = [int(row) for row in snapshot.ranking]
    assert truth(ranked[0]) is Says.YES
    assert truth(ranked[-1]) is truth(ranked[-2]) is Says.NO
    hold(store, {ranked[0]: Says.UNSURE, ranked[-1]: Says.NO, ranked[-2]: Says.NO})
    log(store)
    hold(store, {ranked[-1]: Says.YES, ranked[-2]: Says.YES})
    assert must_verify(store, tmp_path / "out")
    assert "; 1 image that nobody could answer is not released." in verify(tmp_path / "out").claim


def test_a_release_logs_what_came_since_the_loop_ended(store: Store, tmp_path: Path) -> None:
    """The loop has ended and logs nothing more; a release does, so that log, evidence and released set agree."""
    frozen(store, "precision")
    to_the_end(store)
    lines = now(store).log.lines
    before = len(released_rows(store))
    gold_says_no(store, np.random.default_rng(1))
    assert len(released_rows(store)) == before - 5
    assert now(store).log.lines == lines
    assert must_verify(store, tmp_path / "out")
    assert now(store).log.lines == lines + 1
    assert log(store).log.lines == lines + 1


def test_another_number_than_the_certified_one_is_never_released(store: Store) -> None:
    frozen(store, "certified")
    ended = to_the_end(store)
    assert isinstance(ended, Certified)
    decided = decision(NAME, store=store)
    must_be_counted(decided, ended)
    with pytest.raises(NotReady, match=r"certified.*--freeze-anew") as refused:
        must_be_counted(decided, replace(ended, delivered=ended.delivered + 6))
    assert f"{ended.delivered + 6} are certified" in str(refused.value)
