"""What gold shows of people who were chosen by gold: as many errors as they make elsewhere, not fewer."""

from dataclasses import replace

import numpy as np
import pytest

from thresher.evidence import Gold as Seen
from thresher.evidence.noise import slips_of
from thresher.label.adjudicate import leads
from thresher.label.gate import judge
from thresher.label.measured import adjudicated, counting, votes_on
from thresher.records import Assignment, Dealt, Given, Gold, Says, Source, Stage
from thresher.settings import Settings

SETTINGS = Settings()
PIECES = {row: Says.YES if row % 2 else Says.NO for row in range(3000)}
GOLD = [Gold(row, says, 1, Source.OWNER) for row, says in PIECES.items()]
OTHER = {Says.YES: Says.NO, Says.NO: Says.YES}


def sent(number: int, rows: list[int], right: list[bool], worker: str) -> Assignment:
    """An assignment of hidden gold, as the gate judged it."""
    given = [
        Given(place, PIECES[row] if hit else OTHER[PIECES[row]], 1.0, 1.0)
        for place, (row, hit) in enumerate(zip(rows, right, strict=True))
    ]
    there = Assignment(
        f"{number:06d}",
        number,
        "cars",
        1,
        worker,
        Stage.SENT,
        tuple(Dealt(row, None) for row in rows),
        0,
        0,
        number,
        tuple(given),
    )
    review = judge(there, [GOLD[row] for row in rows], (0, 0, 0, 0), settings=SETTINGS, now_ms=0)
    return replace(there, stage=review.verdict, review=review)


def crowd(seed: int, accuracy: float, assignments: int) -> list[Assignment]:
    """People of one accuracy, each with one assignment of forty gold images; every piece is shown equally often."""
    rng = np.random.default_rng(seed)
    order = {says: [row for row, one in PIECES.items() if one is says] for says in OTHER}
    made = []
    for number in range(assignments):
        rows = []
        for of_class in order.values():
            if number * 20 % len(of_class) == 0:
                rng.shuffle(of_class)
            start = number * 20 % len(of_class)
            rows += of_class[start : start + 20]
        made.append(sent(number, rows, (rng.random(40) < accuracy).tolist(), f"w{number}"))
    return made


def wrong_leads(accuracy: float) -> float:
    """How often three more wrong answers than right ones come first, at this accuracy (the gambler's ruin)."""
    odds = (accuracy / (1.0 - accuracy)) ** 3
    return 1.0 / (1.0 + odds)


def by_accepted_alone(work: list[Assignment]) -> tuple[int, int]:
    """The pieces with a lead, and with a wrong one, by accepted assignments: as it was measured before."""
    cast: dict[int, list[Says]] = {}
    for one in work:
        if one.stage is not Stage.REJECTED:
            for given in one.answers:
                cast.setdefault(one.dealt[given.position].row, []).append(given.says)
    found = {row: lead for row, said in cast.items() if (lead := leads(said)) is not None}
    return len(found), sum(lead is not PIECES[row] for row, lead in found.items())


def test_errors_are_not_measured_by_the_answers_that_made_somebody_pass() -> None:
    """People who are right 80 times in a hundred: the gate takes those with luck, who look better than they are."""
    accuracy, truth = 0.8, wrong_leads(0.8)
    work = crowd(1, accuracy, 3000)
    shown, missed = by_accepted_alone(work)
    biased = slips_of(Seen(shown, missed, shown, missed), 0.05)
    assert biased.yes_as_no < truth
    found = adjudicated(votes_on(PIECES, work, SETTINGS), PIECES)
    assert found.enough
    honest = slips_of(
        Seen(found.shown[Says.YES], found.missed[Says.YES], found.shown[Says.NO], found.missed[Says.NO]), 0.05
    )
    assert truth < honest.yes_as_no < 3.0 * truth
    assert truth < honest.no_as_yes < 3.0 * truth


def test_what_counts_is_wrong_as_often_as_its_people_are() -> None:
    work = crowd(2, 0.8, 3000)
    counted = [(row, says) for one in work for row, says in counting(one, PIECES, SETTINGS)]
    wrong = np.mean([says is not PIECES[row] for row, says in counted])
    assert wrong == pytest.approx(0.2, abs=0.01)
    passed = [one for one in work if one.stage is not Stage.REJECTED]
    lucky = np.mean(
        [given.says is not PIECES[one.dealt[given.position].row] for one in passed for given in one.answers]
    )
    assert lucky < 0.17


def test_of_a_rejected_assignment_counts_what_would_have_saved_it_and_only_that() -> None:
    rows = [*range(1, 41, 2), *range(0, 40, 2)]
    nearly = sent(1, rows, [*[True] * 15, *[False] * 5, *[True] * 20], "a")  # 15 of 20 yes are right, 16 are needed
    assert nearly.stage is Stage.REJECTED
    assert [row for row, _ in counting(nearly, PIECES, SETTINGS)] == rows[15:20]
    far = sent(2, rows, [*[True] * 14, *[False] * 6, *[True] * 20], "b")
    assert counting(far, PIECES, SETTINGS) == []
    passed = sent(3, rows, [*[True] * 16, *[False] * 4, *[True] * 20], "c")
    assert len(counting(passed, PIECES, SETTINGS)) == 40


def test_pieces_that_take_more_votes_to_a_lead_are_not_left_out() -> None:
    """Three pieces in ten are hard for everybody. Those that have come to a lead are mostly the easy ones."""
    rng = np.random.default_rng(3)
    accuracy = {row: 0.6 if row % 20 < 6 else 0.97 for row in PIECES}
    for votes in (4, 8):
        cast = {
            row: [PIECES[row] if hit else OTHER[PIECES[row]] for hit in rng.random(votes) < accuracy[row]]
            for row in PIECES
        }
        truth = float(np.mean([wrong_leads(one) for one in accuracy.values()]))
        found = adjudicated(cast, PIECES)
        assert found.missed.total() / found.shown.total() > 0.9 * truth


def test_a_piece_that_was_retired_for_its_votes_counts_as_missed() -> None:
    cast = {row: [says] * 8 for row, says in PIECES.items()}
    cast[0] = [Says.YES, Says.YES, Says.NO, Says.YES]
    assert adjudicated(cast, PIECES).missed.total() == 0
    assert adjudicated(cast, PIECES, retired=[0]).missed[Says.NO] == 1
