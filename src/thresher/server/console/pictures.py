"""A page of a pool's images, of one decision or of all; found by scanning from a row, never the whole pool."""

import math
from typing import Annotated, NamedTuple

import numpy as np
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from thresher.records import Alias, Category, Decision, Image, Label
from thresher.server.console.parameters import Name
from thresher.server.desk import Desk, TheDesk
from thresher.server.pictures import THUMBNAIL_PIXELS, webp_response
from thresher.server.wire import Picture, Pictures

router = APIRouter()
# thumbnails are asked for by <img>, which sends no token: their address is the permission
thumbnails = APIRouter()

SCANNED_ROWS = 20_000  # at a time: some milliseconds, whatever the pool's size
SCANS = 10  # a rare decision answers a short page, and where to go on, rather than keep its reader waiting
DAY_MS = 86_400_000
DECISIONS = {1: Decision.YES, 0: Decision.NO, -1: Decision.UNKNOWN}


class Found(NamedTuple):
    """What is decided of an image."""

    row: int
    decision: Decision
    inherited: bool
    score: float | None


@router.get("/categories/{name}/pictures")
def pictures(
    name: Name,
    desk: TheDesk,
    decision: Decision | None = None,
    after: Annotated[int | None, Query(ge=0, le=2**53 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> Pictures:
    """A page of the pool by row, of one decision or of all. `after` is the one that the page before returned."""
    return _page(desk, name, decision=decision, after=-1 if after is None else after, limit=limit)


@thumbnails.get(
    "/thumbnails/{key}",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}, "description": "The picture, small."}},
)
async def thumbnail(desk: TheDesk, key: Annotated[str, Path(max_length=512)]) -> Response:
    """One picture of a pool, small; the address is the permission, and ends after a day or two."""
    row = desk.links.read_thumbnail(key, desk.clock())
    return webp_response(await desk.shown.webp(row, long_side=THUMBNAIL_PIXELS))


def _page(desk: Desk, name: str, *, decision: Decision | None, after: int, limit: int) -> Pictures:
    """The next images of a pool after a row. Raises NotFound for an unknown category."""
    category = desk.store.categories.get(name)
    at_once = limit if decision is None else SCANNED_ROWS
    found: list[Found] = []
    ended = False
    for _ in range(SCANS):
        rows = desk.store.categories.pool_page(name, after, at_once)
        found += [item for item in _decided(desk, name, rows) if decision in (None, item.decision)]
        ended = len(rows) < at_once
        if ended or len(found) >= limit:
            break
        after = rows[-1]
    if len(found) >= limit:
        found, after, ended = found[:limit], found[limit - 1].row, False
    return Pictures(pictures=_pictures(desk, category, found), after=None if ended else after)


def _decided(desk: Desk, name: str, rows: list[int]) -> list[Found]:
    if not rows:
        return []
    decided = desk.decisions.of(name, np.array(rows, dtype=np.int64))
    scores = (float(score) if math.isfinite(score) else None for score in decided.scores)
    facts = zip(rows, decided.codes, decided.inherited.tolist(), scores, strict=True)
    return [Found(row, DECISIONS[int(code)], inherited, score) for row, code, inherited, score in facts]


def _pictures(desk: Desk, category: Category, found: list[Found]) -> list[Picture]:
    rows = [one.row for one in found]
    aliases = desk.store.images.aliases(rows)
    images = desk.store.images.many(rows)
    labels = desk.store.labels.of(category.name, category.question.version, rows)
    return [
        _picture(desk, image, aliases.get(image.row, ()), labels.get(image.row), one)
        for image, one in zip(images, found, strict=True)
    ]


def _picture(desk: Desk, image: Image, aliases: tuple[Alias, ...], label: Label | None, found: Found) -> Picture:
    # the same address all day, so that a browser keeps the picture
    until_ms = (desk.clock() // DAY_MS + 2) * DAY_MS
    names = {alias.kind: alias.value for alias in reversed(aliases)}
    return Picture(
        row=image.row,
        sha256=image.sha256,
        file=names.get("file") or names.get("url") or names.get("id") or "",
        width=image.width,
        height=image.height,
        thumbnail=f"/api/console/thumbnails/{desk.links.thumbnail(image.row, until_ms)}",
        decision=found.decision,
        inherited=found.inherited,
        score=found.score,
        label=label.says if label else None,
        source=label.source.value if label else None,
    )
