"""What the method `everything` must prove: docs/certificate-format.md, "Method everything"."""

from thresher.verify.case import Case
from thresher.verify.labels import UNANSWERABLE, YES
from thresher.verify.released import singles
from thresher.verify.statistics import SLACK


def check_everything(case: Case) -> None:
    """Every rank has a clear word or an adjudicated label, and few enough cannot be answered."""
    frozen, labels, stop, checks = case.frozen, case.labels, case.stop, case.checks
    whole = frozen.top == stop.accepted == 0 and stop.rejected == frozen.ranks
    checks.that(whole and frozen.gold is None, "not every rank is labelled in this method's way")
    alone = singles(case)
    lack = labels.lack(alone)
    checks.that(not lack, f"{lack} ranks on which votes disagree, or are missing, have no label")
    for urn in ("accept", "reject"):
        case.drawn(urn, 0, iter(()))
    words = sum(code == YES for rank, code in labels.words.items() if rank not in alone)
    yes = labels.yes + words + sum(case.code(rank) == YES for rank in alone)
    unanswerable = labels.unanswerable + sum(case.code(rank) == UNANSWERABLE for rank in alone)
    allowed = (1.0 - frozen.recall) / frozen.recall * yes
    checks.that(
        unanswerable <= allowed + SLACK, f"{unanswerable} images have no answer, and {allowed:.2f} may have none"
    )
    left = sum(labels.now.get(one, UNANSWERABLE) == UNANSWERABLE for one in case.pool.known)
    left += sum(case.now(rank) in (None, UNANSWERABLE) for rank in alone)
    left += sum(case.now(rank) == UNANSWERABLE for rank in labels.words if rank not in alone)
    case.figures = {
        "adjudicated": len(alone),
        "unanswerable": left,
        "accept_drawn": 0,
        "accept_delta": 0.0,
        "reject_drawn": 0,
    }
