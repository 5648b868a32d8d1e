"""The ways to decide, one record each: the names that `Targets.method` may have, and all that tells them apart.

Facts only, so that the command line and a server that starts read them without any mathematics. `turn.py` has the
functions that ask for each way; `evidence/` has what those that prove something freeze, and their procedures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from thresher.errors import BadInput

Asking = Literal["cascade", "uncertainty", "audits"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to decide.

    `says` describes it to a person, and `asks` names the function that says what to ask next (`turn.ASKING`). It proves
    `precision`, `recall`, both or neither. `budgeted`: its answers are divided at the freeze, so that an audit that has
    begun ends what they were divided for; of these, `recall_share` is set aside to bound what was missed. `scouted`:
    people are asked where the plan is least sure before the freeze. `middle`: people label all images between the
    accepted and the rejected. `words`: unadjudicated votes of people build that middle.
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

    @property
    def proves(self) -> bool:
        """Whether it ends with a certificate."""
        return self.precision or self.recall


WAYS: Final[dict[str, Way]] = {
    way.name: way
    for way in (
        Way("cascade", "LSUN's thresholds on held-out labels; nothing is proven", "cascade"),
        Way("uncertainty", "uncertainty sampling alone; nothing is proven", "uncertainty"),
        Way(
            "certified",
            "precision and recall, proven on adjudicated labels",
            "audits",
            precision=True,
            recall=True,
            scouted=True,
            middle=True,
        ),
        Way(
            "adjudicated",
            "the same for fewer answers where people are good: their votes build the middle",
            "audits",
            precision=True,
            recall=True,
            scouted=True,
            middle=True,
            words=True,
        ),
        Way(
            "precision",
            "precision, proven, of the largest set that a budget of answers buys",
            "audits",
            precision=True,
            budgeted=True,
            recall_share=0.1,
        ),
        Way(
            "recall",
            "recall, proven, of the smallest set that a budget of answers buys",
            "audits",
            recall=True,
            budgeted=True,
        ),
    )
}
PROVEN: Final = tuple(name for name, way in WAYS.items() if way.proves)


def way_of(name: str, known: Sequence[str] = tuple(WAYS)) -> Way:
    """The way of this name. Raises BadInput for one that is not among the `known`, naming these."""
    if name not in known:
        why = f"{name} proves nothing." if name in WAYS else f"unknown method {name!r}."
        raise BadInput(why, next=f"choose from {', '.join(known)}")
    return WAYS[name]


def described(names: Sequence[str] = tuple(WAYS)) -> str:
    """These ways in a sentence each, for `--help`."""
    return " ".join(f"{name}: {WAYS[name].says}." for name in names)
