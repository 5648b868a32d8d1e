"""Trainings, the frozen states of certificates, and releases."""

import json
from dataclasses import asdict

from thresher.errors import AlreadyThere, Conflict, NotFound
from thresher.records import Counts, Release, Round, Thresholds
from thresher.store.contract import Rounds
from thresher.store.sqlite.connection import Catalog
from thresher.store.sqlite.counters import category_id


class SqliteRounds(Rounds):
    """Trainings, the frozen states of certificates, and releases."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def add(self, round: Round, head: bytes) -> None:  # noqa: A002 -- the design's word
        with self.catalog.writing(durable=True) as sql:
            added = sql.execute(
                """INSERT INTO round (category, number, version, record, head) VALUES (?, ?, ?, ?, ?)
                   ON CONFLICT DO NOTHING""",
                (
                    category_id(self.catalog, sql, round.category), round.number, round.version,
                    json.dumps(asdict(round)), head,
                ),
            ).rowcount  # fmt: skip
        if not added:
            raise AlreadyThere(f"round {round.number} of {round.category} exists.", next="run it again")

    def head(self, category: str, number: int) -> bytes:
        with self.catalog.reading() as sql:
            key = category_id(self.catalog, sql, category)
            found = sql.execute("SELECT head FROM round WHERE category = ? AND number = ?", (key, number)).fetchone()
        if not found:
            raise NotFound(f"{category} has no round {number}.", next=f"thresher run {category}")
        return bytes(found[0])

    def latest(self, category: str, version: int) -> Round | None:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT record FROM round WHERE category = ? AND version = ? ORDER BY number DESC LIMIT 1",
                (category_id(self.catalog, sql, category), version),
            ).fetchone()
        return _round(found[0]) if found else None

    def all(self, category: str) -> list[Round]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT record FROM round WHERE category = ? ORDER BY number",
                (category_id(self.catalog, sql, category),),
            )
            return [_round(record) for (record,) in found]

    def keep_evidence(self, category: str, epoch: int, name: str, data: bytes) -> None:
        with self.catalog.writing(durable=True) as sql:
            key = category_id(self.catalog, sql, category)
            there = sql.execute(
                "SELECT data FROM evidence WHERE category = ? AND epoch = ? AND name = ?", (key, epoch, name)
            ).fetchone()
            if there and bytes(there[0]) != data:
                raise Conflict(f"{name} of epoch {epoch} is frozen with other bytes.", where=category)
            if not there:
                sql.execute(
                    "INSERT INTO evidence (category, epoch, name, data) VALUES (?, ?, ?, ?)", (key, epoch, name, data)
                )

    def evidence(self, category: str, epoch: int, name: str) -> bytes | None:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT data FROM evidence WHERE category = ? AND epoch = ? AND name = ?",
                (category_id(self.catalog, sql, category), epoch, name),
            ).fetchone()
        return bytes(found[0]) if found else None

    def epochs(self, category: str) -> list[int]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT DISTINCT epoch FROM evidence WHERE category = ? ORDER BY epoch",
                (category_id(self.catalog, sql, category),),
            )
            return [epoch for (epoch,) in found]

    def add_release(self, release: Release) -> None:
        with self.catalog.writing(durable=True) as sql:
            sql.execute(
                "INSERT INTO release (id, category, record) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (release.id, category_id(self.catalog, sql, release.category), json.dumps(asdict(release))),
            )

    def releases(self, category: str) -> list[Release]:
        with self.catalog.reading() as sql:
            found = sql.execute(
                "SELECT record FROM release WHERE category = ? ORDER BY id", (category_id(self.catalog, sql, category),)
            )
            return sorted((Release(**json.loads(record)) for (record,) in found), key=lambda one: one.at_ms)


def _round(record: str) -> Round:
    found = json.loads(record)
    found["thresholds"] = Thresholds(**found["thresholds"])
    found["counts"] = Counts(**found["counts"])
    return Round(**found)
