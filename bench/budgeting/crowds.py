"""Three crowds of the model in workforce/crowd.py: as it is, with twice the errors, and with three in ten hasty."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from thresher.workforce.crowd import KINDS, Kind, ModelCrowd, ModelPerson, Person, shares

HASTY = 0.3


@dataclass(frozen=True)
class Makeup:
    """What a crowd is made of: the kinds of its people, and how often they err beside the model."""

    kinds: Sequence[Kind] = KINDS
    errors: float = 1.0


def _with_hasty(kinds: Sequence[Kind]) -> list[Kind]:
    """The same kinds with so many hasty ones, taken from the careful."""
    more = HASTY - next(kind.share for kind in kinds if kind.name == "hasty")
    moved = {"hasty": more, "careful": -more}
    return [replace(kind, share=kind.share + moved.get(kind.name, 0.0)) for kind in kinds]


CROWDS = {"pinned": Makeup(), "errors x2": Makeup(errors=2.0), "hasty": Makeup(_with_hasty(KINDS))}


def people_of(made: Makeup, crowd: ModelCrowd, count: int) -> list[Person]:
    """`count` people, in an order of chance."""
    kinds = shares(count, made.kinds)
    order = np.random.default_rng([crowd.seed, 0]).permutation(count).tolist()
    return [
        ModelPerson(kinds[place], crowd, np.random.default_rng([crowd.seed, 1, number]))
        for number, place in enumerate(order)
    ]
