"""Votes without a store, and the real ones where they lie."""

import csv
import os
from pathlib import Path

import pytest

from thresher.records import Purpose, Says, Vote

DATA = Path(os.environ.get("THRESHER_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


def vote(row: int, worker: str, yes: bool | None, weight: float = 1.0, purpose: Purpose = Purpose.LEARN) -> Vote:
    says = Says.UNSURE if yes is None else Says.YES if yes else Says.NO
    return Vote(row, worker, says, purpose, "a", weight, 0)


def real_votes(name: str, positive: set[str]) -> tuple[list[Vote], dict[int, bool]]:
    """The votes of a file of shared/data/votes as yes or no, and the truth; skips where the file is absent."""
    path = DATA / "votes" / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{name}.csv is not here: set THRESHER_TEST_DATA to the folder that holds votes/")
    rows: dict[str, int] = {}
    votes, truth = [], {}
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            row = rows.setdefault(line["item"], len(rows))
            votes.append(vote(row, line["worker"], line["answer"] in positive))
            truth[row] = line["truth"] in positive
    return votes, truth
