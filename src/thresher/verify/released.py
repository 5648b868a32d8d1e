"""The released set, recomputed: docs/certificate-format.md, "The released set"."""

from collections.abc import Collection

from scipy.special import betainc

from thresher.verify.case import Case
from thresher.verify.labels import UNANSWERABLE, YES
from thresher.verify.slips import slips_of
from thresher.verify.statistics import SLACK


def singles(case: Case) -> set[int]:
    """The ranks of the middle that are adjudicated because votes on them disagree or are missing (`adjudicated`)."""
    top, words = case.frozen.top, case.labels.words
    middle = range(case.stop.accepted, case.stop.rejected)
    return {rank for rank in middle if rank < top or words.get(rank, UNANSWERABLE) == UNANSWERABLE}


def accepted_set(case: Case) -> list[int]:
    """The accepted ranks, ascending: those below the rung, and those of the middle that people call yes."""
    middle = range(case.frozen.top, case.stop.rejected)
    return [*range(case.stop.accepted), *(rank for rank in middle if case.labels.words.get(rank) == YES)]


def _ranks(case: Case) -> list[int]:
    """The ranks that people's answers release, ascending."""
    kept = [rank for rank in _inside(case) if case.now(rank) in (None, YES)]
    found = _found_outside(case)
    if case.frozen.gold is None or case.frozen.method == "recall":
        return sorted(kept + found)
    owners = [rank for rank in found if rank in case.labels.owners]
    counted = _counted(case)
    alone = [rank for rank in found if rank in counted and case.code(rank) == YES]
    return sorted({*kept, *owners, *alone, *_near(case, found, owners)})


def _inside(case: Case) -> Collection[int]:
    by_word = case.frozen.method in ("adjudicated", "everything")
    return accepted_set(case) if by_word else range(case.stop.accepted)


def _found_outside(case: Case) -> list[int]:
    """The ranks outside the accepted set with an answer in the log that are yes today."""
    inside = _inside(case)
    within = inside if isinstance(inside, range) else set(inside)
    return [rank for rank in case.labels.evidence if rank not in within and case.now(rank) == YES]


def _counted(case: Case) -> Collection[int]:
    """The ranks outside the accepted set whose yes may be a slip, and counts as one in the bounds."""
    if case.frozen.method == "adjudicated":
        return singles(case)
    return range(case.stop.accepted, case.stop.rejected) if case.frozen.method == "certified" else ()


def _near(case: Case, found: list[int], owners: list[int]) -> list[int]:
    """Of `precision`, the yes between the rung and the end of the ladder, if their slips fit into its bound."""
    if case.frozen.method != "precision":
        return []
    frozen, evidence, own = case.frozen, case.labels.evidence, set(owners)
    near = [rank for rank in found if rank < frozen.top and case.code(rank) == YES and rank not in own]
    accepted = case.stop.accepted
    lost = sum(rank < accepted and code != YES and case.now(rank) != YES for rank, code in evidence.items())
    others = sum(rank < frozen.top and code != YES for rank, code in evidence.items())
    slips = slips_of(frozen)
    wrong = 0
    while wrong < len(near):
        chance = float(betainc(wrong + 1, others + 1, min(slips.no, 1.0)))
        if chance <= 2.0 * slips.part / ((wrong + 1) * (wrong + 2)):
            break
        wrong += 1
    fit = (1.0 - frozen.precision) * (len(near) + len(owners)) + frozen.precision * lost
    return near if wrong <= fit + SLACK else []


def withheld(case: Case) -> int:
    """How many ranks with an answer in the log are yes today and are not released."""
    return len(set(_found_outside(case)) - set(_ranks(case)))


def places_found(case: Case) -> list[int]:
    """What people's answers release, as places: ranks, and beyond them the images known to be yes at the freeze."""
    return _ranks(case) + [
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
    became = [one for one in became if one not in case.labels.held_back]
    return became + [case.pool.ranking[place] if place < ranks else yes[place - ranks] for place in passed]


def delivered(case: Case) -> int:
    """How many units are released."""
    return len(units_released(case))


def images_released(case: Case) -> dict[str, str]:
    """The ids of the released images, each with its unit: units, and copies but for those with a label against it."""
    units, now = set(units_released(case)), case.labels.now
    found = ((one, unit) for one, unit in case.pool.unit_of.items() if unit in units)
    return {one: unit for one, unit in found if one == unit or now.get(one, YES) == YES}
