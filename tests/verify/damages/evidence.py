"""Damages of the evidence: the labels that the proof counts."""

import random

from tests.verify.damages.part import EVERY, EVIDENCE, POOL, Part
from tests.verify.tampering import Release, Row, exchange, where

damage = Part(first="recall")


@damage("a first label of the evidence flipped", *EVERY)
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        at = next(at for at, row in enumerate(rows) if row["first"] == "no" and row["rank"] is not None)
        rows[at] |= {"first": "yes", "now": "yes"}

    one.table(EVIDENCE, change)


@damage("a label of today flipped", *EVERY)
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, now="no")[0]].update(now="yes"))


@damage("a label of today left out")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, now="yes")[0]].update(now=None))


@damage("a known image flipped")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, rank=None, now="yes")[0]].update(first="no"))


@damage("the numbers of two draws exchanged", *EVERY)
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        name = "reject_draw" if len([row for row in rows if row["reject_draw"] is not None]) > 1 else "accept_draw"
        first, second, *_ = [at for at, row in enumerate(rows) if row[name] is not None]
        exchange(rows, name, first, second)

    one.table(EVIDENCE, change)


@damage("a row of the evidence left out", *EVERY)
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[1:])


@damage("a known row of the evidence left out")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[:-1])


@damage("a row of the evidence twice")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: [rows[0], *rows])


@damage("a consensus among the evidence", *EVERY)
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[where(rows, now="yes")[0]].update(source="consensus"))


@damage("the ids of the no shuffled over their ranks", *EVERY)
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        no = [at for at, row in enumerate(rows) if row["first"] == "no" and row["rank"] is not None]
        ids = [rows[at]["id"] for at in no]
        for at, name in zip(no, ids[1:] + ids[:1], strict=True):
            rows[at]["id"] = name

    one.table(EVIDENCE, change)


@damage("the ids of all ranks shuffled in evidence and pool")
def _(one: Release) -> None:
    ranking = [row["id"] for row in one.rows(POOL) if row["rank"] is not None]
    random.Random(1).shuffle(ranking)

    def change(rows: list[Row]) -> None:
        for row in rows:
            if row["rank"] is not None:
                row["id"] = ranking[row["rank"]]
                row["unit"] = row["id"] if "unit" in row else None

    one.table(POOL, change)
    one.table(
        EVIDENCE, lambda rows: [row.update(id=ranking[row["rank"]]) for row in rows if row["rank"] is not None] and rows
    )


@damage("a stratum of the evidence changed")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[0].update(stratum="middle" if rows[0]["stratum"] != "middle" else "rejected"))


@damage("evidence for a rank that nobody was asked about")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> list[Row]:
        there = {row["rank"] for row in rows}
        free = next(row for row in one.rows(POOL) if row["rank"] is not None and row["rank"] not in there)
        more = rows[0] | {"id": free["id"], "rank": free["rank"], "first": "yes", "now": "yes"}
        return sorted([*rows, more], key=lambda row: (row["rank"] is None, row["rank"] or 0))

    one.table(EVIDENCE, change)


@damage("an id of the evidence left out")
def _(one: Release) -> None:
    one.table(EVIDENCE, lambda rows: rows[-1].update(id=None))
