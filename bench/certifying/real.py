"""Real labels: one vote a picture of CIFAR-10N, and what a head trained on a few pictures calls a vehicle."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from selecting.pools import embedded, rows_of
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from certifying.audits import PROMISE, Labelled, Outcome, audited, frozen_of
from thresher.evidence import Code

Floats = NDArray[np.float64]
DIMENSIONS, FOLDS = 128, 5
DOUBTFUL = 20  # shown first by `thresher certify`, outside the audit
TAUGHT = 1_000  # pictures that the detector's head was trained on
SURE = (0.5, 0.9)  # from which scores on a detection counts


def table(data: Path, work: Path, name: str) -> tuple[Floats, list[dict[str, str]]]:
    """The vectors of a tar's pictures, reduced, and their lines of its CSV in the same order."""
    embedded(data, work, name)
    matrix, rows, lines = rows_of(data, work, name)
    vectors = np.asarray(matrix[rows], np.float32)
    reduced = PCA(DIMENSIONS, svd_solver="covariance_eigh", whiten=True).fit_transform(vectors)
    return reduced.astype(np.float64), lines


@dataclass(frozen=True)
class Votes:
    """One vote a picture as its label, and probabilities [n, k] by models that were not trained on that picture."""

    classes: list[str]
    vote: NDArray[np.int64]
    truth: NDArray[np.int64]
    probabilities: Floats

    def each(self) -> Iterator[Labelled]:
        """Each class against the rest."""
        for place, name in enumerate(self.classes):
            yield Labelled(name, self.vote == place, self.truth == place, self.probabilities[:, place])


def votes(data: Path, work: Path) -> Votes:
    """The first votes of CIFAR-10N, with out-of-fold probabilities of logistic regression trained on these votes."""
    vectors, lines = table(data, work, "cifar10n")
    classes = sorted({line["truth"] for line in lines})
    vote, truth = (np.array([classes.index(line[key]) for line in lines]) for key in ("vote1", "truth"))
    probabilities = np.zeros((len(vote), len(classes)))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(vectors, vote):
        head = LogisticRegression(C=0.02, max_iter=100).fit(vectors[train], vote[train])
        probabilities[test] = head.predict_proba(vectors[test])
    return Votes(classes, vote, truth, probabilities)


def detections(data: Path, work: Path) -> Iterator[Labelled]:
    """Vehicles of tiny-vehicles as a detector calls them: each picture is taken for one of its boxes.

    The detector is a head trained on a few random pictures and their true labels; it scores the others. Which boxes
    are wrong, and how sure it is of them, is its own; only the places of the boxes are made up.
    """
    vectors, lines = table(data, work, "tiny-vehicles")
    yes = np.array([bool(line["vehicle"]) for line in lines])
    taught = np.random.default_rng(1).choice(len(yes), TAUGHT, replace=False)
    head = LogisticRegression(C=0.02, max_iter=200).fit(vectors[taught], yes[taught])
    others = np.setdiff1d(np.arange(len(yes)), taught)
    scores = head.predict_proba(vectors[others])[:, 1]
    for least in SURE:
        yield Labelled(f"vehicle, score >= {least:g}", scores >= least, yes[others], scores)


def certify(labels: Labelled, doubtful: int, random: np.random.Generator) -> Outcome:
    """`thresher certify`: first the most doubtful labels, which are no evidence, then the audit of the others."""
    places = np.flatnonzero(labels.claimed)
    order = places[np.argsort(labels.scores[places], kind="stable")]
    first, rest = order[:doubtful], order[doubtful:]
    known = int(labels.yes[first].sum())
    frozen = replace(frozen_of(PROMISE, len(rest), 0, known_yes=known), seed=random.bytes(32).hex())
    truth = np.where(labels.yes[rest], Code.YES, Code.NO).astype(np.int8)
    ended = audited(frozen, truth, len(rest))
    return Outcome(
        certified=ended.certified,
        answers=ended.answers + len(first),
        found=ended.found + len(first) - known,
        precision=ended.precision,
        recall=int(labels.yes[places].sum()) / int(labels.yes.sum()),
    )


def lowest(labels: Labelled, answers: int) -> int:
    """The wrong labels among those with the lowest scores: what so many answers find if none of them is random."""
    places = np.flatnonzero(labels.claimed)
    order = places[np.argsort(labels.scores[places], kind="stable")][:answers]
    return int((~labels.yes[order]).sum())


def by_cleanlab(votes: Votes) -> NDArray[np.int64]:
    """All pictures in cleanlab's order of doubt: its label issues first, then the others, by self-confidence.

    cleanlab is under the AGPL, so only benchmarks import it: this file and bench/compared.py.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    issues = find_label_issues(votes.vote, votes.probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    order = np.argsort(get_label_quality_scores(votes.vote, votes.probabilities), kind="stable")
    return np.concatenate([issues, order[~np.isin(order, issues)]])
