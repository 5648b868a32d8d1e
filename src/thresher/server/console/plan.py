"""The expected cost of a certificate, before anybody is paid."""

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from thresher.loop.aims import Aims, aimed, to_plan_for
from thresher.loop.ways import PROVEN
from thresher.server.console.parameters import Name
from thresher.server.desk import TheDesk
from thresher.server.wire import PlanWire, RangeWire

router = APIRouter()

Share = Annotated[float | None, Query(gt=0, lt=1)]


@dataclass(frozen=True, slots=True)
class Asked:
    """The targets and the prevalence to plan for; those not given are the category's."""

    precision: Share = None
    recall: Share = None
    delta: Share = None
    prevalence: Share = None
    answers: Annotated[int | None, Query(ge=0, le=2**31)] = None
    method: Annotated[str | None, Query(max_length=20)] = None


@router.get("/categories/{name}/plan")
def plan(name: Name, desk: TheDesk, asked: Annotated[Asked, Depends()]) -> PlanWire:
    """The expected cost of a certificate; targets that are not given are the category's."""
    # here, for its mathematics is slow to import, and a server that starts needs none of it
    from thresher.loop.choice import planned
    from thresher.loop.forecast import in_words

    category = desk.store.categories.get(name)
    targets = aimed(
        to_plan_for(category.targets),
        Aims(asked.precision, asked.recall, asked.delta, asked.answers, asked.method),
        methods=PROVEN,
    )
    targets, made = planned(category, targets, store=desk.store, settings=desk.settings, prevalence=asked.prevalence)
    ranges = {part: RangeWire(**asdict(getattr(made, part))) for part in ("pictures", "answers", "hours", "dollars")}
    return PlanWire(
        method=made.method,
        floor=made.floor,
        prevalence=made.prevalence,
        certified=made.certified,
        delivered=made.delivered,
        advice=made.advice,
        chosen=targets.chosen,
        words=in_words(made),
        **ranges,
    )
