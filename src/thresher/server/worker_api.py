"""The worker API: join, list tasks, take an assignment, keep drafts, send, give back.

Nothing here tells gold from asked or one purpose from another: an assignment is a list of pictures under opaque keys.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from thresher.errors import BadInput, Denied, Gone, NotFound
from thresher.label import deal as dealing
from thresher.label import gate, standing
from thresher.label.standing import Standing
from thresher.loop.versions import worded
from thresher.records import Assignment, Given, Stage, Task, Worker
from thresher.server.auth import TheAssignment, TheWorker
from thresher.server.desk import Desk, TheDesk
from thresher.server.examples import examples_for
from thresher.server.joining import Guest, address_of, let_in
from thresher.server.pictures import LARGE_PIXELS, webp_response
from thresher.server.wire import (
    Deal,
    Drafts,
    Entry,
    Example,
    Join,
    Joined,
    Kept,
    Me,
    Offer,
    Past,
    Send,
    Sent,
    Work,
)

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/work", tags=["work"])

Verdict = Literal["waiting", "accepted", "weighted", "rejected"]
PAST_SHOWN = 50

# the message for a finished assignment, by stage; other stages are not finished
VERDICTS: dict[Stage, Verdict] = {
    Stage.SENT: "waiting",
    Stage.ACCEPTED: "accepted",
    Stage.WEIGHTED: "weighted",
    Stage.REJECTED: "rejected",
}
# whoever waits for the owner gets nothing new, and finishes what they have begun
WORKS_ON = frozenset({Standing.FREE, Standing.WAITING})
_RAN_OUT = "the time for this task has ended, and its answers were erased. It does not count against you."
_ALL_THERE = (
    "There are no more tasks: all answers that are wanted are there, or other people are giving them. What you have "
    "sent stays and counts by the results below. Thank you."
)
_ENDED = {Stage.EXPIRED: _RAN_OUT, Stage.RETURNED: "you gave this task back, and its answers were erased."}


@router.post("/join")
def join(body: Join, desk: TheDesk, request: Request) -> Joined:
    """Turn an invite into a personal link."""
    device, mark = desk.links.device(body.device)
    guest = Guest(body.name.strip(), device, desk.links.blinded(address_of(request, desk.settings)))
    token = desk.links.worker(let_in(body.invite, guest, desk).id)
    return Joined(token=token, link=desk.personal_link(request, token), device=mark)


@router.get("/me")
def me(desk: TheDesk, worker: TheWorker) -> Me:
    """The tasks a worker can take, and the verdicts on those they have sent."""
    dealing.expire(desk.store, desk.clock())
    assignments = desk.store.work.of_worker(worker.id)
    past = [done for done in assignments if done.stage in VERDICTS]
    now = standing.judged(worker, store=desk.store, settings=desk.settings, now_ms=desk.clock(), known=assignments)
    offers = _offers(desk, worker, assignments) if now in WORKS_ON else []
    offers = [offer for offer in offers if offer.unfinished or now is Standing.FREE]
    return Me(
        name=worker.name,
        notice=standing.words_for(worker, now) or ("" if offers else _no_more(desk, worker)),
        owner=worker.owner,
        offers=offers,
        past=[_past(done) for done in past[:PAST_SHOWN]],
    )


@router.post(
    "/assignments",
    response_model=Work,
    responses={204: {"description": "There is nothing to do in this category now."}},
)
def deal(body: Deal, desk: TheDesk, worker: TheWorker) -> Work | Response:
    """Take an assignment, or go on with the one that is unfinished."""
    if body.category not in _categories(desk, worker):
        raise NotFound(f"your link has no tasks of {body.category!r}.", next="choose one of the tasks on your page")
    device, mark = desk.links.device(body.device)
    if not worker.owner:
        desk.store.people.seen(worker.id, device, desk.clock())
    now = standing.judged(worker, store=desk.store, settings=desk.settings, now_ms=desk.clock())
    if now is not Standing.FREE and not (now in WORKS_ON and _holds(desk, worker, body.category)):
        return Response(status_code=204)
    assignment = dealing.deal(body.category, worker, store=desk.store, settings=desk.settings, now_ms=desk.clock())
    if assignment is None:
        return Response(status_code=204)
    return _work(desk, assignment).model_copy(update={"device": mark})


@router.get("/assignment")
def reopen(desk: TheDesk, assignment: TheAssignment) -> Work:
    """The assignment again with the drafts that were kept, as after a reload."""
    return _work(desk, _open(desk, assignment))


@router.put("/drafts")
def keep_drafts(body: Drafts, desk: TheDesk, assignment: TheAssignment) -> Kept:
    """Keep answers that may still change; those that are new renew the lease.

    Whoever works at two devices hears of the answers of the other one.
    """
    given = _given(desk, body.entries, _open(desk, assignment))
    kept = desk.store.work.draft(
        assignment.id, given, sequence=body.sequence, now_ms=desk.clock(), lease_ms=desk.lease_ms
    )
    sequence, drafts = desk.store.work.drafts(assignment.id)
    others = [_entry(one) for one in drafts] if sequence != body.sequence else []
    return Kept(sequence=sequence, entries=len(drafts), others=others, lease_until_ms=kept.lease_until_ms)


@router.post("/send")
def send(body: Send, desk: TheDesk, assignment: TheAssignment) -> Sent:
    """Send the whole assignment, once; the same answers again get the same receipt."""
    if assignment.stage not in VERDICTS:  # what was sent gets its receipt again
        _open(desk, assignment)
    given = _given(desk, body.entries, assignment)
    sent = desk.store.work.send(assignment.id, given, desk.clock())
    receipt = desk.links.receipt(sent)
    _judge(desk, sent.category)
    judged = desk.store.work.get(sent.id)
    worker = desk.store.people.get(sent.worker)
    why = judged.review.why if judged.review else ""
    return Sent(
        receipt=receipt,
        others=_by_others(given, sent),
        verdict=VERDICTS[judged.stage],
        why=why,
        more=_more(desk, worker, sent.category),
    )


@router.post("/return", status_code=204)
def give_back(desk: TheDesk, assignment: TheAssignment) -> None:
    """Give the assignment back: its drafts are erased, and somebody else may take the task."""
    desk.store.work.give_back(assignment.id, desk.clock())


@router.get(
    "/pictures/{key}",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}, "description": "The picture."}},
)
async def picture(desk: TheDesk, key: Annotated[str, Path(max_length=512)], *, large: bool = False) -> Response:
    """One picture of an assignment, `large` to look closer; the address is the permission, and ends with the lease."""
    until = desk.shown.deadline()
    row = await run_in_threadpool(_row_of, desk, key)
    side = LARGE_PIXELS if large else desk.settings.shown_pixels
    shown, wait_seconds = await desk.shown.webp_and_wait(row, long_side=side, until=until)
    await asyncio.sleep(wait_seconds)
    return webp_response(shown)


def _row_of(desk: Desk, key: str) -> int:
    """The row that a picture's key stands for, while its assignment may be worked on. Raises Denied, Gone."""
    id_, position = desk.links.read_picture(key)
    try:
        assignment = _open(desk, desk.store.work.get(id_))
    except NotFound as error:
        raise Denied("this picture is not known here.", next="open your personal link") from error
    # examples stand outside the numbered places, below zero: -1 is row 0
    return assignment.dealt[position].row if position >= 0 else -1 - position


def _holds(desk: Desk, worker: Worker, category: str) -> bool:
    """Whether a worker has begun a task of the present question of a category."""
    version = desk.store.categories.get(category).question.version
    held = (one for one in desk.store.work.of_worker(worker.id) if one.stage is Stage.LEASED)
    return any((one.category, one.version) == (category, version) for one in held)


def _may_go_on(desk: Desk, assignment: Assignment) -> None:
    """Raise Gone for an unfinished assignment whose worker was excluded, or their invite closed."""
    if assignment.stage in VERDICTS:
        return
    worker = desk.store.people.get(assignment.worker)
    now = standing.standing_of(worker, store=desk.store)
    if now not in WORKS_ON:
        raise Gone(standing.words_for(worker, now), next="open your personal link to see what you have sent")


def _open(desk: Desk, assignment: Assignment) -> Assignment:
    """An assignment that may still be worked on. Raises Gone."""
    _may_go_on(desk, assignment)
    if assignment.stage in VERDICTS:
        raise Gone("this task is already sent.", next="open your personal link to see your tasks")
    if assignment.stage is not Stage.LEASED or assignment.lease_until_ms <= desk.clock():
        raise Gone(_ENDED.get(assignment.stage, _RAN_OUT), next="open your personal link to take another task")
    return assignment


def _categories(desk: Desk, worker: Worker) -> list[str]:
    """The categories a worker may work in: those of the invite that brought them, all of them for the owner."""
    limited = "" if worker.owner else desk.store.people.get_invite(worker.invite).category
    return [limited] if limited else [category.name for category in desk.store.categories.all()]


def _offers(desk: Desk, worker: Worker, assignments: list[Assignment]) -> list[Offer]:
    """The work that a worker could get now, by category."""
    held = {done.task: done for done in assignments if done.stage is Stage.LEASED and done.dealt}
    found = []
    for name in _categories(desk, worker):
        if task := _next_task(desk, worker, name):
            begun = held.get(task.number)
            images = len(begun.dealt) if begun else _images(desk, worker, task)
            question = desk.store.categories.get(name).question.text
            found.append(Offer(category=name, question=question, images=images, unfinished=begun is not None))
    return found


def _no_more(desk: Desk, worker: Worker) -> str:
    """That all answers that are wanted are there or on their way, to a worker without an offer; else empty."""
    every = [desk.store.categories.get(name) for name in _categories(desk, worker)]
    out = (dealing.out_of_answers(one, store=desk.store, settings=desk.settings) for one in every)
    return _ALL_THERE if every and all(out) else ""


def _more(desk: Desk, worker: Worker, category: str) -> bool:
    """Whether a worker who has just sent a task can get another one."""
    free = standing.standing_of(worker, store=desk.store) is Standing.FREE
    return free and _next_task(desk, worker, category) is not None


def _next_task(desk: Desk, worker: Worker, name: str) -> Task | None:
    return dealing.offer(name, worker, store=desk.store, settings=desk.settings, now_ms=desk.clock())


def _images(desk: Desk, worker: Worker, task: Task) -> int:
    """How many images an assignment of a task will show, as far as gold is known before it is drawn."""
    category = desk.store.categories.get(task.category)
    gold_with = dealing.gold_with(category, worker, store=desk.store, settings=desk.settings)
    return len(task.rows) + gold_with(len(task.rows))


def _past(done: Assignment) -> Past:
    why = done.review.why if done.review else ""
    return Past(
        category=done.category,
        sent_at_ms=done.sent_ms,
        images=len(done.dealt),
        verdict=VERDICTS[done.stage],
        why=why,
    )


def _work(desk: Desk, assignment: Assignment) -> Work:
    """An assignment as its worker sees it."""
    questions = desk.store.categories.questions(assignment.category)
    question = worded(questions, assignment.version, assignment.category)
    sequence, drafts = desk.store.work.drafts(assignment.id)
    return Work(
        token=desk.links.assignment(assignment.id),
        category=assignment.category,
        question=question.text,
        instructions=question.instructions,
        examples=[
            Example(picture=_picture(desk, assignment, -1 - label.row), says=label.says)
            for label in examples_for(assignment, store=desk.store)
        ],
        pictures=[_picture(desk, assignment, position) for position in range(len(assignment.dealt))],
        entries=[_entry(given) for given in drafts],
        sequence=sequence,
        lease_until_ms=assignment.lease_until_ms,
        now_ms=desk.clock(),
    )


def _picture(desk: Desk, assignment: Assignment, position: int) -> str:
    return f"/api/work/pictures/{desk.links.picture(assignment.id, position)}"


def _entry(given: Given) -> Entry:
    return Entry.model_validate({name: getattr(given, name) for name in Entry.model_fields})


def _by_others(given: Sequence[Given], sent: Assignment) -> int:
    """How many of the answers that were sent say something else than the sender did."""
    said = {one.position: one.says for one in given}
    return sum(said.get(one.position, one.says) is not one.says for one in sent.answers)


def _given(desk: Desk, entries: list[Entry], assignment: Assignment) -> list[Given]:
    """The answers the page sent, none of them given later than now.

    Raises BadInput for a position that does not exist or occurs twice.
    """
    positions = [entry.position for entry in entries]
    if len(set(positions)) < len(positions):
        raise BadInput("a position has two answers.", where="entries", next="send each position once")
    if max(positions, default=0) >= len(assignment.dealt):
        raise BadInput(
            f"there is no position {max(positions)}: this assignment has {len(assignment.dealt)} pictures.",
            where="entries",
            next="number the positions from 0",
        )
    now_ms = desk.clock()  # a device whose clock is ahead would overrule the others otherwise
    return [Given(**{**entry.model_dump(), "at_ms": min(entry.at_ms, now_ms)}) for entry in entries]


def _judge(desk: Desk, category: str) -> None:
    """Run the gate on the sent assignment, so that the worker gets the verdict at once, and notify `on_sent`."""
    try:
        gate.review_all(category, store=desk.store, settings=desk.settings, now_ms=desk.clock())
        desk.on_sent(category)
    except Exception:
        # the answers are stored: the worker's receipt must not depend on what others make of them later
        log.exception("what was sent for %s could not be reviewed at once", category)
