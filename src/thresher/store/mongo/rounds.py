"""Trainings, the frozen states of certificates, and releases."""

import json
from dataclasses import asdict

from bson import Binary
from pymongo.errors import DuplicateKeyError

from thresher.errors import AlreadyThere, Conflict, NotFound
from thresher.records import Counts, Release, Round, Thresholds
from thresher.store.contract import Rounds
from thresher.store.mongo.blobs import get_blob, put_blob
from thresher.store.mongo.categories import must_know
from thresher.store.mongo.failures import plain_failures
from thresher.store.mongo.link import Link, key, span


@plain_failures
class MongoRounds(Rounds):
    """Trainings, the frozen states of certificates, and releases."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def add(self, round: Round, head: bytes) -> None:  # noqa: A002 -- the design's word
        must_know(self.link, round.category)
        made = {
            "_id": key(category=round.category, number=round.number),
            "version": round.version,
            "record": json.dumps(asdict(round)),
            "head": Binary(put_blob(self.link, head)),
        }
        try:
            self.link.table("rounds").insert_one(made)
        except DuplicateKeyError:
            raise AlreadyThere(f"round {round.number} of {round.category} exists.", next="run it again") from None

    def head(self, category: str, number: int) -> bytes:
        must_know(self.link, category)
        found = self.link.table("rounds").find_one({"_id": key(category=category, number=number)}, {"head": 1})
        if found is None:
            raise NotFound(f"{category} has no round {number}.", next=f"thresher run {category}")
        return get_blob(self.link, found["head"])

    def latest(self, category: str, version: int) -> Round | None:
        must_know(self.link, category)
        wanted = {**span(category=category), "version": version}
        found = self.link.table("rounds").find_one(wanted, sort=[("_id", -1)])
        return _round(found["record"]) if found else None

    def all(self, category: str) -> list[Round]:
        must_know(self.link, category)
        return [_round(one["record"]) for one in self.link.table("rounds").find(span(category=category)).sort("_id", 1)]

    def keep_evidence(self, category: str, epoch: int, name: str, data: bytes) -> None:
        must_know(self.link, category)
        table, piece = self.link.table("evidence"), key(category=category, epoch=epoch, name=name)
        blob = put_blob(self.link, data)
        try:
            table.insert_one({"_id": piece, "blob": Binary(blob)})
        except DuplicateKeyError:
            there = table.find_one({"_id": piece})
            if there is None or there["blob"] != blob:
                raise Conflict(f"{name} of epoch {epoch} is frozen with other bytes.", where=category) from None

    def evidence(self, category: str, epoch: int, name: str) -> bytes | None:
        must_know(self.link, category)
        found = self.link.table("evidence").find_one({"_id": key(category=category, epoch=epoch, name=name)})
        return get_blob(self.link, found["blob"]) if found else None

    def epochs(self, category: str) -> list[int]:
        must_know(self.link, category)
        return sorted(
            {one["_id"]["epoch"] for one in self.link.table("evidence").find(span(category=category), {"_id": 1})}
        )

    def add_release(self, release: Release) -> None:
        must_know(self.link, release.category)
        made = {
            "_id": release.id,
            "category": release.category,
            "at_ms": release.at_ms,
            "record": json.dumps(asdict(release)),
        }
        try:
            self.link.table("releases").insert_one(made)
        except DuplicateKeyError:
            return

    def releases(self, category: str) -> list[Release]:
        must_know(self.link, category)
        found = self.link.table("releases").find({"category": category}).sort([("at_ms", 1), ("_id", 1)])
        return [Release(**json.loads(one["record"])) for one in found]


def _round(record: str) -> Round:
    found = json.loads(record)
    found["thresholds"] = Thresholds(**found["thresholds"])
    found["counts"] = Counts(**found["counts"])
    return Round(**found)
