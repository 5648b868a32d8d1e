"""What the method `certified` must prove: docs/certificate-format.md, "Method certified" and the section after it."""

from dataclasses import dataclass, replace
from itertools import accumulate

from thresher.verify.case import Case, missed_by
from thresher.verify.frozen import Rung
from thresher.verify.labels import UNANSWERABLE, YES
from thresher.verify.slips import Slips, missed_beyond_labels, slips_of, wrong_among
from thresher.verify.statistics import floor

REFUTED = ((4, 0.9), (32, 0.08), (256, 0.02))
"""How many accepted images may be refuted, and the share of the reject audit's delta that goes with it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of both audits, the share of the reject audit's delta, and how many accepted may be refuted."""

    false: float
    missed: float
    share: float = 1.0
    refuted: int | None = None


def check_certified(case: Case) -> None:
    """Both audits hold for the rung and the cut, and the middle is labelled."""
    frozen, labels, stop = case.frozen, case.labels, case.stop
    case.spends(_spends(case) if frozen.gold is None else _spends_with_gold(case))
    if (rung := case.rung(stop.accepted)) is None:
        return
    covered = stop.rejected >= frozen.reject_from
    case.checks.that(
        covered, f"the cut {stop.rejected} lies before the reject urn, which begins at {frozen.reject_from}"
    )
    middle = range(stop.accepted, stop.rejected)
    lack = labels.lack(middle)
    case.checks.that(not lack, f"{lack} of {len(middle)} ranks of the middle have no label")
    yes = labels.count(middle.start, middle.stop, YES)
    base = labels.yes + stop.accepted + yes
    drawn = case.drawn("accept", stop.accept_drawn, case.order("accept", 0, frozen.top))
    bad = case.not_yes(drawn, lambda rank: rank < stop.accepted)
    size = frozen.ranks - frozen.reject_from
    order = case.drawn("reject", stop.reject_drawn, case.order("reject", frozen.reject_from, size))
    lost = labels.unanswerable + labels.count(stop.accepted, frozen.reject_from, UNANSWERABLE)
    slips = slips_of(frozen)
    missed = (1.0 - frozen.recall) / frozen.recall * frozen.precision * base - lost
    bounds = Bounds((1.0 - frozen.precision) * base, missed)
    if frozen.gold is not None:
        bounds = _bounds_with_gold(case, slips, base, bad, lost)
    if stop.accepted > floor(bounds.false):
        accepted = (frozen.top, len(drawn), bad)
        case.accepted_at("precision", accepted, bounds.false, frozen.accept_prior, rung.accept_delta)
    found = sum(missed_by(case, rank) for rank in order)
    if _worst(case) > floor(bounds.missed):
        delta = bounds.share * rung.reject_delta
        case.accepted_at("recall", (size, len(order), found), bounds.missed, frozen.reject_prior, delta)
    case.figures = {
        "base": base,
        "middle": len(middle),
        "middle_yes": yes,
        "accept_drawn": len(drawn),
        "accept_bad": bad,
        "accept_bound": bounds.false,
        "accept_delta": rung.accept_delta,
        "reject_drawn": len(order),
        "reject_bad": found,
        "reject_bound": bounds.missed,
        "reject_delta": rung.reject_delta,
    }
    if bounds.refuted is not None:
        case.figures |= {"yes_missed_rate": slips.yes, "no_missed_rate": slips.no}
        case.figures |= {"refuted_at_most": bounds.refuted, "reject_share": bounds.share}


def _worst(case: Case) -> int:
    """How many yes may be missed by the cut at most, by count."""
    frozen, labels, cut = case.frozen, case.labels, case.stop.rejected
    seen = sum(rank >= cut for rank in labels.evidence)
    unseen = frozen.ranks - cut - seen
    return unseen + labels.count(cut, frozen.ranks, YES) + labels.count(frozen.reject_from, frozen.ranks, UNANSWERABLE)


def _bounds_with_gold(case: Case, slips: Slips, base: int, bad: int, lost: int) -> Bounds:
    """The bounds where adjudication errs, in labels that count as they are and in those of the audits."""
    frozen, stop = case.frozen, case.stop
    rungs = len(frozen.ladder)
    precise = replace(slips, part=slips.part / rungs)
    wrong = wrong_among(precise, slips.no, frozen.adjudicated + stop.rejected - stop.accepted)
    false = precise.detectable((1.0 - frozen.precision) * base - wrong, slips.no)
    allowed = [(most, share) for most, share in REFUTED if bad <= most]
    if not case.checks.that(bool(allowed), f"{bad} accepted images are refuted: nothing is proven"):
        return Bounds(false, -1.0, 0.0, 0)
    most, share = allowed[0]
    refuted = sum(rank < stop.accepted and code != YES for rank, code in case.labels.evidence.items())
    case.checks.that(refuted <= most, f"{refuted} accepted images are refuted, and the audits allow for {most}")
    odds = (1.0 - frozen.recall) / frozen.recall
    left = odds * frozen.precision * base - lost - most / frozen.recall
    outside = base - min(stop.accepted, frozen.reject_from)
    return Bounds(false, missed_beyond_labels(slips, left, outside, frozen.recall), share, most)


def _live(case: Case) -> tuple[list[Rung], list[Rung]]:
    """The rungs in use, and those below them."""
    first = case.frozen.reject_from
    live = [rung for rung in case.frozen.ladder if rung.rank >= first]
    return live, [rung for rung in case.frozen.ladder if rung.rank < first]


def _spends(case: Case) -> float:
    """What the ladder uses of delta, whichever of its rungs is the first good one."""
    live, others = _live(case)
    above = list(accumulate((rung.accept_delta for rung in live), initial=0.0))
    worst = above[-1]
    for place in range(len(live)):
        worst = max(worst, above[place] + max(rung.reject_delta for rung in live[place:]))
    return worst + sum(rung.accept_delta + rung.reject_delta for rung in others)


def _spends_with_gold(case: Case) -> float:
    """What the ladder uses of delta where both audits may fail together."""
    live, others = _live(case)
    return (
        sum(rung.accept_delta for rung in case.frozen.ladder)
        + max((rung.reject_delta for rung in live), default=0.0)
        + sum(rung.reject_delta for rung in others)
    )
