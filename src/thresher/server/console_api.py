"""What the console asks for: categories, their pictures, rounds, refusals and tasks; workers, invites, jobs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from thresher.errors import BadInput
from thresher.label import asks
from thresher.label.mining import mine
from thresher.loop.aims import PROVEN, aimed, to_plan_for
from thresher.loop.table import METHODS
from thresher.records import OWNER, Category, Decision, Invite, Job, Question, Targets, Task, Worker, new_id
from thresher.server import gallery
from thresher.server.auth import console_only
from thresher.server.console_state import category_wire, round_wire, worker_wire
from thresher.server.desk import Desk, TheDesk
from thresher.server.pictures import THUMBNAIL_PIXELS, webp_response
from thresher.server.wire import (
    CategoryWire,
    InviteWire,
    JobWire,
    NewCategory,
    NewInvite,
    OwnerLink,
    Pictures,
    PlanWire,
    RangeWire,
    Refusals,
    RefusalWire,
    RoundWire,
    TaskWire,
    Upload,
    Uploaded,
    WorkerWire,
)

router = APIRouter(prefix="/api/console", tags=["console"], dependencies=[Depends(console_only)])
# thumbnails are asked for by <img>, which sends no token: their address is the permission
thumbnails = APIRouter(prefix="/api/console", tags=["console"])

UNKNOWN_NAMES_TOLD = 100
WORKERS_READ = 10_000
Name = Annotated[str, Path(max_length=64)]
Share = Annotated[float | None, Query(gt=0, lt=1)]
After = Annotated[int, Query(ge=0, le=2**53 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/categories")
def categories(desk: TheDesk) -> list[CategoryWire]:
    """Every category with its state."""
    return [category_wire(desk, category) for category in desk.store.categories.all()]


@router.post("/categories", status_code=201)
def add_category(body: NewCategory, desk: TheDesk) -> CategoryWire:
    """Add a category."""
    if body.targets.method not in METHODS:
        raise BadInput(
            f"no method is called {body.targets.method!r}.",
            where="targets.method",
            next=f"take one of: {', '.join(METHODS)}",
        )
    desk.store.categories.create(
        Category(
            name=body.name,
            question=Question(version=1, text=body.question, instructions=body.instructions, at_ms=desk.clock()),
            targets=aimed(Targets(**body.targets.model_dump())),
            created_ms=desk.clock(),
        )
    )
    return category_wire(desk, desk.store.categories.get(body.name))


@router.get("/categories/{name}")
def category(name: Name, desk: TheDesk) -> CategoryWire:
    """One category with its state."""
    return category_wire(desk, desk.store.categories.get(name))


@router.get("/categories/{name}/plan")
def plan(
    name: Name,
    desk: TheDesk,
    precision: Share = None,
    recall: Share = None,
    delta: Share = None,
    prevalence: Share = None,
    answers: Annotated[int | None, Query(ge=0, le=2**31)] = None,
    method: Annotated[str | None, Query(max_length=20)] = None,
) -> PlanWire:
    """What a certificate will cost; what is not given is as the category aims."""
    # here, for its mathematics is slow to import, and a server that starts needs none of it
    from thresher.loop.forecast import in_words
    from thresher.loop.forecast import plan as plan_for

    category = desk.store.categories.get(name)
    targets = aimed(
        to_plan_for(category.targets),
        precision=precision,
        recall=recall,
        delta=delta,
        answers=answers,
        method=method,
        methods=PROVEN,
    )
    made = plan_for(category, targets, store=desk.store, settings=desk.settings, prevalence=prevalence)
    ranges = {part: RangeWire(**asdict(getattr(made, part))) for part in ("pictures", "answers", "hours", "dollars")}
    return PlanWire(
        method=made.method,
        floor=made.floor,
        prevalence=made.prevalence,
        certified=made.certified,
        delivered=made.delivered,
        advice=made.advice,
        words=in_words(made),
        **ranges,
    )


@router.get("/categories/{name}/pictures")
def pictures(
    name: Name,
    desk: TheDesk,
    decision: Decision | None = None,
    after: Annotated[int | None, Query(ge=0, le=2**53 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> Pictures:
    """A page of the pool by row, of one decision or of all. `after` is what the page before answered."""
    return gallery.page(desk, name, decision=decision, after=-1 if after is None else after, limit=limit)


@router.get("/categories/{name}/rounds")
def rounds(name: Name, desk: TheDesk) -> list[RoundWire]:
    """Every round, oldest first."""
    desk.store.categories.get(name)
    return [round_wire(done) for done in desk.store.rounds.all(name)]


@router.get("/categories/{name}/refusals")
def refusals(name: Name, desk: TheDesk, after: After = 0, limit: Limit = 100) -> Refusals:
    """What harvest did not admit: the counts by reason, and a page of the list."""
    desk.store.categories.get(name)
    found = desk.store.categories.refusals(name, after, limit)
    return Refusals(
        counts=desk.store.categories.refusal_counts(name),
        refusals=[
            RefusalWire(name=refusal.name, reason=refusal.reason, detail=refusal.detail, at_ms=refusal.at_ms)
            for _, refusal in found
        ],
        after=found[-1][0] if len(found) == limit else None,
    )


@router.get("/categories/{name}/workers")
def category_workers(name: Name, desk: TheDesk) -> list[WorkerWire]:
    """The workers of one category, and how they do in it."""
    desk.store.categories.get(name)
    found = []
    for worker in desk.store.people.all():
        here = [done for done in desk.store.work.of_worker(worker.id) if done.category == name]
        if here:
            found.append(worker_wire(worker, here))
    return found


@router.get("/workers")
def workers(desk: TheDesk) -> list[WorkerWire]:
    """Every worker, over all categories."""
    return [worker_wire(worker, desk.store.work.of_worker(worker.id)) for worker in desk.store.people.all()]


@router.get("/invites")
def invites(desk: TheDesk, request: Request) -> list[InviteWire]:
    """Every invite, newest first."""
    return [_invite(desk, invite, request) for invite in desk.store.people.invites()]


@router.post("/invites", status_code=201)
def add_invite(body: NewInvite, desk: TheDesk, request: Request) -> InviteWire:
    """Make an invite, for one category or for all."""
    if body.category:
        desk.store.categories.get(body.category)
    invite = Invite(id=new_id(), category=body.category, note=body.note, created_ms=desk.clock())
    desk.store.people.invite(invite)
    return _invite(desk, invite, request)


@router.delete("/invites/{invite}", status_code=204)
def revoke_invite(invite: Annotated[str, Path(max_length=64)], desk: TheDesk) -> None:
    """End an invite; the personal links it minted stay."""
    desk.store.people.get_invite(invite)
    desk.store.people.revoke(invite, desk.clock())


@router.post("/categories/{name}/owner-link")
def owner_link(name: Name, desk: TheDesk, request: Request) -> OwnerLink:
    """The owner's personal link; while a category has too little gold, a task that mines it is made."""
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
    """Ask about a list of pictures as a named task; a long list becomes several."""
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


@router.get("/jobs")
def jobs(desk: TheDesk, limit: Limit = 100) -> list[JobWire]:
    """The newest jobs first."""
    return [_job(job) for job in desk.store.jobs.all(limit)]


@router.post("/jobs/{job}/cancel")
def cancel_job(job: Annotated[str, Path(max_length=64)], desk: TheDesk) -> JobWire:
    """Ask a job to stop at its next heartbeat."""
    desk.store.jobs.get(job)
    desk.store.jobs.cancel(job)
    return _job(desk.store.jobs.get(job))


@thumbnails.get(
    "/thumbnails/{key}",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}, "description": "The picture, small."}},
)
def thumbnail(desk: TheDesk, key: Annotated[str, Path(max_length=512)]) -> Response:
    """One picture of a pool, small; the address is the permission, and ends after a day or two."""
    row = desk.links.read_thumbnail(key, desk.clock())
    return webp_response(desk.shown.webp(row, long_side=THUMBNAIL_PIXELS))


def _invite(desk: Desk, invite: Invite, request: Request) -> InviteWire:
    return InviteWire(
        id=invite.id,
        category=invite.category,
        note=invite.note,
        link=f"{desk.base_url(request)}/join/{desk.links.invite(invite.id)}",
        created_ms=invite.created_ms,
        revoked=bool(invite.revoked_ms),
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


def _job(job: Job) -> JobWire:
    return JobWire(**{name: getattr(job, name) for name in JobWire.model_fields})
