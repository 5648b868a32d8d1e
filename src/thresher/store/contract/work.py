"""Assignments: leases on tasks, drafts, answers, reviews."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from thresher.records import Assignment, Dealt, Given, Review, Task
from thresher.store.contract.common import Rows


def no_gold(_asked: int) -> int:
    """No gold is hidden, among however many asked images."""
    return 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Who counts as one person with a worker (`alike`), and how many assignments they may all hold at once.

    0 is any number of assignments. `gold_with` is how much gold, at most, an assignment hides among so many asked
    images; it never falls as they grow. A task of fewer than `least` images is passed over if it was published after
    `small_until_ms`: it is left to others for a while, whose assignments hide less gold.
    """

    alike: tuple[str, ...] = ()
    open_most: int = 0
    gold_with: Callable[[int], int] = no_gold
    least: int = 0
    small_until_ms: int = 0


UNBOUNDED: Final = Bounds()


class Work(Protocol):
    """Assignments: leases on tasks, drafts apart from final answers, reviews."""

    def take(
        self,
        category: str,
        version: int,
        worker: str,
        *,
        owner: bool,
        now_ms: int,
        lease_ms: int,
        bounds: Bounds = UNBOUNDED,
    ) -> Assignment | None:
        """Lease a task with a free place that shows the worker no image they or those alike were asked about before.

        A worker with an unfinished assignment gets that one; its lease is not renewed by that. The owner gets
        owner-only tasks first and then any other; nobody else gets an owner-only one. Two servers never give away the
        same place, nor more assignments to people alike than the bounds allow. None when no task fits. The new
        assignment's `dealt` is empty: `set_dealt` follows.

        It reserves the most answers that the assignment can bring: its images, and the gold that the bounds allow. If
        the category's answers are limited (`Targets.answers`, as they are at that moment), a task whose assignment
        could bring more than are left is passed over: whatever is sent, taken or aimed at the same time, by however
        many servers, the answers sent and reserved never exceed the limit. What was reserved is released by
        `set_dealt` (what was not dealt), `give_back` and `expire`; `send` turns it into answers.
        """

    def offer(
        self, category: str, version: int, worker: str, *, owner: bool, bounds: Bounds = UNBOUNDED
    ) -> Task | None:
        """The task that `take` would lease to this worker now, or their unfinished one; nothing is leased."""

    def set_dealt(self, assignment: str, dealt: Sequence[Dealt]) -> Assignment:
        """Fix the images and gold of a leased assignment, once; a second call returns what the first one fixed.

        Raises BadInput for more images than the assignment has reserved answers.
        """

    def get(self, assignment: str) -> Assignment:
        """An assignment by its id. Raises NotFound."""

    def seen_gold(self, category: str, worker: str, *, before: str | None = None) -> Rows:
        """Gold rows this worker has been shown, the longest ago first (the one place where rows are not ascending).

        With `before`, in assignments with ids before that one.
        """

    def asked(self, category: str, *workers: str) -> Rows:
        """Rows that any of these workers was asked about, whatever became of the answers."""

    def draft(
        self, assignment: str, given: Sequence[Given], *, sequence: int, now_ms: int, lease_ms: int
    ) -> Assignment:
        """Merge answers that may still change into the drafts, picture by picture: of two the later one is kept.

        Posts may come from several devices, in any order, twice or late. An answer without a time counts as late as its
        `sequence`: in an older post than the last one it is ignored. An answer that was not there renews the lease, up
        to twelve times its length; a post without one does not. Raises Gone when the lease has ended or the assignment
        was sent.
        """

    def drafts(self, assignment: str) -> tuple[int, list[Given]]:
        """The last sequence number and the drafts, by position."""

    def send(self, assignment: str, answers: Sequence[Given], now_ms: int) -> Assignment:
        """Store the whole assignment in one immutable write and delete its drafts.

        A draft that is later than the answer to its picture takes its place: another device posted it. Sending the same
        answers again, or earlier ones, gives the same result. Raises Gone when the lease has ended, Conflict when other
        answers were sent before, BadInput when positions are missing or occur twice.
        """

    def give_back(self, assignment: str, now_ms: int) -> None:
        """End a lease at the worker's request: drafts are deleted, the place is free again."""

    def expire(self, now_ms: int) -> int:
        """End the expired leases: drafts are deleted and counted, places are free again. Returns how many."""

    def unreviewed(self, category: str) -> list[Assignment]:
        """Sent assignments without a decision of the gate, oldest first."""

    def review(self, assignment: str, review: Review) -> Assignment:
        """Record the gate's decision, once; if it rejects, the place is free again and the answers do not count.

        Decisions are a list that only grows, and the last one is in force. This call records the first; if there is one
        already, it changes nothing.
        """

    def judge_again(self, assignment: str, review: Review, *, after: int, votes: bool) -> Assignment:
        """Append a decision if there are `after` of them; otherwise nothing changes: somebody else was quicker.

        With `votes` its weight becomes that of the answers; a rejection takes them out, and frees the place unless all
        places of the task are done. Without, only stage and record change. Raises Conflict before the first decision,
        and for taking back a rejection.
        """

    def reviews(self, assignment: str) -> list[Review]:
        """Every decision about an assignment, oldest first. Raises NotFound."""

    def page(self, category: str, after: str, limit: int) -> list[Assignment]:
        """The next assignments by id, which sorts by time."""

    def of_worker(self, worker: str, task: int | None = None) -> list[Assignment]:
        """Every assignment of a worker, of one task or of all, newest first."""
