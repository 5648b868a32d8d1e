"""What the method `labels` must prove: docs/certificate-format.md, "Method labels"."""

from thresher.verify.case import Case, missed_by


def check_labels(case: Case) -> None:
    """The claimed ranks hold few enough no, and if recall is promised, the others few enough yes."""
    frozen, labels, stop = case.frozen, case.labels, case.stop
    rung, promised = frozen.ladder[0], frozen.recall > 0.0
    case.checks.that(len(frozen.ladder) == 1 and frozen.gold is None, "not what this method freezes: one rung, no gold")
    case.spends(max(rung.accept_delta, rung.reject_delta))
    right = frozen.reject_from == rung.rank == stop.accepted
    case.checks.that(right, f"{stop.accepted} ranks are accepted, and {rung.rank} were claimed at the freeze")
    cut = rung.rank if promised else frozen.ranks
    case.checks.that(stop.rejected == cut, f"the cut is at {stop.rejected}, not at {cut}")
    base = labels.yes + rung.rank
    drawn = case.drawn("accept", stop.accept_drawn, case.order("accept", 0, rung.rank))
    found = case.not_yes(drawn)
    bound = (1.0 - frozen.precision) * base
    case.accepted_at("precision", (rung.rank, len(drawn), found), bound, frozen.accept_prior, rung.accept_delta)
    size, limit = frozen.ranks - rung.rank, 0.0
    order = case.drawn("reject", stop.reject_drawn, case.order("reject", rung.rank, size))
    missed = sum(missed_by(case, rank) for rank in order)
    if promised:
        limit = (1.0 - frozen.recall) / frozen.recall * frozen.precision * base - labels.unanswerable
        case.accepted_at("recall", (size, len(order), missed), limit, frozen.reject_prior, rung.reject_delta)
    else:
        case.checks.that(not order, "the others are drawn from, and no recall is promised")
    case.figures = {
        "base": base,
        "accept_drawn": len(drawn),
        "accept_bad": found,
        "accept_bound": bound,
        "accept_delta": rung.accept_delta,
        "reject_drawn": len(order),
        "reject_bad": missed,
        "reject_bound": limit,
        "reject_delta": rung.reject_delta,
    }
