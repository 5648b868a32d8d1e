"""Words rank a pool: for the first gold, for a rare yes, and as one more column for the head; never as evidence."""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.filled import NAME
from tests.learn.graphs import mean_graph
from tests.learn.test_added_backbones import add_to, wanted_of
from tests.learn.towers import Towers, two_towers

from thresher.errors import BadInput, NotReady
from thresher.harvest.similar import put_in_groups
from thresher.label.mining import mine
from thresher.learn.backbone import kept_in
from thresher.learn.backbone.adding import Given, Wanted, add, remove
from thresher.learn.beside import claimed_columns
from thresher.learn.embed import column_when_new
from thresher.learn.head import Head
from thresher.learn.round import train_round
from thresher.learn.text import describe, keep_scored, rank, score_text
from thresher.records import Category, Label, NewImage, Origin, Purpose, Question, Says, Source, TaskKind
from thresher.settings import Settings
from thresher.store.claims import TEXT, claim_of, claims_in_force, words_of
from thresher.store.contract import Rows, Store

RED, GREEN, GREY = (230, 30, 30), (30, 230, 30), (128, 128, 128)
WORDS = "a red car at night"


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> Towers:
    return two_towers(tmp_path_factory.mktemp("towers"))


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, towers: Towers) -> Settings:
    settings = settings.but(cache=str(tmp_path / "cache"), processes=1, backbone="colours", similar_groups=False)
    add_to(settings, wanted_of(towers))
    return settings


def square(colour: tuple[int, int, int], seed: int) -> NewImage:
    """A picture of one colour and some noise."""
    noise = np.random.default_rng(seed).integers(-20, 21, (16, 16, 3))
    out = BytesIO()
    Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(out, "PNG")
    data = out.getvalue()
    return NewImage(hashlib.sha256(data).hexdigest(), data, 16, 16, "PNG", 1, f"{seed:064x}", len(data))


def pool_of(store: Store, red: int, other: int) -> tuple[Rows, Rows]:
    """A pool with a few red pictures among others, in no order; the rows of the red ones, and all rows."""
    if NAME not in {category.name for category in store.categories.all()}:
        store.categories.create(Category(NAME, Question(1, "Is it red?")))
    colours = np.random.default_rng(red).permutation([RED] * red + [GREEN, GREY] * (other // 2))
    before = store.images.count()
    made = [square(tuple(colour.tolist()), before + place) for place, colour in enumerate(colours)]
    rows = np.array(put_in_groups(made, store=store, same=lambda *_: False), np.int64)
    store.categories.pool_add(NAME, rows.tolist(), Origin("test"))
    return rows[(colours == RED).all(axis=1)], rows


def described(store: Store, settings: Settings, text: str = WORDS) -> None:
    describe(NAME, text, store=store, settings=settings, now_ms=5)


def test_a_text_ranks_the_pool_before_anybody_answered(store: Store, settings: Settings) -> None:
    red, rows = pool_of(store, 6, 54)
    described(store, settings)
    ranked = rank(NAME, store=store, settings=settings, now_ms=7)
    assert sorted(ranked[:6].tolist()) == red.tolist()
    assert sorted(ranked.tolist()) == rows.tolist()
    claim = claim_of(NAME, TEXT, store=store)
    assert claim is not None
    assert claim.scores is not None
    assert np.abs(claim.scores).max() <= 1 + 1e-3
    assert not len(claim.claimed)  # a text says of no image that it is a yes


def test_the_first_gold_is_looked_for_where_the_text_fits(store: Store, settings: Settings) -> None:
    red, _ = pool_of(store, 6, 194)
    described(store, settings)
    rank(NAME, store=store, settings=settings, now_ms=7)
    (task,) = mine(NAME, store=store, settings=settings, now_ms=8, size=12, seed=1)
    assert task.owner_only
    assert task.kind is TaskKind.SINGLE
    assert set(red.tolist()) <= set(task.rows)
    assert len(task.rows) == 12


def test_a_rare_yes_is_mined_by_the_text_beside_scores_that_miss_it(store: Store, settings: Settings) -> None:
    red, rows = pool_of(store, 4, 96)
    described(store, settings)
    rank(NAME, store=store, settings=settings, now_ms=7)
    others = np.setdiff1d(rows, red)[:40]
    green = store.columns.view(column_when_new(settings))[0][others, 1] > 0.3
    says = [Says.YES if yes else Says.NO for yes in green]  # what was labelled so far tells nothing of the red ones
    held = [Label(int(row), word, Source.OWNER, Purpose.LEARN, 1, 1) for row, word in zip(others, says, strict=True)]
    store.labels.hold(NAME, held)
    train_round(NAME, store=store, settings=settings, seed=1, now_ms=9)
    (task,) = mine(NAME, store=store, settings=settings, now_ms=10, size=20, seed=1)
    assert set(red.tolist()) <= set(task.rows)


def test_the_head_learns_from_the_text_as_one_more_column(store: Store, settings: Settings) -> None:
    red, rows = pool_of(store, 60, 140)
    described(store, settings)
    rank(NAME, store=store, settings=settings, now_ms=7)
    (of_text,) = claimed_columns(NAME, store=store)
    assert (of_text.name, of_text.values.shape) == (TEXT, (200, 1))
    # vectors of another backbone, which say little
    settings = settings.but(backbone="efficientnet-lite0")
    yes = np.isin(rows, red)
    vectors = np.random.default_rng(3).normal(size=(200, 8)) + 0.3 * yes[:, None]
    store.columns.create(column_when_new(settings), 8)
    store.columns.write(column_when_new(settings), rows, vectors.astype(np.float16))
    labelled = np.random.default_rng(4).permutation(200)[:60]
    names = {True: Says.YES, False: Says.NO}
    held = [Label(int(rows[p]), names[bool(yes[p])], Source.OWNER, Purpose.LEARN, 1, 1) for p in labelled]
    store.labels.hold(NAME, held)
    done = train_round(NAME, store=store, settings=settings, seed=1, now_ms=9)
    stack = Head.from_bytes(store.rounds.head(NAME, done.number)).stack
    assert stack is not None
    assert stack.columns == (TEXT,)
    assert [mark.split()[0] for mark in done.beside] == [TEXT]
    scores = store.columns.view(done.column)[0][rows, 0]
    assert ((scores > 0) == yes).mean() > 0.95
    assert done.measures["log_loss"] < done.measures["log_loss_alone"]


def test_a_text_is_no_label_no_gold_and_no_evidence(store: Store, settings: Settings) -> None:
    pool_of(store, 6, 54)
    before = store.categories.tally(NAME)
    described(store, settings)
    rank(NAME, store=store, settings=settings, now_ms=7)
    assert store.labels.held(NAME, 1) == []
    assert store.labels.gold(NAME, 1) == []
    assert store.rounds.all(NAME) == []
    assert store.categories.tally(NAME) == before


def test_new_images_and_new_words_are_scored_and_nothing_is_scored_twice(store: Store, settings: Settings) -> None:
    pool_of(store, 6, 54)
    described(store, settings)
    rank(NAME, store=store, settings=settings, now_ms=7)
    (first,) = claims_in_force(NAME, store=store)
    keep_scored(NAME, store=store, settings=settings, now_ms=8)
    assert claims_in_force(NAME, store=store) == [first]
    described(store, settings, "  something   green ")
    assert words_of(NAME, store=store) == "something green"
    keep_scored(NAME, store=store, settings=settings, now_ms=9)
    (second,) = claims_in_force(NAME, store=store)
    assert (second.rows, second.at_ms) == (60, 9)
    assert second.source != first.source
    red, _ = pool_of(store, 1, 9)
    ranked = rank(NAME, store=store, settings=settings, now_ms=10)
    assert len(ranked) == 70 - 1
    assert int(red[0]) not in ranked[:20]
    described(store, settings, "")
    assert claims_in_force(NAME, store=store) == []
    keep_scored(NAME, store=store, settings=settings, now_ms=11)
    assert claims_in_force(NAME, store=store) == []
    with pytest.raises(NotReady, match="no text"):
        rank(NAME, store=store, settings=settings, now_ms=12)


def test_scores_of_a_network_that_is_used_no_more_stay_and_stop_nothing(store: Store, settings: Settings) -> None:
    pool_of(store, 6, 54)
    described(store, settings)
    rank(NAME, store=store, settings=settings, now_ms=7)
    (kept,) = claims_in_force(NAME, store=store)
    keep_scored(NAME, store=store, settings=settings.but(backbone="efficientnet-lite0"), now_ms=8)
    assert claims_in_force(NAME, store=store) == [kept]
    with pytest.raises(BadInput, match="no text tower"):
        rank(NAME, store=store, settings=settings.but(backbone="efficientnet-lite0"), now_ms=8)


def test_of_two_joined_networks_the_one_with_a_text_tower_ranks(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    red, rows = pool_of(store, 3, 20)
    other = mean_graph(tmp_path / "other.onnx", ["n", 3, 32, 32])
    add(
        "other",
        Wanted(Given(str(other))),
        cache=kept_in(settings),
        settings=settings,
    )
    joined = settings.but(backbone="other+colours")
    described(store, joined)
    ranked = rank(NAME, store=store, settings=joined, now_ms=7)
    assert sorted(ranked[:3].tolist()) == red.tolist()
    assert [name.split("-")[0] for name in store.columns.names()] == ["features/colours"]  # the other one is not asked
    assert len(ranked) == len(rows)


@pytest.mark.parametrize("text", ["...", "x" * 1001], ids=["no letters", "too long"])
def test_words_that_cannot_rank_anything_are_refused(text: str, store: Store, settings: Settings) -> None:
    pool_of(store, 1, 1)
    with pytest.raises(BadInput, match="--text"):
        described(store, settings, text)
    assert words_of(NAME, store=store) == ""


def test_a_network_without_a_text_tower_is_named_and_no_words_are_stored(
    store: Store, settings: Settings, towers: Towers
) -> None:
    pool_of(store, 1, 1)
    with pytest.raises(BadInput, match=r"efficientnet-lite0 has no text tower.*thresher backbone list"):
        described(store, settings.but(backbone="efficientnet-lite0"))
    remove("colours", cache=kept_in(settings))
    with pytest.raises(BadInput, match="colours"):
        described(store, settings)
    assert words_of(NAME, store=store) == ""


def test_a_pool_that_is_not_embedded_has_no_text_scores_yet(store: Store, settings: Settings) -> None:
    pool_of(store, 2, 4)
    described(store, settings)
    assert score_text(NAME, store=store, settings=settings, now_ms=7) is None
    keep_scored(NAME, store=store, settings=settings, now_ms=8)
    assert claims_in_force(NAME, store=store) == []
