"""The released set, recomputed: docs/certificate-format.md, "The released set"."""

from collections.abc import Collection

from thresher.verify.case import Case
from thresher.verify.labels import UNANSWERABLE, YES


def singles(case: Case) -> set[int]:
    """The ranks of the middle that are adjudicated because votes on them disagree or are missing (`adjudicated`)."""
    top, words = case.frozen.top, case.labels.words
    middle = range(case.stop.accepted, case.stop.rejected)
    return {rank for rank in middle if rank < top or words.get(rank, UNANSWERABLE) == UNANSWERABLE}


def accepted_set(case: Case) -> list[int]:
    """The accepted ranks, ascending: those below the rung, and those of the middle that people call yes."""
    middle = range(case.frozen.top, case.stop.rejected)
    return [*range(case.stop.accepted), *(rank for rank in middle if case.labels.words.get(rank) == YES)]


def _found(case: Case) -> list[int]:
    """The ranks that people's answers release, ascending."""
    by_word = case.frozen.method == "adjudicated"
    inside: Collection[int] = accepted_set(case) if by_word else range(case.stop.accepted)
    kept = [rank for rank in inside if case.now(rank) in (None, YES)]
    within = set(inside) if by_word else inside
    may_join = _may_join(case)
    added = [rank for rank in case.labels.evidence if rank not in within and case.now(rank) == YES]
    return sorted(kept + [rank for rank in added if may_join is None or rank in may_join])


def _may_join(case: Case) -> Collection[int] | None:
    """The ranks outside the accepted set whose yes is released: where adjudication errs, those that a bound counts."""
    if case.frozen.gold is None or case.frozen.method == "recall":
        return None
    if case.frozen.method == "precision":
        return ()
    return singles(case) if case.frozen.method == "adjudicated" else range(case.stop.rejected)


def places_found(case: Case) -> list[int]:
    """What people's answers release, as places: ranks, and beyond them the images known to be yes at the freeze."""
    return _found(case) + [
        case.frozen.ranks + number for number, one in enumerate(_known_yes(case)) if _kept(case, one)
    ]


def _known_yes(case: Case) -> list[str]:
    return sorted(one for one, code in case.pool.known.items() if code == YES)


def _kept(case: Case, one: str) -> bool:
    return case.labels.now.get(one) == YES


def units_released(case: Case) -> list[str]:
    """The released units: what people's answers release, but for what the owner's check refutes."""
    passed = [place for place in places_found(case) if case.log.checked.get(place, YES) == YES]
    yes, ranks = _known_yes(case), case.frozen.ranks
    became = [one for one, code in case.pool.known.items() if code != YES and _kept(case, one)]
    return became + [case.pool.ranking[place] if place < ranks else yes[place - ranks] for place in passed]


def delivered(case: Case) -> int:
    """How many units are released."""
    return len(units_released(case))


def images_released(case: Case) -> dict[str, str]:
    """The ids of the released images, each with its unit: the units and their copies."""
    units = set(units_released(case))
    return {one: unit for one, unit in case.pool.unit_of.items() if unit in units}
