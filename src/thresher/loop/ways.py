"""The methods (ways to decide), one record each: the values of `Targets.method`, and the differences between them.

Only facts, so that the command line and a starting server can read them without importing any mathematics. `turn.py`
has the functions that ask for each method; `evidence/` has the procedures of those with a certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from thresher.errors import BadInput

Asking = Literal["cascade", "uncertainty", "audits"]


@dataclass(frozen=True, slots=True)
class Way:
    """One method.

    `says` describes it for `--help`, and `asks` names the function that says what to ask next (`turn.ASKING`). It
    proves `precision`, `recall`, both or neither. `budgeted`: its answers are divided at the freeze, so an audit that
    has begun is finished; `recall_share` of them is reserved to bound the missed yes. `scouted`: exploratory asks are
    made where the plan is least certain before the freeze. `middle`: people label all images between the accepted and
    the rejected. `words`: unadjudicated votes of people build that middle. `whole`: every image is labelled. `given`:
    it audits labels that somebody else made (store/claims.py), so nothing is embedded or trained, and a recall target
    of 0 means none.
    """

    name: str
    says: str
    asks: Asking
    precision: bool = False
    recall: bool = False
    budgeted: bool = False
    recall_share: float = 0.0
    scouted: bool = False
    middle: bool = False
    words: bool = False
    whole: bool = False
    given: bool = False

    @property
    def proves(self) -> bool:
        """Whether it can end with a certificate."""
        return self.precision or self.recall

    @property
    def planned(self) -> bool:
        """Whether what it takes depends on what a classifier will learn, and is forecast."""
        return self.proves and not self.given


WAYS: Final[dict[str, Way]] = {
    way.name: way
    for way in (
        Way("cascade", "two thresholds on held-out scores, as LSUN; no certificate", "cascade"),
        Way("uncertainty", "uncertainty sampling only; no certificate", "uncertainty"),
        Way(
            "certified",
            "proves precision and recall, with adjudicated labels",
            "audits",
            precision=True,
            recall=True,
            scouted=True,
            middle=True,
        ),
        Way(
            "adjudicated",
            "the same with fewer answers if annotators are accurate, by their unadjudicated votes",
            "audits",
            precision=True,
            recall=True,
            scouted=True,
            middle=True,
            words=True,
        ),
        Way(
            "everything",
            "asks about every image: two votes each, adjudicated where they disagree; exact but for errors of people",
            "audits",
            precision=True,
            recall=True,
            middle=True,
            words=True,
            whole=True,
        ),
        Way(
            "precision",
            "proves the precision of the largest set that the budget of answers allows",
            "audits",
            precision=True,
            budgeted=True,
            recall_share=0.1,
        ),
        Way(
            "recall",
            "proves the recall of the smallest set that the budget of answers allows",
            "audits",
            recall=True,
            budgeted=True,
        ),
        Way(
            "labels",
            "proves the precision, and the recall if there is a target, of labels that were made elsewhere",
            "audits",
            precision=True,
            recall=True,
            given=True,
        ),
    )
}
PROVEN: Final = tuple(name for name, way in WAYS.items() if way.planned)
"""The methods with a certificate that one can choose between, where there are no labels to audit."""
WITHOUT_LABELS: Final = tuple(name for name, way in WAYS.items() if not way.given)
"""The methods that one can choose between where there are no labels to audit."""
CHEAPEST: Final = "cheapest"
"""Given instead of a method, it lets the loop choose one of CANDIDATES (choice.py)."""
CANDIDATES: Final = ("everything", "certified", "adjudicated")
"""The methods that prove all that is promised; of two that cost the same, the first: a count needs no audit."""
START: Final = "certified"
TO_BE_CHOSEN: Final = "to be chosen by its price, with the first round"


def way_of(name: str, known: Sequence[str] = tuple(WAYS)) -> Way:
    """The method of this name. Raises BadInput, naming the `known` methods, for any other."""
    if name not in known:
        why = f"unknown method {name!r}."
        if name in WAYS:
            audits = "audits labels that were made elsewhere, and `thresher certify` sets it"
            why = f"the method {name} {audits if WAYS[name].given else 'has no certificate'}."
        raise BadInput(why, next=f"choose from {', '.join((CHEAPEST, *known))}")
    return WAYS[name]


def described(names: Sequence[str] = tuple(WAYS)) -> str:
    """A sentence about each of these methods, for `--help`."""
    return " ".join(f"{name}: {WAYS[name].says}." for name in names)
