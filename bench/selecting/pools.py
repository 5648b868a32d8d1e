"""Pools whose truth is known: real pictures embedded by the default backbone, and synthetic strong heads."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thresher.harvest import harvest
from thresher.harvest.sources.tar import from_tar
from thresher.learn.embed import column, embed
from thresher.learn.vectors import Vectors
from thresher.records import Category, Question
from thresher.settings import read_settings
from thresher.store import open_store

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

NAME = "pool"
ANIMALS = frozenset({"bird", "cat", "deer", "dog", "frog", "horse"})


@dataclass(frozen=True)
class Asked:
    """A question about the pictures of a tar: the column of its CSV, and which values mean yes."""

    data: str
    column: str
    says_yes: Callable[[str], bool]
    size: int  # answers of the learning phase


REAL: dict[str, Asked] = {
    "sports_car_or_convertible": Asked("tiny-vehicles", "vehicle", {"sports car", "convertible"}.__contains__, 800),
    "any_vehicle": Asked("tiny-vehicles", "vehicle", bool, 400),
    "tshirt": Asked("clothing", "truth", "t-shirt".__eq__, 400),
    "hat": Asked("clothing", "truth", "hat".__eq__, 400),
    "automobile": Asked("cifar10n", "truth", "automobile".__eq__, 1600),
    "animal": Asked("cifar10n", "truth", ANIMALS.__contains__, 400),
}
# name: images, prevalence
STRONG: dict[str, tuple[int, float]] = {
    "strong_200k_30": (200_000, 0.30),
    "strong_200k_10": (200_000, 0.10),
    "strong_2m_30": (2_000_000, 0.30),
    "strong_2m_10": (2_000_000, 0.10),
}
STRONG_YES, STRONG_NO = (9.0, 0.6), (0.12, 9.0)  # the beta laws of a strong head's scores
PILOT = 60


@dataclass(frozen=True)
class Pictures:
    """A real pool: whether each image is a yes, and its vectors."""

    yes: Bools
    vectors: Vectors


def embedded(data: Path, work: Path, name: str) -> None:
    """Harvest and embed a tar into a workspace below `work`, as the product does; at once where it was done before."""
    place = work / name
    settings = read_settings(place, {})
    store = open_store(place, settings, create=not place.exists())
    if not store.categories.all():
        store.categories.create(Category(NAME, Question(1, "Is it?")))
    harvest(NAME, from_tar(data / f"{name}.tar"), store=store, settings=settings, now_ms=1)
    embed(store.categories.pool(NAME), store=store, settings=settings)
    store.close()


def rows_of(data: Path, work: Path, name: str) -> tuple[np.ndarray, NDArray[np.int64], list[dict[str, str]]]:
    """The vectors of a workspace that `embedded` has made, the rows of its pool, and their lines of the tar's CSV."""
    settings = read_settings(work / name, {})
    store = open_store(work / name, settings)
    rows = store.categories.pool(NAME)
    matrix, _ = store.columns.view(column(settings, store))
    aliases = store.images.aliases(rows)
    store.close()
    with (data / f"{name}.csv").open(newline="") as file:
        lines = {line["file"]: line for line in csv.DictReader(file)}
    return matrix, rows, [lines[aliases[row][0].value] for row in rows.tolist()]


@lru_cache(maxsize=2)
def pictures(data: Path, work: Path, name: str) -> Pictures:
    """A real pool, from the workspace that `embedded` has made. Copies of a picture are one image."""
    asked = REAL[name]
    matrix, rows, lines = rows_of(data, work, asked.data)
    yes = np.array([asked.says_yes(line[asked.column]) for line in lines], np.bool_)
    return Pictures(yes, Vectors([matrix], rows, graph_file=work / f"{asked.data}.graph.npz"))


def strong(name: str, seed: int) -> tuple[Bools, Floats]:
    """A synthetic pool: whether each image is a yes, and the log-odds that a strong head gives it."""
    images, prevalence = STRONG[name]
    random = np.random.default_rng([seed, images])
    yes = random.random(images) < prevalence
    share = np.where(yes, random.beta(*STRONG_YES, images), random.beta(*STRONG_NO, images))
    share = np.clip(share, 1e-12, 1.0 - 1e-12)
    return yes, np.log(share / (1.0 - share))
