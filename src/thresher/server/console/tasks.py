"""Tasks: the list of them, new ones from a list of pictures, and the link to the owner's."""

from fastapi import APIRouter, Request

from thresher.label import asks
from thresher.label.mining import mine
from thresher.records import OWNER, Task, Worker
from thresher.server.console.parameters import After, Limit, Name
from thresher.server.desk import TheDesk
from thresher.server.wire import OwnerLink, TaskWire, Upload, Uploaded

router = APIRouter()

UNKNOWN_NAMES_TOLD = 100


@router.post("/categories/{name}/owner-link")
def owner_link(name: Name, desk: TheDesk, request: Request) -> OwnerLink:
    """The owner's personal link; where gold is scarce, a task that finds some is made first."""
    desk.store.categories.get(name)
    desk.store.people.add(Worker(id=OWNER, name="", owner=True, invite="", created_ms=desk.clock()))
    mine(name, store=desk.store, settings=desk.settings, now_ms=desk.clock())
    return OwnerLink(link=desk.personal_link(request, desk.links.worker(OWNER)))


@router.get("/categories/{name}/tasks")
def tasks(name: Name, desk: TheDesk, after: After = 0, limit: Limit = 200) -> list[TaskWire]:
    """The tasks with a number above `after`."""
    desk.store.categories.get(name)
    return [_task(task) for task in desk.store.asks.tasks(name, after, limit)]


@router.post("/categories/{name}/tasks", status_code=201)
def upload_task(name: Name, body: Upload, desk: TheDesk) -> Uploaded:
    """Make a named task from a list of pictures; a long list becomes several tasks."""
    desk.store.categories.get(name)
    found = dict(zip(body.images, desk.store.images.find(body.images), strict=True))
    rows = list(dict.fromkeys(row for row in found.values() if row is not None))
    held = desk.store.categories.pool_holds(name, rows)
    in_pool = {row for row, holds in zip(rows, held, strict=True) if holds}
    unknown = [image for image, row in found.items() if row not in in_pool]
    made = (
        asks.upload(
            name,
            body.name,
            [row for row in rows if row in in_pool],
            store=desk.store,
            settings=desk.settings,
            now_ms=desk.clock(),
        )
        if in_pool
        else []
    )
    return Uploaded(
        tasks=[task.number for task in made],
        images=sum(len(task.rows) for task in made),
        unknown=len(unknown),
        unknown_names=unknown[:UNKNOWN_NAMES_TOLD],
    )


def _task(task: Task) -> TaskWire:
    return TaskWire(
        number=task.number,
        name=task.name,
        images=len(task.rows),
        places=task.places,
        taken=task.taken,
        done=task.done,
        owner_only=task.owner_only,
        published_ms=task.published_ms,
    )
