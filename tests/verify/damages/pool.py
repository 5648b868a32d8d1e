"""Damages of the pool: all images, their ranks and what was known of them."""

import pyarrow as pa
import pyarrow.parquet as pq
from tests.verify.damages.part import POOL, Part
from tests.verify.tampering import Release, Row, sha256, where

damage = Part(first="adjudicated")


@damage("an image of the pool left out")
def _(one: Release) -> None:
    one.table(POOL, lambda rows: rows[:-1])


@damage("an image added to the pool")
def _(one: Release) -> None:
    name = sha256(one.stranger)
    one.table(POOL, lambda rows: [*rows, {"id": name, "rank": None, "unit": rows[0]["id"], "known": None}])


@damage("two ranks of the pool exchanged")
def _(one: Release) -> None:
    one.table(POOL, lambda rows: [rows[1] | {"rank": 0}, rows[0] | {"rank": 1}, *rows[2:]])


@damage("a known label of the pool changed")
def _(one: Release) -> None:
    one.table(POOL, lambda rows: rows[where(rows, known="no")[0]].update(known="yes"))


@damage("an image of the pool made a copy")
def _(one: Release) -> None:
    def change(rows: list[Row]) -> None:
        at = where(rows, known="no")[0]
        rows[at] |= {"unit": rows[0]["id"], "known": None}

    one.table(POOL, change)


@damage("the rank of a table as a float")
def _(one: Release) -> None:
    table = pq.read_table(one.path(POOL))
    column = table.column_names.index("rank")
    pq.write_table(table.set_column(column, "rank", table.column("rank").cast(pa.float64())), one.path(POOL))


@damage("the pool cut off")
def _(one: Release) -> None:
    data = one.path(POOL).read_bytes()
    one.path(POOL).write_bytes(data[: len(data) // 2])
