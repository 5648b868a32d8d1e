"""Answers and the votes that follow from them, compared: a vote that was turned, deleted or added is found.

A sent assignment has a seal over its answers, and its votes follow from it. Where the two differ, the one that matches
the seal is right and the other is made anew.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from thresher.records import Stage
from thresher.store.check_seals import Changed, There, lines_of, reseal
from thresher.store.contract import Transfer
from thresher.store.kinds import ASSIGNMENT, GOLD_ANSWER, REVIEW, TASK, VOTE
from thresher.store.seals import SEAL, holds, seal_of, sealed
from thresher.store.shapes import Kind, Line

COUNTING: Final = {Stage.ACCEPTED.value, Stage.WEIGHTED.value}
SAYS: Final = 1
"""The place of the answer in a list of `Given`."""


@dataclass(slots=True)
class Books:
    """What a category holds of votes, reviews and tasks, by assignment."""

    votes: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    gold: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    reviews: dict[str, list[There]] = field(default_factory=lambda: defaultdict(list))
    asks: dict[int, dict[int, Sequence[Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, transfer: Transfer, category: str) -> "Books":
        """Read them."""
        books = cls()
        for kind, by_assignment in ((VOTE, books.votes), (GOLD_ANSWER, books.gold)):
            for line in lines_of(transfer, kind, category):
                by_assignment[line["assignment"]].append(tuple(line.values()))
        for line in lines_of(transfer, REVIEW, category):
            books.reviews[line["assignment"]].append(line)
        for line in lines_of(transfer, TASK, category):
            books.asks[line["number"]] = {ask[0]: ask for ask in line["asks"]}
        return books


def changed_answers(transfer: Transfer, category: str) -> Iterator[Changed]:
    """Assignments whose answers do not match their seal, and votes that do not follow from the answers."""
    books = Books.of(transfer, category)
    known: set[str] = set()
    for line in lines_of(transfer, ASSIGNMENT, category):
        known.add(line["id"])
        if not line["sent_ms"]:
            continue
        if not holds("assignment", line):
            answers = _by_votes(line, books)
            what = f"assignment {line['id']}: its answers do not match their checksum"
            if answers is not None:
                yield Changed(f"{what}; its votes do", partial(_amend, transfer, category, line["id"], answers))
                line["answers"] = answers
            else:
                take = partial(reseal, transfer, ASSIGNMENT, category, [line["id"]], line)
                yield Changed(f"{what}, nor do its votes", take, drastic=True)
                continue
        yield from _changed_votes(transfer, category, line, books)
    astray = sorted({*books.votes, *books.gold} - known)
    if astray:
        votes = [vote for name in astray for vote in books.votes[name]]
        what = f"votes of {category}: {len(votes)} are of {len(astray)} assignments that are missing"
        yield Changed(what, partial(_forget, transfer, category, astray, books), drastic=True)


def _changed_votes(transfer: Transfer, category: str, line: There, books: Books) -> Iterator[Changed]:
    reviews = sorted(books.reviews.get(line["id"], ()), key=lambda one: one["number"])
    counting = [one for one in reviews if one["verdict"] in COUNTING]
    there = _of_version(line, books.votes.get(line["id"], ()), books.gold.get(line["id"], ()))
    counted = line["stage"] in COUNTING
    if counted and not reviews:
        what = f"assignment {line['id']}: it is {line['stage']}, and its review is missing"
        yield Changed(what, partial(_review_anew, transfer, category, line, there[0]), drastic=True)
        return
    # a review may be missing: votes that counted are not dropped for that
    drastic = counted and reviews[-1]["verdict"] not in COUNTING
    if reviews and line["stage"] != reviews[-1]["verdict"]:
        stage = {"stage": reviews[-1]["verdict"]}
        what = f"assignment {line['id']}: its stage is {line['stage']}, and its review says {stage['stage']}"
        yield Changed(what, partial(transfer.amend, ASSIGNMENT, category, [line["id"]], stage), drastic)
    rejected = not counting or reviews[-1]["verdict"] not in COUNTING
    if rejected and not any(there):
        return
    weights = {float(one["weight"]) for one in counting}
    wanted = _following(line, books, counting[-1]["weight"]) if counting else ([], [])
    lost = {ask for _, ask in line["dealt"] if ask is not None} - books.asks.get(line["task"], {}).keys()
    if lost and len(there[0]) > len(wanted[0]):
        what = f"task {line['task']} of {category}: {len(lost)} of the questions that assignment {line['id']} answered"
        forget = partial(_make_anew, transfer, category, there, wanted)
        yield Changed(f"{what} are missing, and its votes are there", forget, drastic=True)
        return
    if _alike(there[0], wanted[0]) and sorted(there[1]) == sorted(wanted[1]) and _weights(there[0]) <= weights:
        return
    what = f"votes of {category}: those of assignment {line['id']} do not follow from its answers"
    then = "" if drastic else "; --mend makes them anew"
    yield Changed(f"{what}{then}", partial(_make_anew, transfer, category, there, wanted), drastic)


def _review_anew(transfer: Transfer, category: str, line: There, votes: Sequence[Line]) -> None:
    """Store a review that says what the stage of the assignment and the weights of its votes say."""
    weights = _weights(votes) or {1.0}
    shown = dict.fromkeys(("yes_right", "yes_shown", "no_right", "no_shown"), 0)
    about = {"assignment": line["id"], "number": 1, "version": line["version"], "worker": line["worker"]}
    verdict = {"verdict": line["stage"], "why": "The review was lost.", "at_ms": line["sent_ms"]}
    review = {**about, **verdict, **shown, "weight": min(weights), "provisional": False}
    transfer.restore(REVIEW, category, [tuple(sealed("review", review).values())])


def _of_version(line: There, *books: Sequence[Line]) -> tuple[list[Line], ...]:
    """The lines of the assignment's own version: others may have been carried over to a new wording."""
    return tuple([one for one in some if one[0] == line["version"]] for some in books)


def _following(line: There, books: Books, weight: float) -> tuple[list[Line], list[Line]]:
    """The votes and the answers on gold that follow from the answers of an assignment."""
    votes: list[Line] = []
    gold: list[Line] = []
    asks = books.asks.get(line["task"], {})
    for (row, ask), given in zip(line["dealt"], line["answers"], strict=False):
        says = given[SAYS]
        if ask is None:
            gold.append((line["version"], row, line["worker"], line["id"], says))
        elif ask in asks:
            _, row_asked, purpose, _, _, epoch, draw, *_ = asks[ask]
            about = (line["version"], row_asked, line["sent_ms"], line["id"], line["worker"], says)
            votes.append((*about, purpose, float(weight), epoch, draw))
    return votes, gold


_WEIGHT: Final = VOTE.names.index("weight")


def _alike(there: Sequence[Line], wanted: Sequence[Line]) -> bool:
    """Whether votes are the same but for their weights, which a later review may change."""
    return sorted(map(_weightless, there)) == sorted(map(_weightless, wanted))


def _weightless(vote: Line) -> Line:
    return (*vote[:_WEIGHT], *vote[_WEIGHT + 1 :])


def _weights(votes: Sequence[Line]) -> set[float]:
    return {float(vote[_WEIGHT]) for vote in votes}


def _by_votes(line: There, books: Books) -> list[list[Any]] | None:
    """The answers as votes and gold answers tell them, if they match the seal of the assignment."""
    votes, gold = _of_version(line, books.votes.get(line["id"], ()), books.gold.get(line["id"], ()))
    said = {vote[1]: vote[VOTE.names.index("says")] for vote in votes}
    on_gold = {one[1]: one[GOLD_ANSWER.names.index("says")] for one in gold}
    answers = [list(given) for given in line["answers"]]
    for (row, ask), given in zip(line["dealt"], answers, strict=False):
        given[SAYS] = (on_gold if ask is None else said).get(row, given[SAYS])
    return answers if seal_of("assignment", {**line, "answers": answers}) == line[SEAL] else None


def _amend(transfer: Transfer, category: str, assignment: str, answers: list[list[Any]]) -> None:
    transfer.amend(ASSIGNMENT, category, [assignment], {"answers": answers})


def _make_anew(
    transfer: Transfer, category: str, there: tuple[list[Line], ...], wanted: tuple[list[Line], list[Line]]
) -> None:
    for kind, old, new in ((VOTE, there[0], wanted[0]), (GOLD_ANSWER, there[1], wanted[1])):
        kept = {kind.key(line) for line in new}
        _drop(transfer, kind, category, [line for line in old if kind.key(line) not in kept])
        if new:
            transfer.restore(kind, category, new)


def _forget(transfer: Transfer, category: str, assignments: Sequence[str], books: Books) -> None:
    for name in assignments:
        _drop(transfer, VOTE, category, books.votes.get(name, []))
        _drop(transfer, GOLD_ANSWER, category, books.gold.get(name, []))


def _drop(transfer: Transfer, kind: Kind, category: str, lines: Sequence[Line]) -> None:
    transfer.forget(kind, category, [kind.key(line) for line in lines])
