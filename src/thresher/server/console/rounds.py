"""Rounds, as history: their training labels, and the decisions on the pool that each came to then."""

from math import isfinite

from fastapi import APIRouter

from thresher.records import Round
from thresher.server.console.parameters import Name
from thresher.server.desk import TheDesk
from thresher.server.wire import RoundWire

router = APIRouter()


@router.get("/categories/{name}/rounds")
def rounds(name: Name, desk: TheDesk) -> list[RoundWire]:
    """Every round, oldest first."""
    return desk.kept.of(name, "rounds", lambda: [_round(done) for done in desk.store.rounds.all(name)])


def _round(done: Round) -> RoundWire:
    """A round as a wire type."""
    return RoundWire(
        number=done.number,
        at_ms=done.at_ms,
        seconds=done.seconds,
        backbone=done.backbone,
        labels_yes=done.labels_yes,
        labels_no=done.labels_no,
        yes=done.counts.yes,
        no=done.counts.no,
        unknown=done.counts.unknown,
        lower=_finite(done.thresholds.lower),
        upper=_finite(done.thresholds.upper),
        measures={name: value for name, value in done.measures.items() if isfinite(value)},
    )


def _finite(number: float) -> float | None:
    """None for infinity, which JSON cannot express: a threshold that no score reaches."""
    return number if isfinite(number) else None
