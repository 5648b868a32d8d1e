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


def ranks_released(case: Case) -> list[int]:
    """The released ranks, ascending."""
    by_word = case.frozen.method == "adjudicated"
    inside: Collection[int] = accepted_set(case) if by_word else range(case.stop.accepted)
    kept = [rank for rank in inside if case.now(rank) in (None, YES)]
    within = set(inside) if by_word else inside
    alone = singles(case) if by_word else set()
    doubted = case.frozen.gold is not None and case.frozen.method != "recall"
    found = [
        rank
        for rank in case.labels.evidence
        if rank not in within and case.now(rank) == YES and (not doubted or rank in alone)
    ]
    return sorted(kept + found)


def known_released(case: Case) -> list[str]:
    """The known units that are yes today."""
    return [one for one in case.pool.known if case.labels.now.get(one) == YES]


def delivered(case: Case) -> int:
    """How many units are released: the known yes of today, and the released ranks."""
    return len(ranks_released(case)) + len(known_released(case))


def images_released(case: Case) -> dict[str, str]:
    """The ids of the released images, each with its unit: the units and their copies."""
    units = {*known_released(case), *(case.pool.ranking[rank] for rank in ranks_released(case))}
    return {one: unit for one, unit in case.pool.unit_of.items() if unit in units}
