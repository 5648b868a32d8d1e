"""The console API, a file a story as in web/console/features; every route needs the console's token."""

from fastapi import APIRouter, Depends

from thresher.server.auth import console_only
from thresher.server.console import (
    categories,
    invites,
    jobs,
    pictures,
    plan,
    refusals,
    rounds,
    tasks,
    workers,
)

_guarded = APIRouter(dependencies=[Depends(console_only)])
# in the order in which the OpenAPI page lists them
for story in (categories, plan, pictures, rounds, refusals, workers, invites, tasks, jobs):
    _guarded.include_router(story.router)

router = APIRouter(prefix="/api/console", tags=["console"])
router.include_router(_guarded)
router.include_router(pictures.thumbnails)
