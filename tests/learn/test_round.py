"""A round trains on what is held, scores the pool, chooses thresholds and counts; decisions follow, labels first."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.filled import NAME, fill, new_image

from thresher.errors import NotReady
from thresher.harvest.similar import put_in_groups
from thresher.learn.decide import NO, UNKNOWN, YES
from thresher.learn.embed import column_when_new
from thresher.learn.head import FAMILIES, Head
from thresher.learn.round import stands_for, train_round
from thresher.learn.vectors import embedded
from thresher.loop.decision import decision
from thresher.records import Gold, Label, NewImage, Origin, Progress, Purpose, Round, Says, Source
from thresher.settings import Settings
from thresher.store.contract import Store

WIDTH = 12


def label(row: int, says: Says, *, source: Source = Source.OWNER) -> Label:
    return Label(row, says, source, Purpose.LEARN, 1, 1)


class World:
    """A pool whose truth is known: every third picture is a yes, and the vectors tell so up to `noise`."""

    def __init__(self, store: Store, settings: Settings, count: int = 240, noise: float = 0.4) -> None:
        self.store, self.settings = store, settings
        self.rows = np.array(fill(store, count, size=(16, 16)), np.int64)
        self.yes = np.arange(count) % 3 == 0
        random = np.random.default_rng(8)
        self.vectors = random.normal(size=(count, WIDTH)) * noise + self.yes[:, None]
        self.column = column_when_new(settings)
        store.columns.create(self.column, WIDTH)
        store.columns.write(self.column, self.rows, self.vectors.astype(np.float16))

    def hold(self, places: Sequence[int] | NDArray[np.int64]) -> None:
        says = {True: Says.YES, False: Says.NO}
        self.store.labels.hold(NAME, [label(int(self.rows[p]), says[bool(self.yes[p])]) for p in places])

    def round(self, **more: object) -> Round:
        return train_round(NAME, store=self.store, settings=self.settings, seed=1, now_ms=7, **more)  # type: ignore[arg-type]  # named by the test


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.but(cache=str(tmp_path / "cache"), arithmetic="float32")


@pytest.fixture
def world(store: Store, settings: Settings) -> World:
    return World(store, settings)


def test_a_round_scores_the_pool_and_tells_yes_from_no(world: World) -> None:
    world.hold(range(60))
    heard: list[Progress] = []
    done = world.round(report=heard.append)
    assert (done.number, done.column, done.at_ms) == (1, f"scores/{NAME}/1", 7)
    assert (done.labels_yes, done.labels_no) == (20, 40)
    assert done.backbone == "efficientnet-lite0"
    assert done.head in FAMILIES
    assert done.seconds > 0
    assert [tick.done for tick in heard] == [1, 2, 3]
    assert {"average_precision", "accuracy", "strength", "held_out", "held_out_recall"} <= set(done.measures)
    scores, present = world.store.columns.view(done.column)
    assert present.all()
    assert scores.dtype == np.float32
    assert ((scores[world.rows, 0] > 0) == world.yes).mean() > 0.95
    assert world.store.rounds.latest(NAME, 1) == done


def test_the_kept_head_gives_the_same_scores_again(world: World) -> None:
    world.hold(range(60))
    done = world.round()
    head = Head.from_bytes(world.store.rounds.head(NAME, done.number))
    scores = head.scores(embedded(world.settings, world.rows, store=world.store))
    assert (scores == world.store.columns.view(done.column)[0][world.rows, 0]).all()


def test_decisions_come_near_the_targets_and_the_counts_are_theirs(world: World) -> None:
    world.hold(range(100))
    done = world.round()
    decided = decision(NAME, store=world.store)
    counted = [int((decided.codes == code).sum()) for code in (YES, NO, UNKNOWN)]
    assert [done.counts.yes, done.counts.no, done.counts.unknown] == counted
    assert sum(counted) == 240
    assert world.yes[decided.codes == YES].mean() > 0.9
    assert (decided.codes[world.yes] != NO).mean() > 0.85
    assert decided.round == done


def test_labels_win_over_scores(world: World) -> None:
    world.hold(range(100))
    wrong = int(np.flatnonzero(world.yes)[-1])
    world.store.labels.hold(NAME, [label(int(world.rows[wrong]), Says.NO)])
    world.round()
    decided = decision(NAME, store=world.store)
    assert decided.scores[wrong] > 0
    assert decided.codes[wrong] == NO
    assert (decided.codes[:100] == np.where(world.yes[:100], YES, NO)).all()


def test_what_a_person_called_unsure_is_a_no_and_trains_nothing(world: World) -> None:
    world.hold(range(60))
    world.store.labels.hold(NAME, [label(int(world.rows[99]), Says.UNSURE)])
    assert world.yes[99]
    assert world.round().labels_yes == 20
    assert decision(NAME, store=world.store).codes[99] == NO


def test_before_the_first_round_labels_alone_decide(world: World) -> None:
    world.hold(range(10))
    decided = decision(NAME, store=world.store)
    assert decided.round is None
    assert (decided.codes[10:] == UNKNOWN).all()
    assert (decided.codes[:10] != UNKNOWN).all()
    assert np.isnan(decided.scores).all()


def test_some_rows_are_decided_as_among_all(world: World) -> None:
    world.hold(range(60))
    world.round()
    whole = decision(NAME, store=world.store)
    some = decision(NAME, store=world.store, rows=world.rows[50:90])
    assert (some.codes == whole.codes[50:90]).all()
    assert (some.scores == whole.scores[50:90]).all()
    assert not len(decision(NAME, store=world.store, rows=np.empty(0, np.int64)).codes)


def test_gold_trains_the_head_too(world: World) -> None:
    gold = [Gold(int(world.rows[p]), Says.YES if world.yes[p] else Says.NO, 1, Source.OWNER) for p in range(60)]
    world.store.labels.gild(NAME, gold)
    assert world.round().measures["held_out"] == 60


def test_too_few_labels_and_no_vectors_are_told(world: World) -> None:
    world.hold([0, 1, 2])
    with pytest.raises(NotReady, match="1 yes and 2 no"):
        world.round()
    world.store.columns.drop(world.column)
    with pytest.raises(NotReady, match=f"thresher run {NAME}"):
        world.round()
    assert world.store.rounds.all(NAME) == []


def test_pictures_that_came_later_wait_as_unknown(world: World) -> None:
    world.hold(range(60))
    rows = world.store.images.put([new_image(9000 + i) for i in range(5)])
    world.store.categories.pool_add(NAME, rows, Origin("test"))
    done = world.round()
    assert done.counts.unknown >= 5
    decided = decision(NAME, store=world.store)
    assert (decided.codes[-5:] == UNKNOWN).all()
    assert np.isnan(decided.scores[-5:]).all()


def test_rounds_are_numbered_and_a_second_one_after_a_crash_is_no_error(world: World) -> None:
    world.hold(range(60))
    world.store.columns.create(f"scores/{NAME}/1", 1, "float32")  # what a killed round left
    world.store.columns.write(f"scores/{NAME}/1", world.rows[:5], np.full((5, 1), 99, np.float32))
    assert world.round().number == 1
    world.hold(range(60, 90))
    assert world.round().number == 2
    assert world.store.columns.view(f"scores/{NAME}/1")[0].max() < 99


def twin(seed: int, fingerprint: str) -> NewImage:
    return NewImage(**{**{f: getattr(new_image(seed), f) for f in NewImage.__slots__}, "fingerprint": fingerprint})


def test_a_near_duplicate_inherits_the_label_and_is_marked(store: Store, settings: Settings) -> None:
    rows = fill(store, 4)
    pair = [twin(50, "ab" * 32), twin(51, "ab" * 32), twin(52, "cd" * 32)]
    twins = put_in_groups(pair, store=store, same=lambda *_: True)
    store.categories.pool_add(NAME, twins, Origin("test"))
    store.labels.hold(NAME, [label(twins[0], Says.YES), label(rows[0], Says.NO)])
    decided = decision(NAME, store=store)
    code = dict(zip(decided.rows.tolist(), decided.codes.tolist(), strict=True))
    inherited = dict(zip(decided.rows.tolist(), decided.inherited.tolist(), strict=True))
    assert [code[row] for row in twins] == [YES, YES, UNKNOWN]
    assert [inherited[row] for row in twins] == [False, True, False]
    assert not inherited[rows[0]]
    store.labels.hold(NAME, [label(twins[1], Says.NO)])
    decided = decision(NAME, store=store)
    assert decided.codes[np.searchsorted(decided.rows, twins[1])] == NO  # its own label wins


def test_a_label_stands_for_the_unlabelled_images_with_scores_like_its_own() -> None:
    held_out = np.linspace(-2, 2, 80).astype(np.float32)
    unlabelled = np.concatenate([np.full(900, -1.5), np.full(90, 0.1), np.full(10, 1.9)]).astype(np.float32)
    weights = stands_for(held_out, unlabelled)
    assert weights.sum() == pytest.approx(1000)
    assert weights[held_out < -1].sum() == pytest.approx(900)
    assert weights[held_out > 1].sum() == pytest.approx(10)
    assert (stands_for(held_out, unlabelled[:0]) == 1).all()
    assert stands_for(held_out[:3], unlabelled).tolist() == pytest.approx([1000 / 3] * 3)
    assert stands_for(np.zeros(30, np.float32), unlabelled).sum() == pytest.approx(1000)


def test_a_round_goes_by_one_column_though_another_process_makes_a_second(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_another = "efficientnet-lite0.other"
    monkeypatch.setattr(
        "thresher.learn.embed.kind_of", lambda _, __, there=(), ___=None: ".other" * (of_another in there)
    )
    world = World(store, settings.but(arithmetic="alike"))
    view, asked = store.columns.view, list[str]()

    def made_meanwhile(name: str) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        if not asked:
            store.columns.create(f"features/{of_another}", WIDTH)
            store.columns.write(f"features/{of_another}", world.rows[:20], -world.vectors[:20].astype(np.float16))
        asked.append(name)
        return view(name)

    monkeypatch.setattr(store.columns, "view", made_meanwhile)
    world.hold(range(60))
    done = world.round()
    assert {name for name in asked if name.startswith("features/")} == {world.column}
    assert (done.backbone, done.measures["held_out"]) == ("efficientnet-lite0", 60)
