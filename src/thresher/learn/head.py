"""A head: the trained classifier of a category. It is chosen, calibrated and measured on held-out scores.

Every kind of head scores each label by cross-validation, with a head that was not trained on that label (folds with
both answers in each). The kind whose held-out scores have the lowest log-loss after calibration is trained on all
labels. Its scores are log-odds, by Platt's sigmoid (Platt 1999, with his smoothed targets) on the same held-out scores.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import NotReady, StoreDamaged
from thresher.learn.heads import Family, Known, Scorer, Scores, Yes
from thresher.learn.heads.kernel import Nystroem
from thresher.learn.heads.logistic import Logistic
from thresher.learn.heads.propagation import Propagation
from thresher.learn.known import LEAST_OF_EACH
from thresher.learn.threads import one_thread_for_few, without_stray_flags
from thresher.learn.vectors import Vectors, as_vectors

# of two that fit alike the earlier is taken: the plain one
FAMILIES: dict[str, Family] = {family.kind: family for family in (Logistic(), Nystroem(), Propagation())}
FOLDS = 5
FOLDS_OF_MANY, MANY = 3, 2000  # so many labels tell as much from three folds, sooner
FORMAT = 1


@dataclass(frozen=True)
class Head:
    """A trained and calibrated head.

    `out_of_fold` are the held-out log-odds [n] of its training labels. `measures` are computed from these:
    average_precision, accuracy (at probability 0.5), log_loss; and the chosen setting: strength, and reach if scores
    are propagated.
    """

    scorer: Scorer
    slope: float
    offset: float
    out_of_fold: Scores
    measures: Mapping[str, float]

    @property
    def kind(self) -> str:
        """The kind of head."""
        return self.scorer.kind

    @property
    def strength(self) -> float:
        """The inverse of the regularisation: how much the labels weigh against small weights."""
        return self.measures["strength"]

    def scores(self, matrix: Vectors | NDArray[Any]) -> Scores:
        """Log-odds of a yes, float32 [N], of vectors [N, d] of any floating type."""
        with without_stray_flags():
            return np.asarray(self.scorer.scores(as_vectors(matrix)) * self.slope + self.offset, np.float32)

    def to_bytes(self) -> bytes:
        """The whole head as an .npz file without pickled objects."""
        out = io.BytesIO()
        names, numbers = list(self.measures), list(self.measures.values())
        own = {
            "format": np.array(FORMAT),
            "kind": np.array(self.kind),
            "calibration": np.array([self.slope, self.offset]),
            "out_of_fold": self.out_of_fold,
            "measure_names": np.array(names, dtype=np.str_),
            "measures": np.array(numbers, np.float64),
        }
        np.savez(out, allow_pickle=False, **own, **{f"scorer.{k}": v for k, v in self.scorer.arrays().items()})
        return out.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> "Head":
        """A head from the bytes of `to_bytes`. Raises StoreDamaged for anything else."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            family = FAMILIES[str(arrays["kind"])]
            own = {name.removeprefix("scorer."): arrays[name] for name in arrays if name.startswith("scorer.")}
            slope, offset = (float(number) for number in arrays["calibration"])
            named = zip(arrays["measure_names"], arrays["measures"], strict=True)
            measures = {str(name): float(number) for name, number in named}
            return Head(family.revive(own), slope, offset, arrays["out_of_fold"], measures)
        except (KeyError, ValueError, TypeError, OSError, EOFError, IndexError) as error:
            raise StoreDamaged(
                "the stored classifier (head) cannot be read.", next="train again: thresher run"
            ) from error


def train(
    features: NDArray[Any],
    says_yes: Yes,
    *,
    seed: int,
    pool: Vectors | None = None,
    places: NDArray[np.int64] | None = None,
    families: Sequence[str] = tuple(FAMILIES),
) -> Head:
    """Choose by cross-validation, train on all of n labelled vectors [n, d], and calibrate.

    `pool` are the vectors the head will score (by default the labelled ones); `places` are the positions of the
    labelled among them. The same labels and seed give the same head. Raises NotReady with fewer than two labels of each
    answer.
    """
    yes = np.asarray(says_yes, bool)
    if min(yes.sum(), (~yes).sum()) < LEAST_OF_EACH:
        raise NotReady(
            f"{yes.sum()} yes and {(~yes).sum()} no are too few labels: {LEAST_OF_EACH} of each are needed.",
            next="label more images",
        )
    matrix = np.asarray(features, np.float32)
    known = Known(
        features=matrix,
        yes=yes,
        places=np.full(len(yes), -1, np.int64) if places is None else places,
        folds=deal_folds(yes, seed),
        pool=Vectors([matrix]) if pool is None else pool,
    )
    with one_thread_for_few(len(yes)), without_stray_flags():
        candidates = [found for kind in families for found in FAMILIES[kind].held_out(known)]
        fitted = [(*platt(candidate.held_out, yes), candidate) for candidate in candidates]
        loss, slope, offset, best = min(fitted, key=lambda one: one[0])
        out_of_fold = np.asarray(best.held_out * slope + offset, np.float32)
        return Head(
            scorer=FAMILIES[best.kind].fit(known, best.setting),
            slope=slope,
            offset=offset,
            out_of_fold=out_of_fold,
            measures={**measure(out_of_fold, yes), "log_loss": loss, **best.setting},
        )


def deal_folds(yes: Yes, seed: int) -> NDArray[np.int64]:
    """A fold number [n] for each label, stratified by answer."""
    wanted = FOLDS if len(yes) < MANY else FOLDS_OF_MANY
    count = int(min(wanted, yes.sum(), (~yes).sum()))
    folds = np.empty(len(yes), np.int64)
    random = np.random.default_rng(seed)
    for answer in (True, False):
        places = random.permutation(np.flatnonzero(yes == answer))
        folds[places] = np.arange(len(places)) % count
    return folds


def measure(log_odds: Scores, yes: Yes) -> dict[str, float]:
    """Average precision, and accuracy at probability 0.5, of held-out scores."""
    from sklearn.metrics import average_precision_score

    return {
        "average_precision": float(average_precision_score(yes, log_odds)),
        "accuracy": float(((log_odds > 0) == yes).mean()),
    }


def platt(raw: Scores, yes: Yes) -> tuple[float, float, float]:
    """Mean log-loss, slope and offset of the sigmoid that turns raw scores into log-odds; the slope is never negative.

    Platt 1999, section 2.2: the targets are (n_yes + 1) / (n_yes + 2) and 1 / (n_no + 2), so that a head which
    separates all labels does not become infinitely certain.
    """
    from scipy.optimize import minimize

    count_yes, count_no = int(yes.sum()), int((~yes).sum())
    target = np.where(yes, (count_yes + 1) / (count_yes + 2), 1 / (count_no + 2))
    centre, spread = float(raw.mean()), float(raw.std()) or 1.0
    x = (raw.astype(np.float64) - centre) / spread

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = parameters[0] * x + parameters[1]
        wrong = 1 / (1 + np.exp(-log_odds)) - target
        value = np.logaddexp(0, log_odds) - target * log_odds
        return float(value.mean()), np.array([(wrong * x).mean(), wrong.mean()])

    start = np.array([1.0, np.log((count_yes + 1) / (count_no + 1))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(1e-6, 50.0), (-50.0, 50.0)])
    slope = float(found.x[0]) / spread
    return float(found.fun), slope, float(found.x[1]) - slope * centre
