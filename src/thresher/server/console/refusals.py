"""Refusals: the candidates that harvest did not admit."""

from fastapi import APIRouter

from thresher.errors import without_secrets
from thresher.server.console.parameters import After, Limit, Name
from thresher.server.desk import TheDesk
from thresher.server.problems import without_paths
from thresher.server.wire import Refusals, RefusalWire

router = APIRouter()


@router.get("/categories/{name}/refusals")
def refusals(name: Name, desk: TheDesk, after: After = 0, limit: Limit = 100) -> Refusals:
    """The candidates that harvest refused: counts by reason, and a page of the list."""
    desk.store.categories.get(name)
    found = desk.store.categories.refusals(name, after, limit)
    return Refusals(
        counts=desk.store.categories.refusal_counts(name),
        refusals=[
            RefusalWire(
                name=without_secrets(without_paths(refusal.name, desk.store.place)),
                reason=refusal.reason,
                detail=without_secrets(without_paths(refusal.detail, desk.store.place)),
                at_ms=refusal.at_ms,
            )
            for _, refusal in found
        ],
        after=found[-1][0] if len(found) == limit else None,
    )
