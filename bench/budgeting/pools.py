"""Pools as a store holds them: images whose vectors are written into the backbone's column, and whose truth is known.

Nothing is decoded or embedded: the bytes of an image are its name. The vectors are drawn, from several clusters of each
answer as embeddings have them, or taken from a real pool of bench/selection.py that is embedded already.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from selecting.pools import REAL, pictures

from thresher.label.gold import gold_of
from thresher.learn.embed import column
from thresher.records import Category, Label, NewImage, Origin, Purpose, Question, Says, Source, Targets
from thresher.settings import Settings, read_settings
from thresher.store import open_store
from thresher.store.contract import Store

NAME = "pool"
WIDTH = 32
CLUSTERS = (5, 15)  # of yes, of no
# distance of the clusters in deviations of one: how well a classifier tells them apart
HEADS = {"strong": 1.0, "middling": 0.7, "weak": 0.5}
DRAWN_YES = 0.3
GOLD_EACH = 25
GOLD_SHARE = 0.16  # of a small pool, at most


@dataclass(frozen=True)
class Drawn:
    """A pool before it is stored: vectors [n, width] and which images are a yes."""

    vectors: NDArray[np.float16]
    yes: NDArray[np.bool_]


def drawn(kind: str, size: int, seed: int, data: Path | None, work: Path) -> Drawn:
    """`size` images of a kind: one of HEADS, or a pool of bench/selection.py (the same share of yes, drawn anew)."""
    random = np.random.default_rng([seed, size])
    if kind in HEADS:
        return _clusters(HEADS[kind], size, random)
    assert data is not None, "--data is missing"
    whole = pictures(data, work, kind)
    places = np.sort(random.permutation(len(whole.yes))[:size])
    return Drawn(whole.vectors.take(places).astype(np.float16), whole.yes[places])


def _clusters(apart: float, size: int, random: np.random.Generator) -> Drawn:
    yes = random.random(size) < DRAWN_YES
    centres = random.normal(0.0, apart, (sum(CLUSTERS), WIDTH))
    chosen = np.where(yes, random.integers(0, CLUSTERS[0], size), CLUSTERS[0] + random.integers(0, CLUSTERS[1], size))
    return Drawn((centres[chosen] + random.normal(0.0, 1.0, (size, WIDTH))).astype(np.float16), yes)


def known_kinds() -> list[str]:
    """Every kind of pool."""
    return [*HEADS, *REAL]


def filled(place: Path, pool: Drawn, seed: int, targets: Targets) -> tuple[Store, Settings]:
    """A workspace with the pool, embedded, with some gold of the owner, and with the targets."""
    settings = read_settings(place, {}).but(
        seed=seed + 1, processes=1, cache=str(place / "cache"), arithmetic="float32"
    )
    store = open_store(place, settings, create=True)
    store.categories.create(Category(NAME, Question(1, "Is it?")))
    names = [f"{seed} {number}".encode() for number in range(len(pool.yes))]
    images = [NewImage(hashlib.sha256(name).hexdigest(), name, 8, 8, "JPEG", bytes=len(name)) for name in names]
    rows = store.images.put(images)
    store.categories.pool_add(NAME, rows, Origin("bench"))
    vectors = column(settings, store)
    store.columns.create(vectors, pool.vectors.shape[1])
    store.columns.write(vectors, np.array(rows, np.int64), pool.vectors)
    _gild(store, pool, np.random.default_rng([seed, 7]))
    store.categories.aim(NAME, targets)
    return store, settings


def _gild(store: Store, pool: Drawn, random: np.random.Generator) -> None:
    """The owner's gold, as an imported table makes it: these are no answers of the run."""
    each = min(GOLD_EACH, int(GOLD_SHARE / 2 * len(pool.yes)))
    places = [random.permutation(np.flatnonzero(pool.yes == yes))[:each] for yes in (True, False)]
    labels = [
        Label(row, Says.YES if pool.yes[row] else Says.NO, Source.OWNER, Purpose.MINE_GOLD, 1, 0)
        for row in np.concatenate(places).tolist()
    ]
    store.labels.hold(NAME, labels)
    store.labels.gild(NAME, [piece for label in labels if (piece := gold_of(label, (), None)) is not None])
