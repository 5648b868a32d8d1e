"""Answers, votes, labels, gold, reviews, rounds and evidence carry checksums: what is changed in them is found."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.test_rounds import a_round
from tests.contract.things import answers, append_review, category, deal, finish, publish

from thresher.errors import StoreDamaged
from thresher.records import Gold, Label, Purpose, Release, Review, Says, Source, Stage
from thresher.store.check_seals import lines_of
from thresher.store.contract import Store
from thresher.store.kinds import ASSIGNMENT, EVIDENCE, GOLD, GOLD_ANSWER, LABEL, RELEASE, REVIEW, ROUND, TASK, VOTE
from thresher.store.rounds import FROZEN
from thresher.store.seals import seal_of
from thresher.store.shapes import Kind

Lines = dict[str, list[dict[str, Any]]]
KINDS = (VOTE, GOLD_ANSWER, LABEL, GOLD, ASSIGNMENT, REVIEW, ROUND, EVIDENCE, RELEASE)


@pytest.fixture
def worked(store: Store) -> Store:
    """A category in which two people have answered, and a certificate has begun."""
    category(store, 12)
    rows = store.categories.pool("car").tolist()
    store.labels.gild("car", [Gold(rows[11], Says.YES, 1, Source.OWNER), Gold(rows[10], Says.NO, 1, Source.OWNER)])
    publish(store, rows[:6], places=2)
    for worker, says in (("w1", Says.YES), ("w2", Says.NO)):
        finish(store, worker, says=says, gold=[rows[10], rows[11]], weight=1.0)
    consensus = [Label(row, Says.YES, Source.CONSENSUS, Purpose.LEARN, 1, 9, 0.75, 2) for row in rows[:3]]
    store.labels.hold("car", [*consensus, Label(rows[4], Says.NO, Source.OWNER, Purpose.IMPORT, 1, 9)])
    store.rounds.add(a_round(1), b"\0head")
    store.columns.create(a_round(1).column, 1, "float32")
    store.rounds.keep_evidence("car", 1, FROZEN, b"the frozen state")
    store.rounds.add_release(Release("r1", "car", 1, 1, "out", 3, {"precision": 0.9}, 99))
    assert store.check(mend=False, every_byte=True).found == ()
    return store


def lines(store: Store) -> Lines:
    return {kind.name: list(lines_of(store.transfer, kind, "car")) for kind in KINDS}


def key_of(kind: Kind, line: dict[str, Any]) -> list[Any]:
    return [line[name] for name in kind.key_names]


def change(store: Store, kind: Kind, number: int, **changes: Any) -> None:
    """As a hand or a disk would change a line."""
    line = list(lines_of(store.transfer, kind, "car"))[number]
    if kind in (EVIDENCE, ROUND, RELEASE):
        store.lines.change(kind, key_of(kind, line), changes, "car")
    else:
        store.transfer.amend(kind, "car", key_of(kind, line), changes)


def turn(given: list[list[Any]], *places: int) -> list[list[Any]]:
    turned = {"yes": "no", "no": "yes"}
    return [[one[0], turned[one[1]], *one[2:]] if n in places else one for n, one in enumerate(given)]


def turn_an_answer(store: Store) -> None:
    line = next(lines_of(store.transfer, ASSIGNMENT, "car"))
    change(store, ASSIGNMENT, 0, answers=turn(line["answers"], 2))


def delete_a_vote(store: Store) -> None:
    store.transfer.forget(VOTE, "car", [tuple(key_of(VOTE, next(lines_of(store.transfer, VOTE, "car"))))])


def add_a_vote(store: Store) -> None:
    line = next(lines_of(store.transfer, VOTE, "car"))
    store.transfer.restore(VOTE, "car", [tuple({**line, "row": 9}.values())])


def delete_all_votes(store: Store) -> None:
    for kind in (VOTE, GOLD_ANSWER):
        store.transfer.clear(kind, "car")


def turn_the_deal(store: Store) -> None:
    line = next(lines_of(store.transfer, ASSIGNMENT, "car"))
    change(store, ASSIGNMENT, 0, dealt=line["dealt"][::-1])


def delete_assignments(store: Store) -> None:
    store.transfer.clear(ASSIGNMENT, "car")


def delete_reviews(store: Store) -> None:
    store.transfer.clear(REVIEW, "car")


def reject_without_telling(store: Store) -> None:
    line = next(lines_of(store.transfer, REVIEW, "car"))
    change(store, REVIEW, 0, verdict="rejected", seal=seal_of("review", {**line, "verdict": "rejected"}))


# a damage, and what the report says of it; what follows from other lines is there again after a repair
MADE_ANEW: dict[str, tuple[Callable[[Store], None], str]] = {
    "a vote turned": (lambda store: change(store, VOTE, 3, says="unsure"), "do not follow from its answers"),
    "a vote weighted": (lambda store: change(store, VOTE, 3, weight=0.25), "do not follow from its answers"),
    "a vote moved": (lambda store: change(store, VOTE, 3, worker="w9"), "do not follow from its answers"),
    "a vote deleted": (delete_a_vote, "do not follow from its answers"),
    "a vote added": (add_a_vote, "do not follow from its answers"),
    "all votes deleted": (delete_all_votes, "do not follow from its answers"),
    "an answer on gold turned": (lambda store: change(store, GOLD_ANSWER, 0, says="unsure"), "do not follow from"),
    "an answer turned": (turn_an_answer, "its answers do not match their checksum; its votes do"),
    "a stage changed": (lambda store: change(store, ASSIGNMENT, 0, stage="rejected"), "its stage is rejected"),
}
LOST: dict[str, tuple[Callable[[Store], None], str]] = {
    "a label turned": (lambda store: change(store, LABEL, 0, says="no"), "labels of car: 1 (consensus; rows 0)"),
    "a label's posterior": (lambda store: change(store, LABEL, 1, posterior=0.99), "labels of car: 1 (consensus; rows"),
    "the owner's label": (lambda store: change(store, LABEL, 3, says="yes"), "labels of car: 1 (owner; rows 4)"),
    "gold turned": (lambda store: change(store, GOLD, 0, says="yes"), "gold of car: 1 (rows 10)"),
    "a round": (lambda store: change(store, ROUND, 0, record={"number": 1}), "round 1 of car"),
    "a head": (lambda store: change(store, ROUND, 0, head=b"other"), "round 1 of car"),
    "evidence": (lambda store: change(store, EVIDENCE, 0, data=b"the frozen stata"), "'frozen' of epoch 1"),
}
ONLY_BY_FORCE: dict[str, tuple[Callable[[Store], None], str]] = {
    "dealt images": (turn_the_deal, "nor do its votes"),
    "a sending time": (lambda store: change(store, ASSIGNMENT, 0, sent_ms=7), "nor do its votes"),
    "a review": (lambda store: change(store, REVIEW, 0, why="for no reason"), "review 1 of assignment"),
    "a release": (lambda store: change(store, RELEASE, 0, record={"path": "out"}), "thresher verify out"),
    "a missing task": (lambda store: store.transfer.clear(TASK, "car"), "6 of the questions that assignment"),
    "missing reviews": (delete_reviews, "it is accepted, and its review is missing"),
    "a review that rejected": (reject_without_telling, "its stage is accepted, and its review says rejected"),
    "a missing assignment": (delete_assignments, "assignments that are missing"),
}


def without_counters(found: tuple[str, ...]) -> str:
    return "\n".join(line for line in found if "the counter" not in line)


@pytest.mark.parametrize("name", MADE_ANEW)
def test_what_follows_from_something_else_is_found_and_made_anew(name: str, worked: Store) -> None:
    before = lines(worked)
    damage, told = MADE_ANEW[name]
    damage(worked)
    shown = worked.check(mend=False)
    assert told in without_counters(shown.found)
    assert worked.changed("car")
    assert worked.check(mend=True).sound
    assert lines(worked) == before
    assert worked.check(mend=False).found == ()
    assert worked.changed("car") == ()


@pytest.mark.parametrize("name", LOST)
def test_what_has_changed_is_found_and_taken_out_of_use(name: str, worked: Store) -> None:
    damage, told = LOST[name]
    damage(worked)
    assert told in without_counters(worked.check(mend=False).found)
    assert worked.check(mend=True).sound
    assert worked.check(mend=False).found == ()
    assert worked.changed("car") == ()


@pytest.mark.parametrize("name", ONLY_BY_FORCE)
def test_what_cannot_be_made_anew_is_found_and_stays_until_it_is_forced(name: str, worked: Store) -> None:
    damage, told = ONLY_BY_FORCE[name]
    damage(worked)
    after = lines(worked)
    report = worked.check(mend=True)
    assert told in without_counters(report.found)
    assert "restore a backup, or thresher check --mend --force" in without_counters(report.found)
    assert not report.sound
    assert lines(worked) == after
    worked.check(mend=True, force=True)
    worked.check(mend=True, force=True)  # votes follow from answers that were taken as they are
    assert worked.check(mend=False).found == ()


def test_evidence_and_heads_that_changed_are_not_handed_out(worked: Store) -> None:
    change(worked, EVIDENCE, 0, data=b"another state")
    change(worked, ROUND, 0, head=b"another head")
    reads: list[Callable[[], object]] = [
        lambda: worked.rounds.evidence("car", 1, FROZEN),
        lambda: worked.rounds.head("car", 1),
    ]
    for read in reads:
        with pytest.raises(StoreDamaged, match="checksum") as told:
            read()
        assert told.value.next == "thresher check --mend"


def test_evidence_of_labels_is_missed_and_its_epoch_is_never_used_again(worked: Store) -> None:
    worked.lines.drop(EVIDENCE, [1, FROZEN], "car")
    assert worked.changed("car") == ()  # nothing was asked for it yet
    worked.labels.hold("car", [Label(7, Says.YES, Source.ADJUDICATED, Purpose.AUDIT_RECALL, 1, 9, epoch=1, draw=0)])
    assert "the frozen state of epoch 1 is missing" in worked.changed("car")[0]
    assert worked.check(mend=True).sound
    assert worked.changed("car") == ()
    assert worked.rounds.epochs("car") == [1]


def test_an_epoch_that_was_given_up_keeps_its_number(worked: Store) -> None:
    change(worked, EVIDENCE, 0, data=b"another state")
    worked.check(mend=True)
    assert worked.rounds.evidence("car", 1, FROZEN) is None
    assert worked.rounds.epochs("car") == [1]


def test_a_later_review_does_not_look_like_damage(worked: Store) -> None:
    one, other = (line["id"] for line in lines_of(worked.transfer, ASSIGNMENT, "car"))
    append_review(worked, one, Review(Stage.WEIGHTED, "less", 500, weight=0.25))
    append_review(worked, other, Review(Stage.REJECTED, "no", 500, weight=0.0))
    assert worked.check(mend=False).found == ()


def test_answers_that_are_not_reviewed_yet_have_no_votes_and_are_sound(worked: Store) -> None:
    publish(worked, [6, 7])
    held = deal(worked, "w3")
    assert worked.check(mend=False).found == ()
    worked.work.send(held.id, answers(held), 900)
    assert worked.check(mend=False).found == ()


def test_lines_of_an_earlier_version_have_no_checksum_and_are_sound(worked: Store) -> None:
    for kind in (LABEL, GOLD, ASSIGNMENT, REVIEW):
        for number in range(len(lines(worked)[kind.name])):
            change(worked, kind, number, seal="")
    for kind in (ROUND, EVIDENCE, RELEASE):
        change(worked, kind, 0, seal="")
    assert worked.check(mend=False).found == ()
    assert worked.rounds.evidence("car", 1, FROZEN) == b"the frozen state"


def test_any_field_of_a_sealed_line_that_changes_is_found(worked: Store) -> None:
    """Whatever is changed in a line that has a checksum, a check says so."""
    draw = random.Random(8)
    for kind, names in (
        (LABEL, ("says", "purpose", "at_ms", "posterior", "votes", "epoch", "draw", "seal")),
        (GOLD, ("says", "source", "seal")),
        (REVIEW, ("verdict", "why", "at_ms", "yes_right", "no_shown", "weight", "provisional", "seal")),
        (VOTE, ("says", "purpose", "weight", "epoch", "draw", "worker")),
    ):
        for name in names:
            there = list(lines_of(worked.transfer, kind, "car"))
            number = draw.randrange(len(there))
            was = there[number][name]
            other = {str: "0" * 16 if name == "seal" else "other", int: 77, float: 0.5, bool: not was}[type(was)]
            change(worked, kind, number, **{name: other})
            assert worked.changed("car"), (kind.name, name)
            change(worked, kind, number, **{name: was})
            assert worked.changed("car") == ()
