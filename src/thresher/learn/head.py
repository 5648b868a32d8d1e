"""A head: the trained classifier of a category. It is chosen, calibrated and measured on held-out scores.

Every kind of head scores each label by cross-validation, with a head that was not trained on that label (folds with
both answers in each). The kind whose held-out scores have the lowest log-loss after calibration is trained on all
labels. Its scores are log-odds, by Platt's sigmoid (Platt 1999, with his smoothed targets) on the same held-out scores.
Where labels or scores from elsewhere lie beside the vectors, a second level (stack.py) may be put upon it.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thresher.errors import NotReady, StoreDamaged
from thresher.learn.beside import Beside
from thresher.learn.calibration import losses, platt, targets
from thresher.learn.heads import Family, Known, Scorer, Scores, Yes
from thresher.learn.heads.kernel import Nystroem
from thresher.learn.heads.logistic import Logistic
from thresher.learn.heads.propagation import Propagation
from thresher.learn.known import LEAST_OF_EACH
from thresher.learn.stack import Stack, is_better, stacked, ways_to_stack
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
    are propagated. `stack` is its second level, where it learned from values beside the vectors.
    """

    scorer: Scorer
    slope: float
    offset: float
    out_of_fold: Scores
    measures: Mapping[str, float]
    stack: Stack | None = None

    @property
    def kind(self) -> str:
        """The kind of head."""
        return self.scorer.kind

    @property
    def strength(self) -> float:
        """The inverse of the regularisation: how much the labels weigh against small weights."""
        return self.measures["strength"]

    def scores(self, matrix: Vectors | NDArray[Any], beside: Beside | None = None) -> Scores:
        """Log-odds of a yes, float32 [N], of vectors [N, d] of any floating type, and of the values beside them."""
        with without_stray_flags():
            own = np.asarray(self.scorer.scores(as_vectors(matrix)) * self.slope + self.offset, np.float32)
        return own if self.stack is None else self.stack.log_odds(own, beside)

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
        levels = {"scorer": self.scorer.arrays(), "stack": self.stack.arrays() if self.stack else {}}
        parts = {f"{level}.{k}": v for level, arrays in levels.items() for k, v in arrays.items()}
        np.savez(out, allow_pickle=False, **own, **parts)
        return out.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> "Head":
        """A head from the bytes of `to_bytes`. Raises StoreDamaged for anything else."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            family = FAMILIES[str(arrays["kind"])]
            own, beyond = (
                {name.removeprefix(level): arrays[name] for name in arrays if name.startswith(level)}
                for level in ("scorer.", "stack.")
            )
            slope, offset = (float(number) for number in arrays["calibration"])
            named = zip(arrays["measure_names"], arrays["measures"], strict=True)
            measures = {str(name): float(number) for name, number in named}
            stack = Stack.revive(beyond) if beyond else None
            return Head(family.revive(own), slope, offset, arrays["out_of_fold"], measures, stack)
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
    beside: Beside | None = None,
) -> Head:
    """Choose by cross-validation, train on all of n labelled vectors [n, d], and calibrate.

    `beside` has values of the labelled images, from which the head learns where held-out scores show that they help.
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
        head = Head(
            scorer=FAMILIES[best.kind].fit(known, best.setting),
            slope=slope,
            offset=offset,
            out_of_fold=out_of_fold,
            measures={**measure(out_of_fold, yes), "log_loss": loss, **best.setting},
        )
    return head if beside is None or not beside.names else _with_second_level(head, beside, known)


def _with_second_level(head: Head, beside: Beside, known: Known) -> Head:
    """The head that learned from values beside the vectors too; the head as it is where they do not help."""
    own, yes, target = head.out_of_fold, known.yes, targets(known.yes)
    fitted = [(*platt(way.held_out, yes), way) for way in ways_to_stack(own, beside, yes, known.folds)]
    loss, slope, offset, best = min(fitted, key=lambda one: one[0])
    out_of_fold = np.asarray(best.held_out * slope + offset, np.float32)
    if not is_better(losses(out_of_fold, target), losses(own, target)):
        return head
    measures = {
        **head.measures,
        **measure(out_of_fold, yes),
        "log_loss": loss,
        "log_loss_alone": head.measures["log_loss"],
    }
    stack = stacked(own, beside, yes, best).calibrated(slope, offset)
    return replace(head, out_of_fold=out_of_fold, measures=measures, stack=stack)


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
