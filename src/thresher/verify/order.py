"""The evidence table repeats the strata and the draws, which are recomputed."""

from thresher.verify.case import Case


def check_evidence(case: Case) -> None:
    """Each rank of the evidence table has the stratum and the draw numbers that were recomputed."""
    stop, labels = case.stop, case.labels
    for urn, ranks in case.draws.items():
        numbers = {rank: number for number, rank in enumerate(ranks)}
        case.checks.that(numbers == labels.draws[urn], f"the evidence gives the draws of the {urn} urn other numbers")
    for rank, found in labels.strata.items():
        right = "accepted" if rank < stop.accepted else "middle" if rank < stop.rejected else "rejected"
        case.checks.that(found == right, f"rank {rank} is told to be {found!r}, and is {right}")
