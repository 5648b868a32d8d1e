"""Damages of the table of all images."""

import pyarrow as pa
import pyarrow.parquet as pq
from tests.verify.damages.part import EVIDENCE, MANIFEST, TABLE, Part
from tests.verify.tampering import Release, Row, exchange, sha256, where

damage = Part(first="certified")


def unaudited(one: Release, rows: list[Row]) -> list[int]:
    """The places of the images that are no although nobody has labelled them."""
    return where(rows, decision="no", label=None) or where(rows, decision="unknown", label=None)


@damage("a yes of the table exchanged for a no that nobody looked at")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: exchange(rows, "decision", where(rows, decision="yes")[0], unaudited(one, rows)[0]))


@damage("a yes of the table exchanged for a no that people gave")
def _(one: Release) -> None:
    no = {row["id"] for row in one.rows(EVIDENCE) if row["now"] == "no"}

    def change(rows: list[Row]) -> None:
        refuted = next(at for at, row in enumerate(rows) if row["id"] in no)
        exchange(rows, "decision", where(rows, decision="yes")[0], refuted)

    one.table(TABLE, change)


@damage("all yes of the table exchanged for no that nobody looked at")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        for yes, no in zip(where(rows, decision="yes"), unaudited(one, rows), strict=False):
            exchange(rows, "decision", yes, no)

    one.table(TABLE, change)


@damage("the ids of all yes of the table exchanged for those of no")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        for yes, no in zip(where(rows, decision="yes"), unaudited(one, rows), strict=False):
            exchange(rows, "id", yes, no)

    one.table(TABLE, change)


@damage("300 more yes, as copies of one that is released")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> list[Row]:
        first = rows[where(rows, decision="yes")[0]]
        more = [sha256(str(number).encode()) for number in range(300)]
        return rows + [first | {"id": name, "similar_to": first["id"], "inherited": True} for name in more]

    one.table(TABLE, change)


@damage("a no of the pool made a copy of one that is released")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        first = rows[where(rows, decision="yes")[0]]["id"]
        rows[unaudited(one, rows)[0]] |= {"decision": "yes", "similar_to": first, "inherited": True}

    one.table(TABLE, change)


@damage("the ids of the table made up")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        for at in where(rows, decision="yes"):
            rows[at]["id"] = sha256(str(at).encode())

    one.table(TABLE, change)


@damage("an id of the table in capitals")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        at = where(rows, decision="yes")[0]
        rows[at]["id"] = rows[at]["id"].upper()

    one.table(TABLE, change)


@damage("a yes left out of the table")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: [row for at, row in enumerate(rows) if at != where(rows, decision="yes")[0]])


@damage("a no left out of the table")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: [row for at, row in enumerate(rows) if at != unaudited(one, rows)[0]])


@damage("a row of the table twice")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: [*rows, rows[-1]])


@damage("a yes of the table made unknown")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: rows[where(rows, decision="yes")[0]].update(decision="unknown"))


@damage("a decision that is none")
def _(one: Release) -> None:
    one.table(TABLE, lambda rows: rows[unaudited(one, rows)[0]].update(decision="YES"))


@damage("a label of the table flipped")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        audited = next(at for at, row in enumerate(rows) if row["label_source"] in ("adjudicated", "owner"))
        rows[audited]["label"] = "no" if rows[audited]["label"] == "yes" else "yes"

    one.table(TABLE, change)


@damage("a released image told to be a copy of another")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        first, second, *_ = where(rows, decision="yes")
        rows[first]["similar_to"] = rows[second]["id"]

    one.table(TABLE, change)


@damage("the table removed")
def _(one: Release) -> None:
    one.path(TABLE).unlink()


@damage("the table left, and its format struck out")
def _(one: Release) -> None:
    one.json(MANIFEST, lambda found: found["formats"].pop("table"))


@damage("a column of the table of another type")
def _(one: Release) -> None:
    table = pq.read_table(one.path(TABLE))
    column = table.column_names.index("decision")
    pq.write_table(table.set_column(column, "decision", pa.array([1] * table.num_rows)), one.path(TABLE))


@damage("a table that says it has more rows than its bytes can hold")
def _(one: Release) -> None:
    table = pq.read_table(one.path(EVIDENCE)).slice(0, 1)
    pq.write_table(table.take(pa.array([0] * 2_000_000)), one.path(EVIDENCE), compression="zstd")
