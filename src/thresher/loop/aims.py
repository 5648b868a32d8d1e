"""What a category aims at: targets as a person gives them, checked before they are kept or planned for."""

from collections.abc import Sequence
from dataclasses import replace

from thresher.errors import BadInput
from thresher.loop.table import METHODS, WITHOUT_CERTIFICATE
from thresher.records import TRUSTED, Targets

PROVEN = tuple(name for name in METHODS if name not in WITHOUT_CERTIFICATE)


def aimed(
    before: Targets,
    *,
    precision: float | None = None,
    recall: float | None = None,
    delta: float | None = None,
    answers: int | None = None,
    method: str | None = None,
    truth: str | None = None,
    methods: Sequence[str] = tuple(METHODS),
) -> Targets:
    """The targets with what is given changed, the method to one of `methods`; `answers` 0 takes the cap away.

    Raises BadInput.
    """
    for name, value in (("precision", precision), ("recall", recall), ("delta", delta)):
        if value is not None and not 0 < value < 1:
            share = "0.05" if name == "delta" else "0.95"
            raise BadInput(f"--{name} {value:g} is not between 0 and 1.", next=f"give --{name} as a share, as {share}")
    if answers is not None and answers < 0:
        raise BadInput(f"--answers {answers} is below 0.", next="give a number of answers, or 0 for no cap")
    if method is not None and method not in methods:
        what = f"{method} proves nothing." if method in METHODS else f"no method is called {method!r}."
        raise BadInput(what, next=f"choose from {', '.join(methods)}")
    if truth is not None and truth not in TRUSTED:
        raise BadInput(f"nobody's word is called {truth!r}.", next=f"choose from {', '.join(TRUSTED)}")
    wanted = replace(
        before,
        precision=before.precision if precision is None else precision,
        recall=before.recall if recall is None else recall,
        delta=before.delta if delta is None else delta,
        method=before.method if method is None else method,
        answers=before.answers if answers is None else answers or None,
        truth=before.truth if truth is None else truth,
    )
    if wanted.truth == "owner" and wanted.method == "adjudicated":
        # its proof takes people's words as they are and the truth of some: a word of the owner's would be both
        raise BadInput(
            "adjudicated builds on the word of people, and the truth is the owner's.",
            next="take --method certified, or --truth people",
        )
    return wanted


def to_plan_for(targets: Targets) -> Targets:
    """The targets of a plan: a method that proves nothing has none, so the joint promise stands in for it."""
    return replace(targets, method="certified") if targets.method in WITHOUT_CERTIFICATE else targets
