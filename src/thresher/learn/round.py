"""A round: train a head on the labels, score the pool, choose thresholds, count, record."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thresher.errors import NotFound, NotReady
from thresher.evidence.cascade import cascade
from thresher.learn.beside import Beside, beside, claimed_columns
from thresher.learn.decide import NO, UNKNOWN, YES, codes_of
from thresher.learn.embed import columns, names_in
from thresher.learn.head import Head, train
from thresher.learn.heads import Scores, Yes
from thresher.learn.known import known_answers, learnt_from
from thresher.learn.vectors import Vectors, vectors_in
from thresher.records import Category, Counts, Label, Progress, Round, Thresholds
from thresher.settings import Settings, cache_directory
from thresher.store.claims import claims_in_force
from thresher.store.contract import Report, Rows, Store, as_category
from thresher.store.groups import labelled_groups

STEPS = ("train", "score", "record")
LEAST_IN_A_BIN = 8
MOST_BINS = 20


def train_round(
    category: Category | str, *, store: Store, settings: Settings, seed: int, now_ms: int, report: Report | None = None
) -> Round:
    """Train on the labels and the gold in use, score every embedded image of the pool, and record the round.

    LSUN's cascade chooses the thresholds on held-out scores, from heads that were not trained on the label. Earlier
    heads chose which images were labelled, mostly the top and the boundary, so each label is weighted by the number of
    unlabelled images of the pool with similar scores. That is right if images of similar scores are labelled
    independently of their answers, which is not proven here; and a bin of many images may depend on a few labels. So
    the targets are aimed at but not proven: these decisions have no certificate.

    Raises NotReady with fewer than two labels of each answer, or before anything is embedded. If it is killed, at most
    a column of scores remains, which the next call overwrites.
    """
    started = time.perf_counter()
    told = _Teller(report)
    entry = as_category(category, store=store)
    name = entry.name
    held = store.labels.held(name, entry.question.version)
    of = columns(settings, store)  # once: another process may make a column that would be taken from then on
    pool, known = _read(entry, held, of, store, settings)
    pool_rows = _rows_of(pool)
    marks, claims = beside_marks(name, store=store), claimed_columns(name, store=store)
    head = known.trained(beside(claims, _rows_of(known.vectors), store=store), pool=pool, seed=seed)
    told.step()
    scores = head.scores(pool, beside(claims, pool_rows, store=store))
    number = max((done.number for done in store.rounds.all(name)), default=0) + 1
    column = f"scores/{name}/{number}"
    store.columns.create(column, 1, "float32")
    store.columns.write(column, pool_rows, scores[:, None])
    told.step()
    unlabelled = ~np.isin(pool_rows, held.rows)
    found_yes = float(np.isin(pool_rows, held.rows[held.yes]).sum())
    weights = stands_for(head.out_of_fold, scores[unlabelled])
    aims = {"precision": entry.targets.precision, "recall": entry.targets.recall}
    thresholds = cascade(head.out_of_fold, known.yes, **aims, weights=weights, found_yes=found_yes)
    done = Round(
        number=number,
        category=name,
        version=entry.question.version,
        backbone="+".join(names_in(of)),
        column=column,
        thresholds=thresholds,
        counts=_count(entry, pool_rows, scores, thresholds, held, store),
        labels_yes=int(held.yes.sum()),
        labels_no=len(held) - int(held.yes.sum()) - int(held.unsure.sum()),
        measures=_measures(head, known.yes, weights, thresholds, found_yes),
        head=head.kind,
        at_ms=now_ms,
        seconds=time.perf_counter() - started,
        beside=marks,
        learnt=learnt_from(held),
    )
    store.rounds.add(done, head.to_bytes())
    told.step()
    return done


def beside_marks(category: str, *, store: Store) -> tuple[str, ...]:
    """The labels from elsewhere that a head can learn from now, as a round records them."""
    return tuple(f"{claim.name} {claim.mark}" for claim in claims_in_force(category, store=store))


class _Teller:
    """Reports the steps as they finish."""

    def __init__(self, report: Report | None) -> None:
        self.report = report
        self.done = 0

    def step(self) -> None:
        self.done += 1
        if self.report is not None:
            self.report(Progress("learn", self.done, len(STEPS), "steps"))


@dataclass(frozen=True, slots=True)
class _Labelled:
    """Embedded images with an answer, one of each similar group, and their positions in the pool (-1: not in it)."""

    vectors: Vectors
    yes: Yes
    places: NDArray[np.int64]

    def trained(self, beside: Beside, *, pool: Vectors, seed: int) -> Head:
        """A head of these, and of the values beside them."""
        features = self.vectors.take(np.arange(len(self.vectors)))
        return train(features, self.yes, seed=seed, pool=pool, places=self.places, beside=beside)


def _rows_of(vectors: Vectors) -> Rows:
    assert vectors.rows is not None  # noqa: S101 -- `embedded` always says which rows they are
    return vectors.rows


def _read(
    entry: Category, held: Sequence[Label], of: Sequence[str], store: Store, settings: Settings
) -> tuple[Vectors, _Labelled]:
    """The embedded pool, and its labels; gold where an image has no label. `of` are the columns of the embeddings."""
    answers = known_answers(entry, held, store=store)
    rows = np.fromiter(answers, np.int64)
    try:
        kept = _graph_file(entry, of, store, settings)
        pool = vectors_in(of, store.categories.pool(entry.name), store=store, graph_file=kept)
        vectors = vectors_in(of, rows, store=store)
    except NotFound as error:
        raise NotReady("no image is embedded yet.", where=entry.name, next=f"thresher run {entry.name}") from error
    pool_rows, rows = _rows_of(pool), _rows_of(vectors)
    at = np.searchsorted(pool_rows, rows)
    there = at < len(pool_rows)
    there[there] = pool_rows[at[there]] == rows[there]
    yes = np.array([answers[row] for row in rows.tolist()], bool)
    return pool, _Labelled(vectors, yes, np.where(there, at, -1))


def _graph_file(entry: Category, of: Sequence[str], store: Store, settings: Settings) -> Path:
    """One file per pool and backbone, so that a growing pool leaves no old files behind."""
    unique = hashlib.sha256("\0".join((store.place, entry.name, *names_in(of))).encode()).hexdigest()
    return cache_directory(settings) / "graphs" / f"{unique[:24]}.npz"


def stands_for(held_out: Scores, unlabelled: Scores) -> NDArray[np.float64]:
    """How many unlabelled images each label [n] stands for: those in its bin of scores, divided among the bin's labels.

    Bins hold equally many labels, at least 8 if there are so many; there are at most 20 bins. All weights are equal
    when nothing is unlabelled.
    """
    if not len(unlabelled):
        return np.ones(len(held_out))
    bins = int(np.clip(len(held_out) // LEAST_IN_A_BIN, 1, MOST_BINS))
    # edges are scores of labels and none is the lowest, so that no bin is without a label
    inner = np.unique(np.quantile(held_out, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    inner = inner[inner > held_out.min()]
    mine = np.searchsorted(inner, held_out, side="right")
    labels = np.bincount(mine, minlength=len(inner) + 1)
    images = np.bincount(np.searchsorted(inner, unlabelled, side="right"), minlength=len(inner) + 1)
    return np.asarray(images[mine] / labels[mine], np.float64)


def _count(
    entry: Category, rows: Rows, scores: Scores, thresholds: Thresholds, held: Sequence[Label], store: Store
) -> Counts:
    """Yes, no and unknown over the whole pool, images without an embedding included."""
    pool = store.categories.pool(entry.name)
    whole = np.full(len(pool), np.nan, np.float32)
    whole[np.searchsorted(pool, rows)] = scores
    labelled = labelled_groups(held, store=store)
    similar = labelled.apart(pool, store.images.similar(pool))
    codes, _ = codes_of(pool, whole, thresholds, held, similar, labelled)
    return Counts(*(int((codes == code).sum()) for code in (YES, NO, UNKNOWN)))


def _measures(
    head: Head, yes: Yes, weights: NDArray[np.float64], thresholds: Thresholds, found_yes: float
) -> dict[str, float]:
    """Measures of the head on the held-out scores; and of the thresholds, if there are labels to measure them on."""
    accepted, kept = head.out_of_fold >= thresholds.upper, head.out_of_fold >= thresholds.lower
    found = {**head.measures, "held_out": float(len(yes))}
    if weights[accepted].sum() > 0:
        found["held_out_precision"] = float(weights[accepted & yes].sum() / weights[accepted].sum())
    if found_yes + weights[yes].sum() > 0:
        found["held_out_recall"] = float((found_yes + weights[kept & yes].sum()) / (found_yes + weights[yes].sum()))
    return found
