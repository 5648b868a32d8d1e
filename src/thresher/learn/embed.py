"""Embedding: a backbone computes one vector for every image, once; one column per backbone, shared by all categories.

The work is split into jobs of a few hundred images. A job reads, decodes and embeds its images and writes all vectors
with one call. The rows of a job that is killed are simply still missing, so running it again is the recovery.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from thresher.compute import Compute, careful, open_compute
from thresher.errors import NotFound
from thresher.learn.backbone import Backbone, How, kept_in, name_of, open_backbone, parts
from thresher.learn.backbone.fastest import fastest, kind_of
from thresher.learn.backbone.runtimes import FLOAT32
from thresher.learn.backbone.session import BATCH
from thresher.learn.batches import batches
from thresher.learn.threads import one_thread
from thresher.records import Progress
from thresher.settings import Settings
from thresher.store import open_store
from thresher.store.contract import Report, Rows, Store, chunks

MOST_PICTURES_A_JOB = 256  # about four seconds of work: what a kill can cost each process
JOBS_A_PLACE = 8  # fewer pictures a job in a small pool, so that no process waits for another's last one
LARGEST_HALF = float(np.finfo(np.float16).max)


def names(settings: Settings, store: Store) -> tuple[str, ...]:
    """The unique names of the setting's embeddings, in order: of the backbone, and of its arithmetic unless float32.

    Which arithmetic it is may depend on the vectors that the store has. Raises BadInput for an unknown backbone,
    BadSetting for an unknown arithmetic.
    """
    if settings.arithmetic == FLOAT32:
        return names_when_new(settings)
    there, count = names_in(store.columns.names()), partial(_vectors_of, store=store)
    return tuple(name + kind_of(part, settings, there, count) for part, name in _named(settings))


def names_when_new(settings: Settings) -> tuple[str, ...]:
    """The names of the embeddings in a workspace without any; raises what `names` raises."""
    return tuple(name + kind_of(part, settings) for part, name in _named(settings))


def _named(settings: Settings) -> list[tuple[str, str]]:
    return [(part, name_of(part, cache=kept_in(settings))) for part in parts(settings.backbone)]


def _vectors_of(name: str, *, store: Store) -> int:
    """How many vectors a store has of an embedding."""
    try:
        return int(np.count_nonzero(store.columns.view(f"features/{name}")[1]))
    except NotFound:  # deleted just now
        return 0


def names_in(columns: Sequence[str]) -> tuple[str, ...]:
    """The unique names of the embeddings in these columns."""
    return tuple(column.removeprefix("features/") for column in columns)


def columns(settings: Settings, store: Store) -> tuple[str, ...]:
    """The columns with the embeddings of the setting's backbones, in order; raises what `names` raises."""
    return tuple(f"features/{name}" for name in names(settings, store))


def column(settings: Settings, store: Store) -> str:
    """The column of one backbone."""
    (only,) = columns(settings, store)
    return only


def column_when_new(settings: Settings) -> str:
    """The column of one backbone in a workspace without vectors."""
    (only,) = names_when_new(settings)
    return f"features/{only}"


def with_vectors(rows: Rows, *, store: Store, settings: Settings) -> Rows:
    """Those of some rows that every backbone of the setting has embedded."""
    if not len(rows):
        return rows
    there = store.columns.names()
    for name in columns(settings, store):
        missing = store.columns.missing(name, rows) if name in there else rows
        rows = rows[~np.isin(rows, missing)]
    return rows


def embed(
    rows: Rows,
    *,
    store: Store,
    settings: Settings,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> int:
    """Embed the rows that are missing, with every backbone of `settings.backbone`; returns the number of new vectors.

    An image that cannot be read or decoded stays missing and stops nothing; the next call tries it again. When `stop`
    returns True no further job is started. Raises BadInput and Missing when a backbone cannot be opened.
    """
    made = 0
    for part in parts(settings.backbone):
        made += _embed_with(part, rows, store, settings, report, stop or (lambda: False))
    return made


def _embed_with(
    part: str, rows: Rows, store: Store, settings: Settings, report: Report | None, stop: Callable[[], bool]
) -> int:
    cache = kept_in(settings)
    name = column(settings.but(backbone=part), store)
    if name in store.columns.names() and not len(store.columns.missing(name, rows)):
        return 0
    how = fastest(part, settings, name.removeprefix(f"features/{name_of(part, cache=cache)}"))
    # builds the graph, before every process would
    store.columns.create(name, open_backbone(part, cache=cache, how=how).width)
    missing = store.columns.missing(name, rows)
    compute = open_compute(settings.compute, settings, few=len(missing) <= BATCH)
    a_job = min(MOST_PICTURES_A_JOB, max(BATCH, how.batch, math.ceil(len(missing) / (compute.places * JOBS_A_PLACE))))
    job = EmbedJob(store.place, settings, part, cache, replace(how, threads=compute.threads))
    made = seen = 0
    for tried, embedded in _results(job, list(chunks(missing, a_job)), compute, careful(settings), stop):
        seen, made = seen + tried, made + embedded
        if report is not None:
            report(Progress("embed", seen, len(missing)))
    if seen and not made and len(missing) == len(rows):
        store.images.read(int(missing[0]))  # nothing at all can be read: say why, or people would wait for ever
    return made


def _results(
    job: "EmbedJob", pieces: list[Rows], compute: Compute, again: Compute, stop: Callable[[], bool]
) -> Iterator[tuple[int, int]]:
    """Images tried and vectors made, part by part; `again` runs the parts on which a process of `compute` died."""
    with job:
        spreading = compute.spread(job, pieces, stop=stop, died=_none_made)
        died = []
        for piece, made in zip(pieces, spreading, strict=False):
            if made is None:
                died.append(piece)
            else:
                yield len(piece), made
        # what a process died on, picture by picture: only the one that kills it is left out
        singles = [row for piece in died for row in chunks(piece, 1)]
        for made in again.spread(job, singles, stop=stop, died=_none_made) if singles else ():
            yield 1, made or 0


def _none_made(_: Rows) -> int | None:
    return None


@dataclass
class EmbedJob:
    """Embeds one chunk of rows; opens the store and the graph once per process and keeps them open."""

    place: str
    settings: Settings
    part: str
    cache: Path
    how: How
    _open: tuple[Store, Backbone] | None = None

    def __call__(self, rows: Rows) -> int | None:
        """Write the vectors of `rows` with one call; returns how many there are."""
        if self._open is None:
            backbone = open_backbone(self.part, cache=self.cache, how=self.how)
            self._open = (open_store(self.place, self.settings), backbone)
        store, backbone = self._open
        with one_thread():  # the processes have a core each, and matrices as small as a picture's
            found = [(read, backbone.embed(pixels)) for read, pixels in batches(rows, store, backbone)]
        if not found:
            return 0
        good, vectors = np.concatenate([read for read, _ in found]), np.concatenate([made for _, made in found])
        whole = np.isfinite(vectors).all(axis=1)
        if not whole.any():
            backbone.check_numbers(self.part)
        good, vectors = good[whole], np.clip(vectors[whole], -LARGEST_HALF, LARGEST_HALF)
        store.columns.write(f"features/{backbone.name}", good, vectors.astype(np.float16))
        return len(good)

    def __enter__(self) -> "EmbedJob":
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened, if the job ran in this process."""
        if self._open is not None:
            self._open[0].close()
            self._open = None
