"""What the method `adjudicated` must prove: docs/certificate-format.md, "Method adjudicated"."""

from thresher.verify.case import Case
from thresher.verify.labels import NO, UNANSWERABLE, YES
from thresher.verify.released import accepted_set, singles
from thresher.verify.slips import detectable_among, missed_beyond_labels, slips_of, wrong_among

SHARES = (0.7, 0.2, 0.06, 0.03, 0.01)


def check_adjudicated(case: Case) -> None:
    """The audits of the accepted set and of the rejected ranks hold, and the middle has votes."""
    frozen, labels, stop, checks = case.frozen, case.labels, case.stop, case.checks
    deltas = [rung.accept_delta for rung in frozen.ladder], [rung.reject_delta for rung in frozen.ladder]
    case.spends(sum(deltas[0]) + max(deltas[1]))
    if not checks.that(len(frozen.ladder) <= len(SHARES), "the ladder has more rungs than attempts have deltas"):
        return
    rung = frozen.ladder[stop.attempt]
    right = rung.rank == stop.accepted and frozen.reject_from == frozen.top <= stop.rejected
    checks.that(right, f"rank {stop.accepted} is not the rung of attempt {stop.attempt}")
    slips = slips_of(frozen, SHARES[stop.attempt])
    alone, accepted = singles(case), accepted_set(case)
    lack = labels.lack(alone)
    checks.that(not lack, f"{lack} ranks on which votes disagree, or are missing, have no label")
    yes = sum(labels.words.get(rank) == YES for rank in range(frozen.top, stop.rejected))
    base = labels.yes + stop.accepted + yes + sum(case.code(rank) == YES for rank in alone)
    false = (1.0 - frozen.precision) * base
    if frozen.gold is not None:
        open_ = {rank for rank in alone if rank < frozen.top or rank in labels.words}
        wrong = wrong_among(slips, slips.no, frozen.adjudicated + len(alone))
        wrong += sum(case.code(rank) == YES for rank in alone - open_)
        false = detectable_among(slips, false - wrong, slips.no)
    order = case.order(f"accept|{stop.attempt}", 0, len(accepted))
    drawn = case.drawn("accept", stop.accept_drawn, (accepted[place] for place in order))
    bad = case.not_yes(drawn)
    case.accepted_at("precision", (len(accepted), len(drawn), bad), false, frozen.accept_prior, rung.accept_delta)
    lost = labels.unanswerable + labels.count(stop.accepted, frozen.top, UNANSWERABLE)
    missed = (1.0 - frozen.recall) / frozen.recall * frozen.precision * base - lost
    if frozen.gold is not None:
        missed = missed_beyond_labels(slips, missed, frozen.precision * base, frozen.recall)
    size = frozen.ranks - frozen.top
    rejected = case.drawn("reject", stop.reject_drawn, case.order("reject", frozen.top, size))
    found = sum(_missed(case, rank) for rank in rejected)
    case.accepted_at("recall", (size, len(rejected), found), missed, frozen.reject_prior, rung.reject_delta)
    case.logged(stop.attempt, accepted)
    case.figures = {
        "attempt": stop.attempt,
        "singles": len(alone),
        "accept_size": len(accepted),
        "accept_drawn": len(drawn),
        "accept_bad": bad,
        "accept_bound": false,
        "accept_delta": rung.accept_delta,
        "reject_drawn": len(rejected),
        "reject_bad": found,
        "reject_bound": missed,
        "reject_delta": rung.reject_delta,
        "yes_missed_rate": slips.yes,
        "no_missed_rate": slips.no,
    }


def _missed(case: Case, rank: int) -> bool:
    """Whether a drawn rank counts as a missed yes: beyond the cut, or called no by people, or asked of nobody."""
    code, refused = case.code(rank), case.labels.words.get(rank, NO) == NO
    return code == UNANSWERABLE or (code == YES and (rank >= case.stop.rejected or refused))
