"""The targets of a category as a user gives them, checked before they are stored or planned for.

They are not changed unasked while audits of the old targets have answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thresher.errors import BadInput, NotReady
from thresher.loop.ways import CANDIDATES, CHEAPEST, START, TO_BE_CHOSEN, WAYS, WITHOUT_LABELS, way_of
from thresher.records import DELTA_BELOW, TRUSTED, Category, Targets
from thresher.settings import Settings
from thresher.store.claims import claim_of
from thresher.store.contract import Store


@dataclass(frozen=True, slots=True)
class Aims:
    """Targets as a user gives them: None leaves one unchanged, and 0 `answers` remove the budget.

    The method "cheapest" is chosen by its price (choice.py). So it is, without one, for a precision or recall that the
    method until now would not prove.
    """

    precision: float | None = None
    recall: float | None = None
    delta: float | None = None
    answers: int | None = None
    method: str | None = None
    truth: str | None = None
    check: bool | None = None


def aimed(before: Targets, aims: Aims, *, methods: Sequence[str] = tuple(WAYS)) -> Targets:
    """The targets with the given changes, checked as a whole; the method must be one of `methods`. Raises BadInput.

    Where it is to be chosen, it stays what it is until then, if that is a candidate, so that no freeze is ended.
    """
    if aims.answers is not None and aims.answers < 0:
        raise BadInput(f"--answers {aims.answers} is below 0.", next="give a number of answers, or 0 for no limit")
    if aims.truth is not None and aims.truth not in TRUSTED:
        raise BadInput(f"unknown --truth {aims.truth!r}.", next=f"choose from {', '.join(TRUSTED)}")
    named = _named(before, aims)
    chosen = "" if named != CHEAPEST else before.chosen or TO_BE_CHOSEN
    way = way_of(_until_chosen(before, aims) if chosen else named, methods)
    wanted = replace(
        before,
        precision=before.precision if aims.precision is None else aims.precision,
        recall=before.recall if aims.recall is None else aims.recall,
        delta=before.delta if aims.delta is None else aims.delta,
        method=way.name,
        answers=before.answers if aims.answers is None else aims.answers or None,
        truth=before.truth if aims.truth is None else aims.truth,
        check=before.check if aims.check is None else aims.check,
        chosen=chosen,
    )
    _must_be_shares(wanted)
    if wanted.truth == "owner" and way.words:
        # its proof compares people's votes with the ground truth: an answer of the owner would be both
        raise BadInput(
            f"--method {way.name} uses the votes of people, and the ground truth is the owner's answers.",
            next="choose --method certified, or --truth people",
        )
    if wanted.check and way.given:
        raise BadInput(
            f"--method {way.name} has no check by the owner.",
            next="choose --no-check; with --truth owner the owner answers all that it draws",
        )
    if wanted.check and way.whole:
        # nothing is drawn, so there is no proof by people's answers that the owner could check a random part of
        raise BadInput(
            f"--method {way.name} has no audits, and the owner checks what audits have proven.",
            next="choose --no-check, or --method certified with --check",
        )
    if wanted.check and way.proves and not way.precision:
        raise BadInput(
            f"--method {way.name} promises no precision, and that is what the owner's check would prove.",
            next="choose --no-check, or --method certified with --check",
        )
    return wanted


def _named(before: Targets, aims: Aims) -> str:
    """The method that the targets with these changes name, or CHEAPEST."""
    if aims.method is not None:
        return aims.method
    promised = aims.precision is not None or aims.recall is not None
    return CHEAPEST if before.chosen or (promised and not way_of(before.method).proves) else before.method


def _until_chosen(before: Targets, aims: Aims) -> str:
    """The method of targets until one is chosen by its price."""
    owner = (before.truth if aims.truth is None else aims.truth) == "owner"
    check = before.check if aims.check is None else aims.check
    fits = before.method in CANDIDATES and not (owner and WAYS[before.method].words)
    return before.method if fits and not (check and WAYS[before.method].whole) else START


def _must_be_shares(wanted: Targets) -> None:
    """Raise BadInput for a share that none can be, whether it is given now or was stored before."""
    for name, value in (("precision", wanted.precision), ("recall", wanted.recall)):
        if name == "recall" and value == 0 and way_of(wanted.method).given:
            continue  # no target
        if not 0 < value < 1:
            raise BadInput(f"--{name} {value:g} is not between 0 and 1.", next=f"give a share, such as --{name} 0.95")
    if not 0 < wanted.delta < DELTA_BELOW:
        raise BadInput(
            f"--delta {wanted.delta:g} is not between 0 and {DELTA_BELOW:g}.", next="give a share, such as --delta 0.05"
        )


def to_plan_for(targets: Targets) -> Targets:
    """The targets to plan for; instead of a method without a certificate, the cheapest with one."""
    return targets if way_of(targets.method).proves else replace(targets, method=START, chosen=TO_BE_CHOSEN)


def aim(name: str, aims: Aims, *, store: Store, confirmed: bool = False) -> Targets:
    """Change targets. Raises BadInput for targets that are none, and to audit labels where there are none.

    Raises NotReady, unless it is confirmed, if a freeze with answers is in force that the new targets would end: its
    labels stay, but no longer as random evidence, so another certificate draws and asks anew.
    """
    category = store.categories.get(name)
    wanted = aimed(category.targets, aims, methods=_methods(category, store=store))
    if not confirmed and way_of(category.targets.method).proves and store.rounds.epochs(name):
        from thresher.loop.snapshot import audited, in_force  # with mathematics that other methods do without

        images = len(store.categories.pool(name))
        snapshot = in_force(category, images, store=store)
        if snapshot is not None and in_force(replace(category, targets=wanted), images, store=store) is None:
            spent = audited(name, snapshot, store=store)
            if spent:
                raise NotReady(
                    f"the audits of the present targets have {spent:,} answers; with others they end, and the next run "
                    "freezes and draws anew (the answers stay as labels; the present targets, set again before that "
                    "run, bring the audits back).",
                    where=name,
                    next="the same with --yes",
                )
    store.categories.aim(name, wanted)
    return wanted


def _methods(category: Category, *, store: Store) -> tuple[str, ...]:
    """The methods that a category can have; the one that audits labels only where they are there, or it has it."""
    has = way_of(category.targets.method).given or claim_of(category.name, store=store) is not None
    return tuple(WAYS) if has else WITHOUT_LABELS


def in_words(name: str, targets: Targets) -> str:
    """The targets of a category as a sentence."""
    cap = "no limit on answers" if targets.answers is None else f"at most {targets.answers:,} answers"
    truth = ", ground truth: the owner's answers" if targets.truth == "owner" else ""
    check = {True: ", with the owner's check", False: ", without the owner's check", None: ""}[targets.check]
    recall = f"recall {targets.recall:g}" if targets.recall else "no recall"
    goals = f"precision {targets.precision:g}, {recall}"
    return f"{name}: target {goals}, method {method_in_words(targets)}, {cap}{truth}{check}."


def method_in_words(targets: Targets) -> str:
    """The method with the reason for its choice, if it was chosen."""
    return f"{targets.method} ({targets.chosen})" if targets.chosen else targets.method


def warned(name: str, *, store: Store, settings: Settings) -> str:
    """That the budget is too small for the promise, with the number it would take; empty if it should do.

    It is a warning and no refusal: the number is a forecast, and a budget may be raised later.
    """
    category = store.categories.get(name)
    if category.targets.answers is None or not way_of(category.targets.method).planned:
        return ""
    from thresher.loop.forecast import short_of  # with mathematics that other targets do without

    return short_of(category, store=store, settings=settings)
