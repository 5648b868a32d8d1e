"""Counters compared with what they count: the only place that counts rows."""

import sqlite3

from thresher.store.contract import PARTS
from thresher.store.findings import miscounted
from thresher.store.shapes import Kinds
from thresher.store.sqlite import counters
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import MARK, WORKSPACE

_BY_HAND = """
    SELECT 0 AS category, 'images' AS name, count(*) AS value FROM image
    UNION ALL SELECT category, 'images', count(*) FROM pool GROUP BY category
    UNION ALL SELECT category, 'refused', count(*) FROM refusal GROUP BY category
    UNION ALL SELECT category, 'refused:' || reason, count(*) FROM refusal GROUP BY category, reason
    UNION ALL SELECT category, 'tasks_open', count(*) FROM task WHERE done < places GROUP BY category
    UNION ALL SELECT category, 'assignments:' || stage, count(*) FROM assignment GROUP BY category, stage
    UNION ALL SELECT category, 'reserved', sum(reserved) FROM assignment GROUP BY category
    UNION ALL SELECT category, 'asks:' || version || ':' || purpose, count(*) FROM ask
        WHERE open GROUP BY category, version, purpose
    UNION ALL SELECT category, 'labels:' || version || ':' || says, count(*)
        FROM (SELECT category, version, row, says, min(trust) FROM label GROUP BY category, version, row)
        GROUP BY category, version, says
    UNION ALL SELECT category, 'owner_answers', count(*) FROM assignment, json_each(dealt)
        WHERE sent_ms > 0 AND owner GROUP BY category
    UNION ALL SELECT category, iif(json_extract(value, '$[1]') IS NULL, 'gold_answers', 'answers') AS kind, count(*)
        FROM assignment, json_each(dealt) WHERE sent_ms > 0 AND NOT owner GROUP BY category, kind"""


def _counted(kinds: Kinds) -> str:
    """The statement that counts everything."""
    lines = [
        f"""SELECT {"category" if kind.of_category else WORKSPACE}, '{one.name}:' || {one.by or "''"} AS name,
            {f"sum({one.of})" if one.of else "count(*)"} FROM {kind.name} GROUP BY 1, 2"""
        for kind in kinds
        for one in kind.counters
    ]
    return " UNION ALL ".join([_BY_HAND, *lines])


# the tables that name rows
_NAMING = ("pool", "label", "gold", "ask", "vote", "gold_answer", "alias")


def rows_without_image(sql: sqlite3.Connection) -> dict[str, list[int]]:
    """The rows that have no image, by the table that names them."""
    found = {
        table: sql.execute(
            f"SELECT DISTINCT row FROM {table} WHERE row NOT IN (SELECT row FROM image) ORDER BY row"
        ).fetchall()
        for table in _NAMING
    }
    return {table: [row for (row,) in rows] for table, rows in found.items() if rows}


def differences(sql: sqlite3.Connection, kinds: Kinds) -> list[tuple[int, str, int, int]]:
    """Wrong counters, as (category id, name, stored value, counted value); 0 is the whole workspace."""
    of_things = f"SELECT category, name, value FROM counter WHERE name NOT LIKE '{MARK}%'"  # a mark counts nothing
    kept, counted = (
        {(category, name): n for category, name, n in sql.execute(statement)}
        for statement in (of_things, _counted(kinds))
    )
    return [(*name, says, there) for name, says, there in miscounted(kept, counted)]


def correct_all(catalog: Catalog, kinds: Kinds) -> None:
    """Set every counter to the counted value, and move every change mark."""
    with catalog.writing(durable=True) as sql:
        for category, name, kept, counted in differences(sql, kinds):
            counters.add(sql, category, name, counted - kept)
        counters.move(sql, WORKSPACE, PARTS)


def correct(catalog: Catalog, kinds: Kinds, category: int, name: str) -> None:
    """Set a counter to the counted value, and move the change mark of its category, or of all."""
    with catalog.writing(durable=True) as sql:
        counters.move(sql, category, PARTS)
        sql.execute(
            f"""WITH counted AS ({_counted(kinds)}) INSERT OR REPLACE INTO counter (category, name, value)
                SELECT ?1, ?2, coalesce((SELECT value FROM counted WHERE category = ?1 AND name = ?2), 0)""",
            (category, name),
        )
