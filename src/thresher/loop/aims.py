"""What a category aims at: targets as a person gives them, checked before they are kept or planned for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thresher.errors import BadInput
from thresher.loop.ways import WAYS, way_of
from thresher.records import TRUSTED, Targets


@dataclass(frozen=True, slots=True)
class Aims:
    """Targets as a person gives them: None leaves one as it is, and 0 `answers` take the cap away."""

    precision: float | None = None
    recall: float | None = None
    delta: float | None = None
    answers: int | None = None
    method: str | None = None
    truth: str | None = None


def aimed(before: Targets, aims: Aims, *, methods: Sequence[str] = tuple(WAYS)) -> Targets:
    """The targets with what is given changed, the method to one of `methods`. Raises BadInput."""
    for name, value in (("precision", aims.precision), ("recall", aims.recall), ("delta", aims.delta)):
        if value is not None and not 0 < value < 1:
            share = "0.05" if name == "delta" else "0.95"
            raise BadInput(f"--{name} {value:g} is not between 0 and 1.", next=f"give --{name} as a share, as {share}")
    if aims.answers is not None and aims.answers < 0:
        raise BadInput(f"--answers {aims.answers} is below 0.", next="give a number of answers, or 0 for no cap")
    if aims.truth is not None and aims.truth not in TRUSTED:
        raise BadInput(f"unknown --truth {aims.truth!r}.", next=f"choose from {', '.join(TRUSTED)}")
    way = way_of(before.method if aims.method is None else aims.method, methods)
    wanted = replace(
        before,
        precision=before.precision if aims.precision is None else aims.precision,
        recall=before.recall if aims.recall is None else aims.recall,
        delta=before.delta if aims.delta is None else aims.delta,
        method=way.name,
        answers=before.answers if aims.answers is None else aims.answers or None,
        truth=before.truth if aims.truth is None else aims.truth,
    )
    if wanted.truth == "owner" and way.words:
        # its proof takes people's words as they are and the truth of some: a word of the owner's would be both
        raise BadInput(
            f"{way.name} builds on the votes of people, and the ground truth is the owner's word.",
            next="take --method certified, or --truth people",
        )
    return wanted


def to_plan_for(targets: Targets) -> Targets:
    """The targets of a plan: a method that proves nothing has none, so the joint promise stands in for it."""
    return targets if way_of(targets.method).proves else replace(targets, method="certified")
