"""Labels from elsewhere are a column that the classifier learns from: no label, no gold, no vote, no evidence."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tests.filled import NAME
from tests.loop.people import one_turn, pool
from tests.loop.promised import COUNT, YES_FROM, aim, certificate, frozen_now, rounds_of_two, run, says

from thresher.label.imports import Wanted, import_column, remove_column
from thresher.learn.embed import column_when_new
from thresher.loop.columns import UNTRIED, UNUSED, USED, columns_in_use
from thresher.loop.decision import decision
from thresher.loop.ship import ship
from thresher.loop.turn import learn
from thresher.records import Label, Purpose, Round, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store
from thresher.verify import verify


def told(store: Store, folder: Path, says_yes: Mapping[int, bool], name: str = "theirs") -> None:
    """Import what a source says of rows, by their SHA-256."""
    hashes = {image.row: image.sha256 for image in store.images.many(list(says_yes))}
    lines = [f"{hashes[row]},{'thing' if yes else 'other'}" for row, yes in says_yes.items()]
    file = folder / f"{name}.csv"
    file.write_text("\n".join(["image,label", *lines]) + "\n")
    import_column(NAME, file, Wanted(), store=store, now_ms=3)


def hold(store: Store, rows: list[int]) -> None:
    store.labels.hold(NAME, [Label(row, says(row), Source.OWNER, Purpose.LEARN, 1, 5) for row in rows])


def learned(store: Store, settings: Settings) -> Round:
    category = store.categories.get(NAME)
    done = learn(category, store=store, settings=settings, seed=1, now_ms=7, report=None)
    assert done is not None
    return done


def used(store: Store) -> dict[str, str]:
    return {column.name: column.used for column in columns_in_use(NAME, store=store)}


def with_vectors(store: Store, settings: Settings, folder: Path) -> tuple[list[int], Settings]:
    """A pool whose vectors are noise, as is some of what the backbone sees of hard questions."""
    rows = pool(store, YES_FROM, COUNT)
    ours = rounds_of_two(settings, folder)
    store.columns.create(column_when_new(ours), 12)
    noise = np.random.default_rng(1).normal(size=(COUNT, 12)).astype(np.float16)
    store.columns.write(column_when_new(ours), np.array(rows), noise)
    return rows, ours


def test_a_column_is_learned_from_as_soon_as_it_is_there_and_no_longer_when_it_is_removed(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    rows, ours = with_vectors(store, settings, tmp_path)
    hold(store, rows[::8])
    first = learned(store, ours)
    assert learned(store, ours) == first
    told(store, tmp_path, {row: says(row) is Says.YES for row in rows})
    assert used(store) == {"theirs": UNTRIED}
    second = learned(store, ours)
    assert second.number == first.number + 1
    assert used(store) == {"theirs": USED}
    scores, _ = store.columns.view(second.column)
    assert ((scores[rows, 0] > 0) == np.array([says(row) is Says.YES for row in rows])).all()
    assert learned(store, ours) == second
    told(store, tmp_path, {row: row % 2 == 0 for row in rows})
    third = learned(store, ours)
    assert third.number == second.number + 1
    assert used(store) == {"theirs": UNUSED}
    remove_column(NAME, "theirs", store=store)
    assert learned(store, ours).number == third.number + 1
    assert used(store) == {}


def test_an_import_makes_no_label_no_gold_no_vote_and_no_ask(store: Store, settings: Settings, tmp_path: Path) -> None:
    rows, ours = with_vectors(store, settings, tmp_path)
    hold(store, rows[::8])
    learned(store, ours)
    before = kept(store)
    told(store, tmp_path, {row: says(row) is Says.YES for row in rows})
    learned(store, ours)
    assert kept(store) == before


def kept(store: Store) -> list[object]:
    """All that people's answers come to."""
    return [
        store.labels.held(NAME, 1),
        store.labels.gold(NAME, 1, retired=True),
        store.labels.votes(NAME, 1),
        store.asks.open_counts(NAME, 1),
        store.rounds.epochs(NAME),
        store.categories.tally(NAME),
    ]


def test_a_column_of_half_truths_costs_answers_and_no_truth(store: Store, settings: Settings, tmp_path: Path) -> None:
    rows = pool(store, YES_FROM, COUNT)
    ours = rounds_of_two(settings, tmp_path)
    aim(store, "certified")
    told(store, tmp_path, {row: (says(row) is Says.YES) != (row % 5 == 0) for row in rows})
    assert run(store, ours).state == "done"
    assert (certificate(store).precision or 0) >= 0.85
    held, gold = store.labels.held(NAME, 1), store.labels.gold(NAME, 1, retired=True)
    assert {label.source for label in held} <= {Source.CONSENSUS, Source.ADJUDICATED, Source.OWNER}
    answered = {vote.row for vote in store.labels.votes(NAME, 1)}
    assert {label.row for label in held} <= answered | {piece.row for piece in gold}
    decided = decision(NAME, store=store)
    yes = decided.rows[decided.codes == 1]
    assert np.mean([says(row) is Says.YES for row in yes.tolist()]) >= 0.85

    ship(NAME, tmp_path / "before", store=store, now_ms=9)
    frozen = frozen_now(store).frozen
    told(store, tmp_path, {row: says(row) is not Says.YES for row in rows}, "later")
    assert one_turn(store, ours, 90).state == "done"
    ship(NAME, tmp_path / "after", store=store, now_ms=9)
    assert (store.labels.held(NAME, 1), frozen_now(store).frozen) == (held, frozen)
    for name in ("evidence.parquet", "pool.parquet", "audit-log.jsonl", "certificate.json", "images.parquet"):
        before, after = ((tmp_path / at / name).read_bytes() for at in ("before", "after"))
        assert before == after, name
    assert verify(tmp_path / "before").holds
    assert verify(tmp_path / "after").holds
