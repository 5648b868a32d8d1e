"""Who gets work: annotators who may go on, who wait for the owner, who are excluded, or whose invite was closed.

What a person has sent stays, whatever happens to them: it was judged when it came, and it is paid by that.
"""

import enum
from collections.abc import Sequence

from thresher.records import Assignment, Stage, Worker
from thresher.settings import Settings
from thresher.store.contract import Bounds, Store


class Standing(enum.StrEnum):
    """Whether an annotator gets work, and if not, why."""

    FREE = "free"
    WAITING = "waiting"
    EXCLUDED = "excluded"
    CLOSED = "closed"


# what the person reads on their page, by standing
WORDS: dict[Standing, str] = {
    Standing.FREE: "",
    Standing.WAITING: "Your last tasks, or those of somebody at the same device, were not accepted or are in question, "
    "so the person who invited you looks at them before you get more. If they let you go on, new tasks appear here. "
    "This takes nothing away from what was accepted.",
    Standing.EXCLUDED: "You get no more tasks here. The reason that was given: {why} What you have sent stays and is "
    "paid by the results below.",
    Standing.CLOSED: "The invite that brought you here was closed, so there are no more tasks. What you have sent "
    "stays and is paid by the results below. Thank you.",
}


def standing_of(worker: Worker, *, store: Store) -> Standing:
    """Whether a worker gets work now. What the owner decided last holds; the owner always does."""
    if worker.owner:
        return Standing.FREE
    if worker.excluded_ms:
        return Standing.EXCLUDED
    closed_ms = store.people.get_invite(worker.invite).revoked_ms if worker.invite else 0
    return _standing(worker, closed_ms)


def _standing(worker: Worker, closed_ms: int) -> Standing:
    if worker.excluded_ms:
        return Standing.EXCLUDED
    if closed_ms > worker.cleared_ms:
        return Standing.CLOSED
    return Standing.WAITING if worker.waits_ms else Standing.FREE


def standings(*, store: Store) -> dict[str, Standing]:
    """The standing of everybody, by id."""
    closed = {invite.id: invite.revoked_ms for invite in store.people.invites()}
    return {
        worker.id: Standing.FREE if worker.owner else _standing(worker, closed.get(worker.invite, 0))
        for worker in store.people.all()
    }


def annotators(*, store: Store) -> set[str]:
    """The people who may be asked: everybody who gets work, except the owner."""
    free = standings(store=store)
    return {worker.id for worker in store.people.all() if not worker.owner and free[worker.id] is Standing.FREE}


def words_for(worker: Worker, standing: Standing) -> str:
    """What a person reads who gets no work; empty for one who does."""
    why = worker.excluded_why.strip()
    return WORDS[standing].format(why=why if why.endswith((".", "!", "?")) else f"{why}.")


def wait_if_rejected(
    worker: Worker, *, store: Store, settings: Settings, now_ms: int, known: Sequence[Assignment] | None = None
) -> Worker:
    """Let a worker wait for the owner whose work was rejected too often since the owner last let them go on.

    `known` are all assignments of the worker, if the caller has them. Returns the worker as they are then. It may be
    called at any time, late and twice.
    """
    if worker.owner or worker.waits_ms:
        return worker
    done = store.work.of_worker(worker.id) if known is None else known
    rejected = [one.review for one in done if one.stage is Stage.REJECTED and one.review]
    if sum(review.at_ms > worker.cleared_ms for review in rejected) < settings.rejections_most:
        return worker
    store.people.wait(worker, now_ms)
    return store.people.get(worker.id)


def judged(
    worker: Worker, *, store: Store, settings: Settings, now_ms: int, known: Sequence[Assignment] | None = None
) -> Standing:
    """The standing of a worker by all that they have sent, whether or not the gate has noted it yet."""
    judged_by_now = wait_if_rejected(worker, store=store, settings=settings, now_ms=now_ms, known=known)
    judged_by_now = _wait_if_alike_waits(judged_by_now, store=store, now_ms=now_ms, known=known)
    return standing_of(judged_by_now, store=store)


def _wait_if_alike_waits(
    worker: Worker, *, store: Store, now_ms: int, known: Sequence[Assignment] | None = None
) -> Worker:
    """Let a worker wait who shares a device with somebody who waits or is excluded, unless work of theirs was accepted.

    Otherwise whoever is excluded opens the invite again. Who has shown what they can do does not suffer for another.
    """
    if worker.owner or worker.waits_ms or worker.excluded_ms:
        return worker
    others = (store.people.get(other) for other in store.people.alike(worker.id))
    if not any(max(other.waits_ms, other.excluded_ms) > worker.cleared_ms for other in others):
        return worker
    done = store.work.of_worker(worker.id) if known is None else known
    if any(one.stage is Stage.ACCEPTED for one in done):
        return worker
    store.people.wait(worker, now_ms)
    return store.people.get(worker.id)


def bounds_of(worker: Worker, *, store: Store, settings: Settings) -> Bounds:
    """Who shares a device with a worker and counts as the same person, and how many assignments they may hold."""
    if worker.owner:
        return Bounds()
    return Bounds(store.people.alike(worker.id), settings.assignments_open)


# --- what the owner decides -------------------------------------------------------------------------------------------


def exclude(worker: str, why: str, *, store: Store, now_ms: int) -> int:
    """Exclude a worker for a reason, and end what they hold; returns how many assignments that were."""
    store.people.exclude(worker, why, now_ms)
    return _end(worker, store=store, now_ms=now_ms)


def admit(worker: str, *, store: Store, now_ms: int) -> None:
    """Let a worker go on who was excluded, waited, or came by a closed invite."""
    store.people.admit(worker, now_ms)


def close(invite: str, *, store: Store, now_ms: int) -> int:
    """Close an invite: nobody joins by it, and those who did get no more work; returns how many those are.

    What they hold ends. An annotator whom the owner lets in afterwards goes on.
    """
    store.people.revoke(invite, now_ms)
    closed_ms = store.people.get_invite(invite).revoked_ms
    reached = [one for one in store.people.all() if one.invite == invite and one.cleared_ms < closed_ms]
    for worker in reached:
        _end(worker.id, store=store, now_ms=now_ms)
    return len(reached)


def _end(worker: str, *, store: Store, now_ms: int) -> int:
    held = [one.id for one in store.work.of_worker(worker) if one.stage is Stage.LEASED]
    for assignment in held:
        store.work.give_back(assignment, now_ms)
    return len(held)
