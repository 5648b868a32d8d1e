"""Tasks: the list of them, new ones from a list of pictures, and the link to the owner's."""

from fastapi import APIRouter, Request

from thresher.errors import BadInput
from thresher.label import asks
from thresher.label.mining import let_owner_answer
from thresher.label.table import not_one
from thresher.records import OWNER, Says, Task
from thresher.server.console.parameters import After, Limit, Name
from thresher.server.desk import TheDesk
from thresher.server.wire import Known, OwnerLink, TaskWire, Upload, Uploaded

router = APIRouter()

NAMES_TOLD = 100


@router.post("/categories/{name}/owner-link")
def owner_link(name: Name, desk: TheDesk, request: Request) -> OwnerLink:
    """The owner's personal link; where gold is scarce, a task that finds some is made first."""
    desk.store.categories.get(name)
    let_owner_answer(name, store=desk.store, settings=desk.settings, now_ms=desk.clock())
    return OwnerLink(link=desk.personal_link(request, desk.links.worker(OWNER)))


@router.get("/categories/{name}/tasks")
def tasks(name: Name, desk: TheDesk, after: After = 0, limit: Limit = 200) -> list[TaskWire]:
    """The tasks with a number above `after`; those that were withdrawn have no places."""

    def page() -> list[TaskWire]:
        return [_task(task) for task in desk.store.asks.tasks(name, after, limit)]

    return desk.kept.of(name, ("tasks", after, limit), page)


@router.post("/categories/{name}/tasks", status_code=201)
def upload_task(name: Name, body: Upload, desk: TheDesk) -> Uploaded:
    """Make a named task from a list of pictures; a long list becomes several tasks.

    A name that several pictures of the category have is refused: nothing says which one is meant. Gold stays gold: a
    name whose answer is known is reported, and shown as gold in these tasks.
    """
    found = dict(zip(body.images, desk.store.categories.find(name, body.images), strict=True))
    for place, image in enumerate(body.images, 1):
        if len(found[image]) > 1:
            what, following = not_one(name, image, found[image], store=desk.store)
            raise BadInput(what, where=f"picture {place} of the list", next=following)
    unknown = [image for image, named in found.items() if not named]
    rows = list(dict.fromkeys(row for named in found.values() for row in named))
    known = asks.known_of(name, rows, store=desk.store)
    told = [
        Known(image=image, says="yes" if known[named[0]].says is Says.YES else "no")
        for image, named in found.items()
        if named and named[0] in known
    ]
    made = (
        asks.upload(name, body.name, rows, store=desk.store, settings=desk.settings, now_ms=desk.clock())
        if rows
        else []
    )
    return Uploaded(
        tasks=[task.number for task in made],
        images=len({row for task in made for row in task.rows}),
        unknown=len(unknown),
        unknown_names=unknown[:NAMES_TOLD],
        known=len(told),
        known_names=told[:NAMES_TOLD],
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
