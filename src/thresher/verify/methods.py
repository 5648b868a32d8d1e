"""What each method must prove: docs/certificate-format.md, "Method certified" and those after it."""

from collections.abc import Callable

from thresher.verify.adjudicated import check_adjudicated
from thresher.verify.case import Case, missed_by
from thresher.verify.certified import check_certified
from thresher.verify.claimed import check_labels
from thresher.verify.everything import check_everything
from thresher.verify.labels import NO, UNANSWERABLE, YES
from thresher.verify.released import delivered
from thresher.verify.slips import slips_of
from thresher.verify.statistics import cut4, evidence, floor, most, needed


def check_precision(case: Case) -> None:
    """Every rung of the chain up to the delivered one was accepted at some moment."""
    frozen, labels, stop = case.frozen, case.labels, case.stop
    slips = slips_of(frozen)
    case.spends(sum({rung.accept_delta for rung in frozen.ladder}))
    chain = sorted(rung.rank for rung in frozen.ladder if rung.accept_delta == stop.accept_delta)
    chain = [rank for rank in chain if rank <= stop.accepted]
    if not case.checks.that(chain[-1:] == [stop.accepted], f"rank {stop.accepted} is no rung of its chain"):
        return
    looks = range(frozen.top, frozen.top + frozen.looks)
    lack = labels.lack(looks)
    case.checks.that(not lack, f"{lack} of {len(looks)} ranks that are labelled before the draws have no label")
    case.checks.that(frozen.gold is None or not looks, "ranks are labelled first although adjudication errs")
    sure = labels.yes + labels.count(looks.start, looks.stop, YES)
    case.checks.that(stop.rejected == frozen.ranks, "this method rejects no rank, and the cut is not the end")
    below = (rank for rank in case.order("accept", 0, frozen.top) if rank < stop.accepted)
    drawn = case.drawn("accept", stop.accept_drawn, below)
    bound = 0.0
    for rung in chain:
        bound = slips.false_bound((1.0 - frozen.precision) * (sure + rung), frozen.adjudicated)
        _ever_accepted(case, rung, bound, drawn)
    urn = frozen.ranks - stop.accepted
    order = case.drawn("reject", stop.reject_drawn, case.order("reject", stop.accepted, urn))
    if order:
        case.logged(0, range(stop.accepted))
    delta = frozen.ladder[0].reject_delta
    bad = sum(case.code(rank) != NO for rank in order)
    found = labels.count(stop.accepted, frozen.ranks, YES) if frozen.gold is None else 0
    missed = max(most((urn, len(order), bad), frozen.reject_prior, delta) - found, 0)
    right = frozen.precision * delivered(case)
    case.figures = {
        "accept_drawn": len(drawn),
        "accept_bad": case.not_yes(drawn),
        "accept_bound": bound,
        "accept_delta": stop.accept_delta,
        "reject_drawn": len(order),
        "reject_bad": bad,
        "reject_unanswerable": sum(case.code(rank) == UNANSWERABLE for rank in order),
        "reject_delta": delta,
        "recall_at_least": cut4(right / max(right + missed + labels.unanswerable, 1.0)),
    }


def _ever_accepted(case: Case, rung: int, bound: float, drawn: list[int]) -> None:
    """Check that the draws below a rung, taken in order, accepted its bound at some moment."""
    if rung <= floor(bound):
        return
    wanted, bad, best = needed(case.stop.accept_delta), 0, -1.0
    for count, rank in enumerate((rank for rank in drawn if rank < rung), 1):
        bad += case.code(rank) != YES
        best = max(best, evidence(rung, count, bad, bound, case.frozen.accept_prior))
        if best >= wanted:
            return
    case.checks.that(False, f"precision: the draws below rank {rung} never prove at most {bound:.2f} no ({best:.3f})")


def check_recall(case: Case) -> None:
    """The no below the rung are bounded, and with them the yes beyond the cut."""
    frozen, labels, stop = case.frozen, case.labels, case.stop
    rung, slips = frozen.ladder[0], slips_of(frozen)
    case.checks.that(len(frozen.ladder) == 1, "the ladder of this method has one rung")
    case.spends(rung.accept_delta + rung.reject_delta)
    right = rung.rank <= stop.accepted == stop.rejected and frozen.reject_from == rung.rank
    case.checks.that(right, "the cut does not lie beyond the rung")
    drawn = case.drawn("accept", stop.accept_drawn, case.order("accept", 0, rung.rank))
    bad = case.not_yes(drawn)
    detected = most((rung.rank, len(drawn), bad), frozen.accept_prior, rung.accept_delta)
    false = min(slips.undetected(detected, slips.no), rung.rank)
    sure_yes = max(labels.yes - slips.slipped(frozen.adjudicated, slips.no), 0.0) + rung.rank - false
    allowed = (1.0 - frozen.recall) / frozen.recall * sure_yes - labels.unanswerable
    bound = slips.missed_bound(allowed, frozen.adjudicated)
    size = frozen.ranks - rung.rank
    order = case.drawn("reject", stop.reject_drawn, case.order("reject", rung.rank, size))
    found = sum(missed_by(case, rank) for rank in order)
    case.accepted_at("recall", (size, len(order), found), bound, frozen.reject_prior, rung.reject_delta)
    case.figures = {
        "rung": rung.rank,
        "sure_yes": float(sure_yes),
        "accept_drawn": len(drawn),
        "accept_bad": bad,
        "accept_delta": rung.accept_delta,
        "reject_drawn": len(order),
        "reject_bad": found,
        "reject_bound": bound,
        "reject_delta": rung.reject_delta,
        "precision_at_least": cut4(min(max(sure_yes, 0.0) / max(delivered(case), 1), 1.0)),
    }


CHECKS: dict[str, Callable[[Case], None]] = {
    "certified": check_certified,
    "adjudicated": check_adjudicated,
    "everything": check_everything,
    "precision": check_precision,
    "recall": check_recall,
    "labels": check_labels,
}
