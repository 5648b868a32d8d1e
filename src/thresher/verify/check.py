"""The owner's check of the released set: docs/certificate-format.md, "The owner's check"."""

from hashlib import sha256
from itertools import islice

from thresher.verify.case import Case
from thresher.verify.draws import shuffled
from thresher.verify.labels import NO, YES
from thresher.verify.released import places_found, withheld
from thresher.verify.statistics import Parts, most

FIRST_SHARE, LATER_SHARE = 0.8, 0.2
REJECTED_DRAWS = 30
REJECTED_SHARE = 0.02


def check_withheld(case: Case) -> None:
    """Where adjudication errs, the figures say how many yes are withheld."""
    if case.frozen.gold is not None:
        case.figures["withheld"] = withheld(case)


def check_owners(case: Case) -> None:
    """The owner's answers prove the precision of the released set at a delta of their own, where that was frozen."""
    frozen, log, checks = case.frozen, case.log, case.checks
    if frozen.check_delta <= 0.0:
        checks.that(not log.checks and not log.checked, "the owner checked a set although no delta was kept for it")
        return
    if not checks.that(bool(log.checks), "the owner has not checked the released set"):
        return
    attempt = len(log.checks) - 1
    places = places_found(case)
    digest = sha256("".join(f"{place}\n" for place in places).encode()).hexdigest()
    same = log.checks[attempt] == (len(places), digest)
    checks.that(same, "the released set is not the one that the owner checked last")
    delta = (FIRST_SHARE if attempt == 0 else LATER_SHARE * 2.0**-attempt) * frozen.check_delta
    drawn = _drawn(case, f"check|{attempt}", places, case.stop.check_drawn)
    bad = sum(log.checked.get(place) != YES for place in drawn)
    bound = (1.0 - frozen.precision) * len(places)
    case.accepted_at("check", (len(places), len(drawn), bad), bound, _prior(1.0 - frozen.precision), delta)
    inside = set(places)
    others = [rank for rank in range(frozen.ranks) if rank not in inside]
    looked = _drawn(case, f"check rejected|{attempt}", others, min(REJECTED_DRAWS, len(others)))
    missed = sum(log.checked.get(place) != NO for place in looked)
    case.figures |= {
        "check_attempt": attempt,
        "check_size": len(places),
        "check_drawn": len(drawn),
        "check_bad": bad,
        "check_delta": delta,
        "check_rejected": len(others),
        "check_rejected_drawn": len(looked),
        "check_rejected_bad": missed,
        "check_missed_at_most": most((len(others), len(looked), missed), _prior(REJECTED_SHARE), delta),
    }


def _drawn(case: Case, stage: str, places: list[int], count: int) -> list[int]:
    """The first draws of a stage, all of which the owner has answered."""
    drawn = [places[item] for item in islice(shuffled(case.frozen.seed, stage, len(places)), count)]
    lack = sum(place not in case.log.checked for place in drawn)
    case.checks.that(not lack and len(drawn) == count, f"{lack} draws of the owner's check have no answer")
    return drawn


def _prior(allowed: float) -> Parts:
    mean = min(max(0.12 * allowed, 1e-9), 0.3)
    return ((0.95, 1.0, (1.0 - mean) / mean), (0.05, 0.5, 0.5))
